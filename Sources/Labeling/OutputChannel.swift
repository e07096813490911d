import Volumes

/// What a channel of a network's output says of a voxel, as a logit: the higher, the more it belongs to something.
public enum OutputChannel: Codable, Hashable, Sendable {
    case foreground
    /// Not at a border: what `Target.Head.boundary` asks for, turned round.
    case interior
    /// Of the same object as the voxel at this offset.
    case affinity(ZYX<Int>)
    /// Of this class.
    case label(UInt32)
}

extension OutputChannel: CustomStringConvertible {
    public var description: String {
        switch self {
        case .foreground: "foreground"
        case .interior: "interior"
        case .affinity(let offset): "affinity \(offset.array)"
        case .label(let label): "class \(label)"
        }
    }
}

extension OutputChannel {
    package var isAffinity: Bool { if case .affinity = self { true } else { false } }

    /// Along each axis, how far the voxel that an affinity speaks of is away; nil for what is no affinity.
    package var reach: ZYX<Int>? { if case .affinity(let offset) = self { offset.map(abs) } else { nil } }

    /// The axis along which an affinity joins face neighbours, the voxel and the one before it: 0 is z, 2 is x.
    package var neighbourAxis: Int? {
        guard case .affinity(let offset) = self else { return nil }
        return [ZYX(-1, 0, 0), ZYX(0, -1, 0), ZYX(0, 0, -1)].firstIndex(of: offset)
    }
}
