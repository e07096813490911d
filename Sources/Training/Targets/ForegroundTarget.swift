import Foundation
import Volumes

/// The target `foreground`: 1 inside objects, 0 outside and in a gap between objects that touch.
///
/// Voxels that touch another object (faces, edges and corners; for a 2D network those of one section) are given to the
/// gap, so it is two voxels wide, one of each side: a network sees where a face lies, but not which of two objects
/// an annotator would take a gap of one voxel from. An object keeps these voxels where it is up to three thick, and
/// where it becomes so, unless a smaller one that is as thin lies beside them. So any two neighbouring voxels of
/// the target belong to one object, the components of the target never join two objects whatever their
/// connectivity, and thin processes are not erased by what they touch.
public enum ForegroundTarget {
    /// How many voxels away may decide whether a voxel is inside, for a 2D network of the same section.
    static func reach(dimensions: Int) -> ZYX<Int> { ZYX(dimensions == 3 ? 5 : 0, 5, 5) }

    /// - Parameter dimensions: of the network.
    /// - Returns: 1 where the target is inside, else 0.
    public static func volume(labels: Volume<UInt32>, dimensions: Int = 3, threads: Int) -> Volume<UInt8> {
        volume(RankedLabels(labels), dimensions: dimensions, threads: threads)
    }

    static func volume(_ labels: RankedLabels, dimensions: Int, threads: Int) -> Volume<UInt8> {
        let whole = Box(labels.ranks.shape)
        let blocks = whole.cells(of: dimensions == 3 ? ZYX(64, 64, 64) : ZYX(1, 512, 512))
        let reach = reach(dimensions: dimensions)
        var target = Volume<UInt8>(shape: whole.shape)
        target.voxels.withUnsafeMutableBufferPointer { target in
            nonisolated(unsafe) let target = target
            inSlices(of: blocks.count, threads: threads) { number in
                let block = blocks[number]
                let part = volume(ranks: labels.ranks.padded(to: block.grown(by: reach)), dimensions: dimensions)
                for z in 0..<block.shape.z {
                    for y in 0..<block.shape.y {
                        let row = labels.ranks.index(block.origin.z + z, block.origin.y + y, block.origin.x)
                        let source = part.index(z, y, 0)
                        for x in 0..<block.shape.x { target[row + x] = part.voxels[source + x] }
                    }
                }
            }
        }
        return target
    }

    /// - Parameter ranks: `RankedLabels`, with `reach` more on every side than the target, 0 beyond the volume.
    static func volume(ranks: Volume<UInt32>, dimensions: Int) -> Volume<UInt8> {
        let reach = reach(dimensions: dimensions)
        return inside(ranks, acrossSections: dimensions == 3)
            .cropped(to: Box(origin: reach, shape: ranks.shape - reach - reach))
    }

    private static func inside(_ ranks: Volume<UInt32>, acrossSections: Bool) -> Volume<UInt8> {
        let axes = acrossSections ? [0, 1, 2] : [1, 2]
        var inside = core(of: ranks, axes)
        let touches = ranks.voxels.indices.contains { ranks.voxels[$0] != 0 && inside.voxels[$0] == 0 }
        guard touches else { return inside }
        // An object is thin beyond a voxel of where its core holds two voxels along every axis. What is near a core is of
        // its object, for a core touches no other.
        var solid = inside
        for axis in axes { solid.sweep(axis, .after, min) }
        for axis in axes { solid.sweep(axis, .before, max) }
        solid.spread(axes)
        var thin = Volume<UInt32>(shape: ranks.shape)
        for voxel in ranks.voxels.indices where solid.voxels[voxel] == 0 {
            thin.voxels[voxel] = ranks.voxels[voxel]
        }
        thin.spread(axes)
        // What thin parts keep, up to where they join the core.
        var claims = Volume<UInt32>(shape: ranks.shape)
        for voxel in ranks.voxels.indices
        where inside.voxels[voxel] == 0 && thin.voxels[voxel] == ranks.voxels[voxel] {
            claims.voxels[voxel] = ranks.voxels[voxel]
        }
        var strongest = claims
        strongest.spread(axes)
        for voxel in ranks.voxels.indices
        where claims.voxels[voxel] != 0 && strongest.voxels[voxel] == claims.voxels[voxel] {
            inside.voxels[voxel] = 1
        }
        return inside
    }

    /// 1 where an object touches no other.
    private static func core(of ranks: Volume<UInt32>, _ axes: [Int]) -> Volume<UInt8> {
        var highest = ranks
        highest.spread(axes)
        var lowest = ranks.map { $0 == 0 ? 0 : .max - $0 }
        lowest.spread(axes)
        var core = Volume<UInt8>(shape: ranks.shape)
        for (voxel, rank) in ranks.voxels.enumerated()
        where rank != 0 && highest.voxels[voxel] == rank && lowest.voxels[voxel] == .max - rank {
            core.voxels[voxel] = 1
        }
        return core
    }
}

/// Where a neighbour lies along an axis.
private enum Side { case before, after }

extension Volume where Element: FixedWidthInteger & Sendable {
    /// Each voxel becomes the highest value of those that it shares a face, an edge or a corner with along `axes`.
    fileprivate mutating func spread(_ axes: [Int]) {
        for axis in axes {
            sweep(axis, .after, Swift.max)
            sweep(axis, .before, Swift.max)
        }
    }

    /// Combines each voxel with its neighbour on one side along an axis, which beyond the volume is 0.
    @inline(__always)
    fileprivate mutating func sweep(_ axis: Int, _ side: Side, _ combine: (Element, Element) -> Element) {
        let step = [shape.y * shape.x, shape.x, 1][axis]
        let length = shape.array[axis]
        voxels.withUnsafeMutableBufferPointer { voxels in
            for first in stride(from: 0, to: voxels.count, by: length * step) {
                let end = first + length * step
                switch side {
                case .after:
                    for voxel in first..<end - step { voxels[voxel] = combine(voxels[voxel], voxels[voxel + step]) }
                    for voxel in end - step..<end { voxels[voxel] = combine(voxels[voxel], 0) }
                case .before:
                    for voxel in (first + step..<end).reversed() {
                        voxels[voxel] = combine(voxels[voxel], voxels[voxel - step])
                    }
                    for voxel in first..<first + step { voxels[voxel] = combine(voxels[voxel], 0) }
                }
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
    /// The voxels of `box`, 0 beyond the volume.
    func padded(to box: Box) -> Volume {
        let inside = box.intersection(Box(shape))
        return cropped(to: inside).placed(inside, in: box)
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
