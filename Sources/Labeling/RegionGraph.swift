import Volumes

/// Which regions of a segmentation touch, and how surely the voxels on either side belong together.
public struct RegionGraph: Sendable, Equatable {
    /// The face that two regions share.
    public struct Face: Sendable, Equatable {
        /// `first` is the smaller label.
        public var first, second: UInt32
        /// Pairs of neighbouring voxels, one of each region.
        public var pairs: UInt64
        /// Their affinities, each in 1/65,535.
        public var sum: UInt64

        public init(first: UInt32, second: UInt32, pairs: UInt64, sum: UInt64) {
            (self.first, self.second) = (first, second)
            (self.pairs, self.sum) = (pairs, sum)
        }

        public var meanAffinity: Double { Double(sum) / (65_535 * Double(pairs)) }
    }

    /// Ordered by the two labels.
    public var faces: [Face]

    public init(faces: [Face]) { self.faces = faces }

    /// The regions of `labels` and the affinities at their faces.
    ///
    /// - Parameters:
    ///   - affinities: logits (`LogitScale`) of each voxel and the voxel before it along z, y and x, of the labels'
    ///     shape; faces along an axis without do not count.
    ///   - box: the voxels that faces lie before, each with its affinity; nil for all. What lies before the box's first is of
    ///     the box before it, so that the boxes of a volume make up its graph.
    /// - Throws: `LabelingFault.shapesDiffer`.
    public init(
        labels: Volume<UInt32>, affinities: ZYX<Volume<Int16>?>, box: Box? = nil, threads: Int = 1
    ) throws {
        for (axis, volume) in zip(["z", "y", "x"], affinities.array) {
            guard let volume, volume.shape != labels.shape else { continue }
            throw LabelingFault.shapesDiffer("labels", labels.shape, "affinities along \(axis)", volume.shape)
        }
        let box = box ?? Box(labels.shape)
        let sections = evenRanges(of: box.origin.z..<box.end.z, parts: threads)
        let tables = sections.map { _ in FaceTable() }
        inParallel(sections.count) { part in
            var own = box
            (own.origin.z, own.shape.z) = (sections[part].lowerBound, sections[part].count)
            for (axis, volume) in affinities.array.enumerated() {
                guard let volume else { continue }
                tables[part].add(labels, volume, axis: axis, of: own)
            }
        }
        for table in tables.dropFirst() { tables[0].add(table.faces) }
        faces = tables[0].faces
    }

    /// The graph of a volume, gathered from those of its boxes in any order.
    public struct Sum {
        private let table = FaceTable()

        public init() {}

        public func add(_ box: RegionGraph) { table.add(box.faces) }

        public var graph: RegionGraph { RegionGraph(faces: table.faces) }
    }
}

extension RegionGraph {
    /// A face a row: the two labels, pairs of voxels, and the sum of their affinities in 1/65,535.
    public func csv() -> String {
        faces.reduce(into: "first,second,pairs,affinity_sum\n") { text, face in
            text += "\(face.first),\(face.second),\(face.pairs),\(face.sum)\n"
        }
    }

    /// Reads what `csv()` wrote; nil for anything else.
    public init?(csv text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first == "first,second,pairs,affinity_sum", lines.popLast() == "" else { return nil }
        faces = []
        for line in lines.dropFirst() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).compactMap { UInt64($0) }
            guard fields.count == 4, let first = UInt32(exactly: fields[0]), let second = UInt32(exactly: fields[1])
            else { return nil }
            faces.append(Face(first: first, second: second, pairs: fields[2], sum: fields[3]))
        }
    }
}

/// Faces by their pair of labels: a hash table with open addressing. Sums are whole numbers, so that the order in
/// which pairs are added changes nothing.
private final class FaceTable {
    private var slots = [RegionGraph.Face](repeating: FaceTable.empty, count: 1024)
    private var count = 0

    private static let empty = RegionGraph.Face(first: 0, second: 0, pairs: 0, sum: 0)
    private static let affinities: [UInt64] = storedProbabilities.map { UInt64(($0 * 65_535).rounded()) }

    var faces: [RegionGraph.Face] {
        slots.filter { $0.pairs > 0 }.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    }

    func add(_ faces: [RegionGraph.Face]) {
        for face in faces { add(face) }
    }

    /// Adds the pairs along one axis whose later voxel lies in `box`.
    func add(_ labels: Volume<UInt32>, _ logits: Volume<Int16>, axis: Int, of box: Box) {
        let shape = labels.shape
        let step = [shape.y * shape.x, shape.x, 1][axis]
        var first = box.origin
        // The volume's first voxels have none before them.
        if axis == 0 { first.z = max(1, first.z) }
        if axis == 1 { first.y = max(1, first.y) }
        if axis == 2 { first.x = max(1, first.x) }
        guard first.z < box.end.z, first.y < box.end.y, first.x < box.end.x else { return }
        labels.voxels.withUnsafeBufferPointer { labels in
            logits.voxels.withUnsafeBufferPointer { logits in
                FaceTable.affinities.withUnsafeBufferPointer { affinities in
                    for z in first.z..<box.end.z {
                        for y in first.y..<box.end.y {
                            let row = (z * shape.y + y) * shape.x
                            for voxel in row + first.x..<row + box.end.x {
                                let (label, before) = (labels[voxel], labels[voxel - step])
                                if label == before || label == 0 || before == 0 { continue }
                                let affinity = affinities[Int(UInt16(bitPattern: logits[voxel]))]
                                add(
                                    RegionGraph.Face(
                                        first: min(label, before), second: max(label, before), pairs: 1,
                                        sum: affinity))
                            }
                        }
                    }
                }
            }
        }
    }

    @inline(__always)
    private func add(_ face: RegionGraph.Face) {
        var slot = place(of: face)
        if slots[slot].pairs == 0 {
            if 2 * count >= slots.count {
                grow()
                slot = place(of: face)
            }
            count += 1
            slots[slot] = face
        } else {
            slots[slot].pairs += face.pairs
            slots[slot].sum += face.sum
        }
    }

    /// The slot of the face's pair of labels, or the empty one where it belongs.
    private func place(of face: RegionGraph.Face) -> Int {
        let mask = slots.count - 1
        // Fibonacci hashing.
        let key = UInt64(face.first) << 32 | UInt64(face.second)
        var slot = Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 20) & mask
        while slots[slot].pairs != 0, slots[slot].first != face.first || slots[slot].second != face.second {
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func grow() {
        let old = slots
        slots = [RegionGraph.Face](repeating: FaceTable.empty, count: 2 * old.count)
        for face in old where face.pairs > 0 { slots[place(of: face)] = face }
    }
}
