import Labeling
import Volumes

/// The objects of a truth that is never in memory as a whole.
///
/// Where its labels are not objects, but classes, one mask, or what single sections hold pieces of, objects are the connected
/// pieces of each label (`Volume.pieces`).
struct TruthObjects {
    /// Labels of a whole number type.
    let store: BlockStore
    /// Whether the store was written for this, beside that of the labels.
    let isMade: Bool

    /// - Parameters:
    ///   - labels: the truth.
    ///   - head: what objects are made of.
    ///   - path: where pieces are written as a store.
    init(
        _ labels: BlockStore, of head: [OutputChannel], _ connectivity: Connectivity, writtenTo path: String,
        _ context: StepContext
    ) throws {
        if try labels.areObjects(of: head, connectivity, context) {
            (store, isMade) = (labels, false)
            return
        }
        let numbers = try LabelNumbers(ofWideLabelsIn: labels, context)
        let components = try BlockComponents(
            shape: labels.layout.shape, block: labels.layout.shard,
            connectivity: connectivity.isWithinSections ? .sides : .faces,
            threads: context.shardsAtOnce(labels.layout),
            progress: { _ in if context.shouldStop() { throw Interruption() } },
            read: { box in
                let found = try labels.read(box)
                return .labels(
                    try numbers?.numbered(found.converted(to: UInt64.self)) ?? found.converted(to: UInt32.self))
            })
        store = try MadeObjects(components, classes: nil, like: labels).write(to: path, context)
        isMade = true
    }

    /// The labels, for a volume of that name.
    func values(of name: String) -> LabelValues { LabelValues(file: "truth of \(name)", store: store) }

    /// The labels in a box, the pieces of each object that the box cuts numbered one by one.
    func pieces(in box: Box, _ connectivity: Connectivity, threads: Int) throws -> Volume<UInt32> {
        let labels = try compactLabels(store.read(box, threads: threads))
        return box == Box(store.layout.shape) ? labels : try labels.pieces(connectivity, threads: threads)
    }
}

extension BlockStore {
    /// As `Volume.areObjects` has it.
    fileprivate func areObjects(
        of head: [OutputChannel], _ connectivity: Connectivity, _ context: StepContext
    ) throws -> Bool {
        guard Volume<UInt32>.mayBeObjects(of: head, connectivity) else { return false }
        var seen: UInt64 = 0
        for shard in shards {
            if context.shouldStop() { throw Interruption() }
            for label in try read(shard, threads: context.threads).converted(to: UInt64.self).voxels
            where label != 0 {
                if seen != 0, label != seen { return true }
                seen = label
            }
        }
        return false
    }
}

extension LabelNumbers {
    /// Those of labels that 32 bits may not hold; nil where they do.
    fileprivate init?(ofWideLabelsIn labels: BlockStore, _ context: StepContext) throws {
        guard labels.layout.elementType.size > 4 else { return nil }
        self.init()
        for shard in labels.shards {
            if context.shouldStop() { throw Interruption() }
            _ = try number(labels.read(shard, threads: context.threads).converted(to: UInt64.self))
        }
    }
}
