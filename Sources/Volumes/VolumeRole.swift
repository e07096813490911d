/// What a volume stands for in a pipeline.
public enum VolumeRole: String, Codable, Hashable, Sendable {
    case image, labels

    var opposite: VolumeRole { self == .image ? .labels : .image }
}
