import Volumes

/// Labels with smoother boundaries: a voxel beside a boundary takes the most frequent label of its neighbourhood of
/// 3 × 3 × 3 voxels, or of 3 × 3 within the section where sections are thick. Cores stay.
func withSmoothBoundaries(_ labels: [UInt32], cores: [UInt32], grid: Grid, rounds: Int) -> [UInt32] {
    let shape = grid.shape
    let depth = grid.edge.z < 2 ? 1 : 0
    var labels = labels
    for _ in 0..<rounds {
        let before = labels
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x {
                    let index = grid.index(z, y, x)
                    guard cores[index] == 0 else { continue }
                    var isInside = true
                    forEachNeighbour(of: index, shape) { if before[$0] != before[index] { isInside = false } }
                    if isInside { continue }
                    labels[index] = mostFrequent(
                        before, grid, z: max(0, z - depth)...min(shape.z - 1, z + depth),
                        y: max(0, y - 1)...min(shape.y - 1, y + 1), x: max(0, x - 1)...min(shape.x - 1, x + 1),
                        preferring: before[index])
                }
            }
        }
    }
    return labels
}

private func mostFrequent(
    _ labels: [UInt32], _ grid: Grid, z: ClosedRange<Int>, y: ClosedRange<Int>, x: ClosedRange<Int>,
    preferring own: UInt32
) -> UInt32 {
    // At most 27 labels: counted in place, without a table.
    withUnsafeTemporaryAllocation(of: (label: UInt32, count: Int).self, capacity: 27) { counts in
        var used = 0
        for z in z {
            for y in y {
                for x in x {
                    let label = labels[grid.index(z, y, x)]
                    var place = 0
                    while place < used, counts[place].label != label { place += 1 }
                    if place == used {
                        counts.initializeElement(at: place, to: (label, 0))
                        used += 1
                    }
                    counts[place].count += 1
                }
            }
        }
        var best = (label: own, count: 0)
        for place in 0..<used {
            let entry = counts[place]
            if entry.count > best.count || (entry.count == best.count && entry.label == own) { best = entry }
        }
        return best.label
    }
}
