/// What a volume stands for in a pipeline.
public enum VolumeRole: String, Codable, Hashable, Sendable {
    case image, labels

    var opposite: VolumeRole { self == .image ? .labels : .image }

    /// The usual names of what the role stands for, the likeliest first: CREMI's, PlantSeg's and ilastik's. The last
    /// ones say nothing of the role: those of ilastik's exports and of files that hold one volume.
    var usualNames: [String] { ownNames + ["/exported_data", "/main"] }

    /// Those that say what the role is.
    var ownNames: [String] {
        switch self {
        case .image: ["/volumes/raw", "/raw", "/image", "/images"]
        case .labels: ["/volumes/labels/neuron_ids", "/label", "/labels", "/segmentation"]
        }
    }
}
