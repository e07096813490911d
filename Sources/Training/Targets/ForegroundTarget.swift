import Foundation
import Volumes

/// The target `foreground`: 1 inside objects, 0 outside and in a one-voxel gap between touching objects.
///
/// Of two neighbouring voxels (faces, edges and corners; for a 2D network those of one section) of different objects,
/// the one of the larger object is given to the gap. So any two neighbouring voxels of the target belong to one object, the components
/// of the target never join two objects whatever their connectivity, the gap across a flat face is one voxel
/// wide, and thin processes are not erased by what they touch. A component is an object wherever the object
/// itself is connected and wider than the gap taken from it.
public enum ForegroundTarget {
    /// - Parameter dimensions: of the network.
    /// - Returns: 1 where the target is inside, else 0.
    public static func volume(labels: Volume<UInt32>, dimensions: Int = 3, threads: Int) -> Volume<UInt8> {
        volume(RankedLabels(labels), dimensions: dimensions, threads: threads)
    }

    static func volume(_ labels: RankedLabels, dimensions: Int, threads: Int) -> Volume<UInt8> {
        volume(
            ranks: labels.ranks.grownByOne(in: Box(labels.ranks.shape)), dimensions: dimensions, threads: threads)
    }

    /// - Parameter ranks: `RankedLabels` with one voxel more on every side than the target.
    static func volume(ranks: Volume<UInt32>, dimensions: Int, threads: Int) -> Volume<UInt8> {
        let shape = ranks.shape.map { $0 - 2 }
        var target = Volume<UInt8>(shape: shape)
        target.voxels.withUnsafeMutableBufferPointer { target in
            ranks.voxels.withUnsafeBufferPointer { source in
                nonisolated(unsafe) let (target, source) = (target, source)
                inSlices(of: shape.z, threads: threads) { z in
                    markInside(section: z, shape, ranks: source, acrossSections: dimensions == 3, target: target)
                }
            }
        }
        return target
    }
}

/// Marks where no voxel of the 3 × 3 × 3 around, or of the 3 × 3 in the section, has a higher rank.
private func markInside(
    section z: Int, _ shape: ZYX<Int>, ranks: UnsafeBufferPointer<UInt32>, acrossSections: Bool,
    target: UnsafeMutableBufferPointer<UInt8>
) {
    let (width, height) = (shape.x + 2, shape.y + 2)
    let plane = width * height
    let first = z * plane
    // The highest rank along z, then along y and x as well.
    var highest = [UInt32](repeating: 0, count: plane)
    highest.withUnsafeMutableBufferPointer { highest in
        for voxel in 0..<plane {
            let own = ranks[first + plane + voxel]
            highest[voxel] =
                acrossSections ? max(own, max(ranks[first + voxel], ranks[first + 2 * plane + voxel])) : own
        }
        for voxel in 0..<plane - 2 * width {
            highest[voxel] = max(highest[voxel], max(highest[voxel + width], highest[voxel + 2 * width]))
        }
        for y in 0..<shape.y {
            let row = y * width
            let own = first + plane + row + width + 1
            for x in 0..<shape.x {
                let around = max(highest[row + x], max(highest[row + x + 1], highest[row + x + 2]))
                let rank = ranks[own + x]
                target[(z * shape.y + y) * shape.x + x] = rank != 0 && around <= rank ? 1 : 0
            }
        }
    }
}

/// Labels replaced by their object's rank by size.
public struct RankedLabels: Sendable {
    /// 0 stays, 1 is the largest object; of equals the lower label comes first.
    public let ranks: Volume<UInt32>
    /// The label of each rank.
    let labels: [UInt32]

    init(_ volume: Volume<UInt32>) {
        var sizes: [UInt32: Int] = [:]
        forEachRun(of: volume.voxels) { label, range in sizes[label, default: 0] += range.count }
        sizes[0] = nil
        let ordered = sizes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        labels = [0] + ordered.map(\.key)
        var rankOf: [UInt32: UInt32] = [:]
        for (place, label) in labels.enumerated() { rankOf[label] = UInt32(place) }
        var ranks = Volume<UInt32>(shape: volume.shape)
        forEachRun(of: volume.voxels) { label, range in
            guard let rank = rankOf[label], rank != 0 else { return }
            for index in range { ranks.voxels[index] = rank }
        }
        self.ranks = ranks
    }
}

extension Volume {
    /// The voxels of `box` and one more on every side; beyond the volume the nearest voxel of `box` within it.
    func grownByOne(in box: Box) -> Volume {
        let inside = box.intersection(Box(shape))
        func places(_ axis: (ZYX<Int>) -> Int) -> [Int] {
            let (first, last) = (axis(inside.origin), axis(inside.end) - 1)
            return (axis(box.origin) - 1...axis(box.end)).map { place in
                let isWithin = place >= 0 && place < axis(shape)
                return isWithin ? place : min(max(place, first), last)
            }
        }
        let (zs, ys, xs) = (places(\.z), places(\.y), places(\.x))
        var result: [Element] = []
        result.reserveCapacity(zs.count * ys.count * xs.count)
        for z in zs {
            for y in ys {
                let row = index(z, y, 0)
                for x in xs { result.append(voxels[row + x]) }
            }
        }
        return Volume(shape: ZYX(zs.count, ys.count, xs.count), voxels: result)
    }
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

/// Calls `body` with 0..<count on `threads` threads.
func inSlices(of count: Int, threads: Int, _ body: @Sendable (Int) -> Void) {
    let workers = max(1, min(threads, count))
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
        for slice in count * worker / workers..<count * (worker + 1) / workers { body(slice) }
    }
}
