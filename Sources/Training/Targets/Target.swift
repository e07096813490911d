import Labeling
import Volumes

/// What a network learns: the heads of its output, each of one or more channels.
///
/// Objects are made of the first head; the others are auxiliary tasks that the body of the network is shared with,
/// and the affinities that regions are merged by.
public struct Target: Codable, Equatable, Sendable {
    public var heads: [Head]

    public enum Head: Codable, Equatable, Sendable {
        /// Inside an object (`ForegroundTarget`).
        case foreground
        /// On either side of an object's border.
        case boundary
        /// Whether a voxel and those at these distances are of one object.
        case affinities([Distance])
        /// The labels are classes, not objects: inside each of these.
        case classes([UInt32])
    }

    /// How far apart the voxels of an affinity are.
    public enum Distance: Codable, Equatable, Sendable {
        /// In shortest sides of a voxel, along each axis.
        case voxels(Double)
        /// Along each axis.
        case nanometers(Double)
        /// Between these two voxels.
        case offset(ZYX<Int>)
    }

    public init(_ heads: [Head] = [.foreground]) { self.heads = heads }

    /// The channels of the network's output, head after head.
    ///
    /// - Parameter dimensions: of the network; one of 2 has no affinities along z.
    public func channels(voxelSize: VoxelSize, dimensions: Int) -> [[OutputChannel]] {
        heads.map { head in
            switch head {
            case .foreground: [.foreground]
            case .boundary: [.interior]
            case .classes(let labels): labels.map { .label($0) }
            case .affinities(let distances):
                offsets(distances, voxelSize.nanometers, axes: dimensions).map { .affinity($0) }
            }
        }
    }
}

/// Each distance along each axis to the voxels before, none twice: nearest neighbours first.
private func offsets(_ distances: [Target.Distance], _ size: ZYX<Double>, axes: Int) -> [ZYX<Int>] {
    let shortest = size.array.suffix(axes).min() ?? 1
    var found: [ZYX<Int>] = []
    for distance in distances {
        switch distance {
        case .offset(let offset): found.append(offset)
        case .voxels(let count): found += alongAxes(count * shortest, size, axes)
        case .nanometers(let length): found += alongAxes(length, size, axes)
        }
    }
    return found.enumerated().filter { !found.prefix($0).contains($1) }.map(\.element)
}

private func alongAxes(_ length: Double, _ size: ZYX<Double>, _ axes: Int) -> [ZYX<Int>] {
    // What is longer than any volume is longer than any patch.
    let steps = size.map { -max(1, Int(min(1e6, (length / $0).rounded()))) }
    return [ZYX(steps.z, 0, 0), ZYX(0, steps.y, 0), ZYX(0, 0, steps.x)].suffix(axes)
}
