import Volumes

/// Why labels, votes or scores cannot be computed.
public enum LabelingFault: Error, Equatable, CustomStringConvertible {
    case tooManyObjects(Int)
    case sectionTooLarge(ZYX<Int>)
    case tooManyVoxels(ZYX<Int>)
    case noMembers
    case tooManyMembers(Int)
    case ruleBeyondMembers(AgreementRule, members: Int)
    case shapesDiffer(String, ZYX<Int>, String, ZYX<Int>)
    case labelBeyondObjects(label: UInt32, objects: Int)
    case nothingToScore(voxels: Int)
    case noObjects(of: [OutputChannel])

    public var description: String {
        switch self {
        case .tooManyObjects(let count):
            "\(count) objects, but 32-bit labels count to \(UInt32.max); raise min_voxels or label a smaller volume"
        case .sectionTooLarge(let shape):
            "a section of y \(shape.y) × x \(shape.x) voxels is too large to label; at most 2³² voxels a section"
        case .tooManyVoxels(let shape):
            "\(shape) voxels are too many to grow seeds in at once; at most 2³² - 2"
        case .noMembers:
            "no network's logits to find a consensus of; at least 1 expected"
        case .tooManyMembers(let count):
            "\(count) members, but votes count to 255"
        case .ruleBeyondMembers(let rule, let members):
            "the rule '\(rule)' cannot hold with \(members) members; expected 1 to \(members)"
        case .shapesDiffer(let first, let firstShape, let second, let secondShape):
            "\(first) (\(firstShape)) and \(second) (\(secondShape)) differ in shape"
        case .labelBeyondObjects(let label, let objects):
            "label \(label) found, but only labels 1 to \(objects) expected"
        case .noObjects(let head):
            "objects cannot be made of the channels \(head.map { "\($0)" }.joined(separator: ", ")); expected the "
                + "foreground, the boundary, classes, or affinities among them those of the nearest neighbours"
        case .nothingToScore(let voxels):
            "nothing to score: the truth is 0 in all \(voxels) voxels"
        }
    }
}
