import Labeling
import Volumes

/// A file's labels.
struct LabelValues: Sendable {
    let file: String
    let store: BlockStore

    /// - Throws: `FileFault` for a value below 0.
    func labels(in box: Box, threads: Int = 1) throws -> Volume<UInt64> {
        try labels(in: box, as: UInt64.self, threads: threads)
    }

    /// - Throws: `FileFault` for a value that the type cannot hold.
    func labels<Label: VoxelElement>(in box: Box, as type: Label.Type, threads: Int = 1) throws -> Volume<Label> {
        do {
            return try store.read(box, threads: threads).converted(to: type)
        } catch let value as UnrepresentableValue {
            let place = value.place.map { " at \((box.origin + $0).place)" } ?? ""
            throw FileFault(
                file, "holds \(value.value)\(place); expected labels that \(type.elementType.rawValue) holds")
        }
    }

    /// How often each pair of a label and a truth label falls on a voxel.
    ///
    /// - Throws: as `labels`; whatever `progress` throws.
    func contingency(
        truth: LabelValues, within box: Box? = nil, threads: Int, progress: (Double) throws -> Void = { _ in }
    ) throws -> Contingency {
        let shards = store.shards.map { $0.intersection(box ?? $0) }.filter { !$0.isEmpty }
        var sum = Contingency()
        try parallelForEach(shards.count, threads: threads) { index in
            try Contingency(labels: labels(in: shards[index]), truth: truth.labels(in: shards[index]))
        } use: { index, block in
            sum.add(block)
            try progress(Double(index + 1) / Double(shards.count))
        }
        return sum
    }
}
