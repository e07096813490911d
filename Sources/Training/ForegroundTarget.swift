import Foundation
import Volumes

/// The target `foreground`: 1 inside objects, 0 outside and in a one-voxel gap between touching objects.
///
/// Of two neighbouring voxels (faces, edges and corners) of different objects, the one of the larger object
/// is given to the gap. So any two neighbouring voxels of the target belong to one object, the components
/// of the target never join two objects whatever their connectivity, the gap across a flat face is one voxel
/// wide, and thin processes are not erased by what they touch. A component is an object wherever the object
/// itself is connected and wider than the gap taken from it.
public enum ForegroundTarget {
    /// - Returns: 1 where the target is inside, else 0.
    public static func volume(labels: Volume<UInt32>, threads: Int) -> Volume<UInt8> {
        let shape = labels.shape
        let ranks = ranksBySize(labels)
        var target = [UInt8](repeating: 0, count: shape.count)
        target.withUnsafeMutableBufferPointer { target in
            ranks.withUnsafeBufferPointer { ranks in
                nonisolated(unsafe) let (target, ranks) = (target, ranks)
                inSlices(of: shape.z, threads: threads) { z in
                    markInside(section: z, shape: shape, ranks: ranks, target: target)
                }
            }
        }
        return Volume(shape: shape, voxels: target)
    }
}

/// Labels replaced by their object's rank: 0 stays, 1 is the largest object; of equals the lower label first.
private func ranksBySize(_ labels: Volume<UInt32>) -> [UInt32] {
    var sizes: [UInt32: Int] = [:]
    forEachRun(of: labels.voxels) { label, range in sizes[label, default: 0] += range.count }
    sizes[0] = nil
    let ordered = sizes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    var ranks: [UInt32: UInt32] = [0: 0]
    for (place, object) in ordered.enumerated() { ranks[object.key] = UInt32(place + 1) }
    var result = [UInt32](repeating: 0, count: labels.voxels.count)
    forEachRun(of: labels.voxels) { label, range in
        guard let rank = ranks[label], rank != 0 else { return }
        for index in range { result[index] = rank }
    }
    return result
}

/// Calls `body` for every run of equal neighbouring values.
func forEachRun(of values: [UInt32], _ body: (UInt32, Range<Int>) -> Void) {
    values.withUnsafeBufferPointer { values in
        var start = 0
        while start < values.count {
            var end = start + 1
            while end < values.count && values[end] == values[start] { end += 1 }
            body(values[start], start..<end)
            start = end
        }
    }
}

private func markInside(
    section z: Int, shape: ZYX<Int>, ranks: UnsafeBufferPointer<UInt32>,
    target: UnsafeMutableBufferPointer<UInt8>
) {
    for y in 0..<shape.y {
        for x in 0..<shape.x {
            let index = (z * shape.y + y) * shape.x + x
            let own = ranks[index]
            if own == 0 { continue }
            var inside = true
            neighbours: for nz in max(0, z - 1)...min(shape.z - 1, z + 1) {
                for ny in max(0, y - 1)...min(shape.y - 1, y + 1) {
                    let row = (nz * shape.y + ny) * shape.x
                    for nx in max(0, x - 1)...min(shape.x - 1, x + 1) where ranks[row + nx] > own {
                        inside = false
                        break neighbours
                    }
                }
            }
            if inside { target[index] = 1 }
        }
    }
}

/// Calls `body` with 0..<count on `threads` threads.
func inSlices(of count: Int, threads: Int, _ body: @Sendable (Int) -> Void) {
    let workers = max(1, min(threads, count))
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
        for slice in count * worker / workers..<count * (worker + 1) / workers { body(slice) }
    }
}
