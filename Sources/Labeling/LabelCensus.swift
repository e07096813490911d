import Volumes

/// The voxels of every label of a volume, and the place of the first of them, gathered block by block.
public struct LabelCensus: Sendable {
    /// Voxels of label k at k; 0 for 0.
    private var sizes: [Int]
    /// The places of the first voxels in the volume.
    private var first: [Int]

    /// What is found in a block.
    public typealias Block = [UInt32: (voxels: Int, first: Int)]

    /// - Parameter labels: the highest that is expected.
    public init(labels: Int = 0) {
        sizes = Array(repeating: 0, count: labels + 1)
        first = Array(repeating: .max, count: labels + 1)
    }

    public static func count(_ labels: Volume<UInt32>, in box: Box, of shape: ZYX<Int>) -> Block {
        var found: Block = [:]
        forEachStretch(of: labels, in: box, of: box) { label, z, y, x in
            let place = shape.index(ZYX(z, y, x.lowerBound))
            var known = found[label] ?? (0, place)
            known.voxels += x.count
            known.first = min(known.first, place)
            found[label] = known
        }
        return found
    }

    public mutating func add(_ block: Block) {
        let missing = Int(block.keys.max() ?? 0) + 1 - sizes.count
        if missing > 0 {
            sizes += Array(repeating: 0, count: missing)
            first += Array(repeating: .max, count: missing)
        }
        for (label, found) in block { add(label, found.voxels, first: found.first) }
    }

    @inline(__always)
    mutating func add(_ label: UInt32, _ voxels: Int, first place: Int) {
        sizes[Int(label)] += voxels
        first[Int(label)] = min(first[Int(label)], place)
    }

    /// The number, from 1, of each label's object after merges, by each object's first voxel.
    ///
    /// - Parameter minimumVoxels: smaller objects become 0.
    /// - Returns: `numbers[k]` for label k, and the voxels of each object.
    public func numbers(
        after merges: [RegionGraph.Merge], minimumVoxels: Int = 1
    ) -> (numbers: [UInt32], sizes: [Int]) {
        var (sizes, first) = (sizes, first)
        var joined = Array(0..<UInt32(sizes.count))
        joined.withUnsafeMutableBufferPointer { joined in
            guard let joined = joined.baseAddress else { return }
            for merge in merges { joinSets(joined, merge.first, merge.second) }
        }
        // A label comes after the one that stands for it.
        for label in joined.indices {
            let object = Int(joined[Int(joined[label])])
            joined[label] = UInt32(object)
            guard object != label else { continue }
            sizes[object] += sizes[label]
            first[object] = min(first[object], first[label])
        }
        let kept = joined.indices.filter {
            joined[$0] == $0 && sizes[$0] > 0 && sizes[$0] >= minimumVoxels
        }.sorted { first[$0] < first[$1] }
        var numbers = [UInt32](repeating: 0, count: joined.count)
        for (place, object) in kept.enumerated() { numbers[object] = UInt32(place + 1) }
        for label in joined.indices { numbers[label] = numbers[Int(joined[label])] }
        return (numbers, kept.map { sizes[$0] })
    }
}

extension Volume<UInt32> {
    /// The labels after merges, numbered 1, 2, … by each object's first voxel.
    ///
    /// - Parameter minimumVoxels: smaller objects become 0.
    public func merged(_ merges: [RegionGraph.Merge], minimumVoxels: Int = 1) -> Components {
        var census = LabelCensus(labels: Int(voxels.max() ?? 0))
        let whole = Box(shape)
        forEachStretch(of: self, in: whole, of: whole) { label, z, y, x in
            census.add(label, x.count, first: shape.index(ZYX(z, y, x.lowerBound)))
        }
        let (numbers, sizes) = census.numbers(after: merges, minimumVoxels: minimumVoxels)
        return Components(labels: map { numbers[Int($0)] }, count: sizes.count, sizes: sizes)
    }
}
