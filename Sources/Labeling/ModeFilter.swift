import Volumes

/// Smooths labels: a voxel takes the label, or 0, that most voxels within a distance of it have. Of several with as many it
/// keeps its own, otherwise the lowest.
public struct ModeFilter: Sendable {
    /// The voxels within the distance, as steps from a voxel, which is the first.
    private let steps: [ZYX<Int>]
    /// How far they reach along each axis.
    public let reach: ZYX<Int>

    /// - Parameters:
    ///   - radius: in nanometres; voxels farther than that along an axis do not count.
    ///   - withinSections: whether each section is smoothed by itself.
    public init(radius: Double, voxelSize: VoxelSize, withinSections: Bool = false) {
        let radius = inclusive(distance: radius)
        let size = voxelSize.nanometers
        var reach = size.map { Int(radius / $0) }
        if withinSections { reach.z = 0 }
        self.reach = reach
        var steps: [ZYX<Int>] = []
        for z in -reach.z...reach.z {
            for y in -reach.y...reach.y {
                for x in -reach.x...reach.x {
                    let (dz, dy, dx) = (Double(z) * size.z, Double(y) * size.y, Double(x) * size.x)
                    if dz * dz + dy * dy + dx * dx <= radius * radius { steps.append(ZYX(z, y, x)) }
                }
            }
        }
        self.steps = [.zero] + steps.filter { $0 != .zero }
    }

    /// The smoothed labels of a box.
    ///
    /// - Parameters:
    ///   - labels: of `region`, which holds the box grown by `reach`, as far as the volume goes.
    public func smoothed(_ labels: Volume<UInt32>, of region: Box, in box: Box) -> Volume<UInt32> {
        precondition(labels.shape == region.shape && region.contains(box))
        let inner = box.relative(to: region.origin)
        var result = labels.cropped(to: inner)
        var counts: [(label: UInt32, count: Int)] = []
        labels.voxels.withUnsafeBufferPointer { voxels in
            for z in 0..<box.shape.z {
                for y in 0..<box.shape.y {
                    for x in 0..<box.shape.x {
                        let at = inner.origin + ZYX(z, y, x)
                        counts.removeAll(keepingCapacity: true)
                        for step in steps {
                            let (z, y, x) = (at.z &+ step.z, at.y &+ step.y, at.x &+ step.x)
                            guard z >= 0, y >= 0, x >= 0, z < region.shape.z, y < region.shape.y, x < region.shape.x
                            else { continue }
                            let label = voxels[(z &* region.shape.y &+ y) &* region.shape.x &+ x]
                            if let place = counts.firstIndex(where: { $0.label == label }) {
                                counts[place].count += 1
                            } else {
                                counts.append((label, 1))
                            }
                        }
                        // The voxel's own is the first.
                        guard counts.count > 1, let most = counts.map(\.count).max(), counts[0].count < most else {
                            continue
                        }
                        result[z, y, x] = counts.filter { $0.count == most }.map(\.label).min() ?? 0
                    }
                }
            }
        }
        return result
    }
}
