import Volumes

/// Smooths labels: a voxel takes the label, or 0, that most voxels within a distance of it have. Of several with as many it
/// keeps its own, otherwise the lowest.
public struct ModeFilter: Sendable {
    /// The voxels within the distance, row by row: where a row lies from a voxel's own, and how far it reaches along x.
    private let rows: [(z: Int, y: Int, half: Int)]
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
        var rows: [(z: Int, y: Int, half: Int)] = []
        for z in -reach.z...reach.z {
            for y in -reach.y...reach.y {
                let (dz, dy) = (Double(z) * size.z, Double(y) * size.y)
                func isNear(_ x: Int) -> Bool {
                    let dx = Double(x) * size.x
                    return dz * dz + dy * dy + dx * dx <= radius * radius
                }
                if let half = (0...reach.x).last(where: isNear) { rows.append((z, y, half)) }
            }
        }
        self.rows = rows
    }

    /// The smoothed labels of a box.
    ///
    /// - Parameters:
    ///   - labels: of `region`, which holds the box grown by `reach`, as far as the volume goes.
    public func smoothed(_ labels: Volume<UInt32>, of region: Box, in box: Box) -> Volume<UInt32> {
        precondition(labels.shape == region.shape && region.contains(box))
        let inner = box.relative(to: region.origin)
        let (width, along) = (region.shape.x, inner.origin.x..<inner.end.x)
        var result = labels.cropped(to: inner)
        labels.voxels.withUnsafeBufferPointer { voxels in
            for z in inner.origin.z..<inner.end.z {
                for y in inner.origin.y..<inner.end.y {
                    let near = rows.compactMap { row -> (start: Int, half: Int)? in
                        let (z, y) = (z + row.z, y + row.y)
                        guard z >= 0, y >= 0, z < region.shape.z, y < region.shape.y else { return nil }
                        return ((z * region.shape.y + y) * width, row.half)
                    }
                    let start = (z * region.shape.y + y) * width
                    var counts = LabelCounts()
                    for row in near {
                        let (first, last) = (
                            max(0, along.lowerBound - row.half), min(width - 1, along.lowerBound + row.half)
                        )
                        for x in first...last { counts.add(voxels[row.start + x]) }
                    }
                    for x in along {
                        if x > along.lowerBound {
                            for row in near {
                                let (next, last) = (x &+ row.half, x &- 1 &- row.half)
                                switch (next < width, last >= 0) {
                                case (true, true):
                                    let (new, old) = (voxels[row.start &+ next], voxels[row.start &+ last])
                                    if new != old {
                                        counts.add(new)
                                        counts.remove(old)
                                    }
                                case (true, false): counts.add(voxels[row.start &+ next])
                                case (false, true): counts.remove(voxels[row.start &+ last])
                                case (false, false): break
                                }
                            }
                        }
                        let at = ZYX(z, y, x) - inner.origin
                        result[at.z, at.y, at.x] = counts.mostFrequent(before: voxels[start + x])
                    }
                }
            }
        }
        return result
    }
}

/// How many voxels have each of a few labels.
private struct LabelCounts {
    private var counts: [(label: UInt32, count: Int)] = []
    /// Where the last one was found: the next is often the same.
    private var last = 0

    mutating func add(_ label: UInt32) {
        if let place = place(of: label) {
            counts[place].count &+= 1
        } else {
            counts.append((label, 1))
        }
    }

    mutating func remove(_ label: UInt32) {
        guard let place = place(of: label) else { return }
        counts[place].count &-= 1
        guard counts[place].count == 0 else { return }
        counts.swapAt(place, counts.count - 1)
        counts.removeLast()
    }

    private mutating func place(of label: UInt32) -> Int? {
        if last < counts.count, counts[last].label == label { return last }
        guard let place = counts.firstIndex(where: { $0.label == label }) else { return nil }
        last = place
        return place
    }

    /// The label of the most; of several `own` if it is among them, else the lowest.
    func mostFrequent(before own: UInt32) -> UInt32 {
        guard counts.count > 1 else { return own }
        var best = (label: own, count: 0)
        for (label, count) in counts {
            let isBetter = label == own || best.label != own && label < best.label
            if count > best.count || count == best.count && isBetter { best = (label, count) }
        }
        return best.label
    }
}
