import Volumes

/// How often each pair of a label and a truth label falls on a voxel.
///
/// Pieces of a volume may be added in any order, one after the other; the scores do not depend on it.
public struct Contingency: Sendable {
    private var table = PairCounts()

    public init() {}

    /// The contingency of two volumes of the same shape.
    ///
    /// - Throws: `LabelingFault.shapesDiffer`.
    @inlinable
    public init<Label: VoxelElement & BinaryInteger, Truth: VoxelElement & BinaryInteger>(
        labels: Volume<Label>, truth: Volume<Truth>, threads: Int = 1
    ) throws {
        self.init()
        try add(labels: labels, truth: truth, threads: threads)
    }

    /// The contingency of as many labels as truth labels.
    package init(labels: [UInt32], truth: [UInt32]) {
        precondition(labels.count == truth.count)
        self.init()
        addRuns(labels, truth, threads: 1)
    }

    /// Adds the voxels of a piece.
    ///
    /// - Throws: `LabelingFault.shapesDiffer`.
    @inlinable
    public mutating func add<Label: VoxelElement & BinaryInteger, Truth: VoxelElement & BinaryInteger>(
        labels: Volume<Label>, truth: Volume<Truth>, threads: Int = 1
    ) throws {
        guard labels.shape == truth.shape else {
            throw LabelingFault.shapesDiffer("labels", labels.shape, "truth", truth.shape)
        }
        addRuns(labels.voxels, truth.voxels, threads: threads)
    }

    @inlinable
    mutating func addRuns<Label: BinaryInteger, Truth: BinaryInteger>(
        _ labels: [Label], _ truth: [Truth], threads: Int
    ) {
        labels.withUnsafeBufferPointer { labels in
            truth.withUnsafeBufferPointer { truth in
                addPieces(count: labels.count, threads: threads) { range, counts in
                    guard var voxel = range.first else { return }
                    while voxel < range.upperBound {
                        let label = labels[voxel]
                        let truthLabel = truth[voxel]
                        var end = voxel &+ 1
                        while end < range.upperBound, labels[end] == label, truth[end] == truthLabel { end &+= 1 }
                        counts.add(
                            UInt64(truncatingIfNeeded: label), UInt64(truncatingIfNeeded: truthLabel),
                            count: UInt64(end &- voxel))
                        voxel = end
                    }
                }
            }
        }
    }

    /// Adds what another has counted.
    public mutating func add(_ other: Contingency) { table.add(other.table) }

    @usableFromInline
    mutating func addPieces(count: Int, threads: Int, _ add: (Range<Int>, inout PairCounts) -> Void) {
        let ranges = evenRanges(of: 0..<count, parts: threads)
        if ranges.count == 1 { return add(ranges[0], &table) }
        var parts = [PairCounts](repeating: PairCounts(), count: ranges.count)
        parts.withUnsafeMutableBufferPointer { parts in
            inParallel(ranges.count) { add(ranges[$0], &parts[$0]) }
        }
        for part in parts { table.add(part) }
    }

    /// Whether some label is not 0.
    package var hasLabels: Bool { table.pairs.contains { $0.label != 0 } }
    /// Whether some truth label is not 0.
    package var hasTruth: Bool { table.pairs.contains { $0.truth != 0 } }

    /// Labels and truth labels below 2³², but for 0, that share voxels, those that share most first.
    package var overlaps: [(label: UInt32, truth: UInt32)] {
        pairs.filter { $0.label != 0 && $0.truth != 0 }.sorted { $0.count > $1.count }
            .map { (UInt32($0.label), UInt32($0.truth)) }
    }

    /// All pairs that occur, ordered by truth, then by label.
    var pairs: [PairCounts.Pair] {
        table.pairs.sorted { ($0.truth, $0.label) < ($1.truth, $1.label) }
    }
}

/// Counts by pair of labels: a hash table with open addressing, for a dictionary is ten times slower here.
@usableFromInline
struct PairCounts: Sendable {
    @usableFromInline
    struct Pair: Sendable {
        @usableFromInline var label: UInt64
        @usableFromInline var truth: UInt64
        /// 0 where the place is free.
        @usableFromInline var count: UInt64

        @inlinable
        init(label: UInt64, truth: UInt64, count: UInt64) {
            self.label = label
            self.truth = truth
            self.count = count
        }
    }

    @usableFromInline var places: [Pair]
    @usableFromInline var used = 0

    @usableFromInline
    init() {
        places = [Pair](repeating: Pair(label: 0, truth: 0, count: 0), count: 1024)
    }

    var pairs: [Pair] { places.filter { $0.count > 0 } }

    @inlinable
    mutating func add(_ label: UInt64, _ truth: UInt64, count: UInt64) {
        let isNew = places.withUnsafeMutableBufferPointer { places in
            let last = places.count &- 1
            var hash = (label &* 0x9e37_79b9_7f4a_7c15) ^ (truth &* 0xc2b2_ae3d_27d4_eb4f)
            hash ^= hash &>> 32
            hash = hash &* 0xd6e8_feb8_6659_fd93
            var place = Int(truncatingIfNeeded: hash &>> 24) & last
            while places[place].count > 0 {
                if places[place].label == label, places[place].truth == truth {
                    places[place].count &+= count
                    return false
                }
                place = (place &+ 1) & last
            }
            places[place] = Pair(label: label, truth: truth, count: count)
            return true
        }
        guard isNew else { return }
        used &+= 1
        if used &* 2 > places.count { grow() }
    }

    mutating func add(_ other: PairCounts) {
        for pair in other.places where pair.count > 0 { add(pair.label, pair.truth, count: pair.count) }
    }

    @usableFromInline
    mutating func grow() {
        let old = pairs
        places = [Pair](repeating: Pair(label: 0, truth: 0, count: 0), count: places.count * 2)
        used = 0
        for pair in old { add(pair.label, pair.truth, count: pair.count) }
    }
}
