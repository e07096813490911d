import Foundation
import Labeling
import Volumes

/// The grid that a volume's results lie on: that of its file, whatever resolution its objects were made at. From another
/// resolution they return voxel by voxel: each has the label or the votes of the voxel that its middle lies in.
struct ResultGrid {
    /// Of labels.
    let layout: BlockStore.Layout
    /// nil where the networks saw the file's own voxels.
    let way: Resampling?
    /// The part of the grid that was segmented, where that is not all: voxels of another size reach beyond it.
    private let segmented: Box?

    /// - Parameter made: a store of what the objects were made of.
    init(of made: BlockStore.Layout) {
        (layout, way, segmented) = (made.of(.uint32), nil, nil)
    }

    /// - Parameter image: the file's volume, before it was resampled.
    init(of image: IngestedVolume, _ resampling: Resampling, within segmented: Box) {
        let cut = StoreShape(for: image.shape)
        layout = BlockStore.Layout(
            shape: image.shape, elementType: .uint32, shard: cut.shard, chunk: cut.chunk, voxelSize: image.voxelSize
        )
        way = resampling.inverse
        self.segmented = segmented == Box(image.shape) ? nil : segmented
    }

    /// The box that the labels of a box of the grid are made of.
    func sources(of box: Box) -> Box { way?.sources(of: box, .labels) ?? box }

    /// The labels of a box of the grid, of those of its sources.
    func labels(_ made: Volume<UInt32>, in box: Box) -> Volume<UInt32> {
        way.map { $0.labels(made, of: $0.sources(of: box, .labels), in: box) } ?? made
    }

    /// Writes objects as a store, block by block. Those that have no voxel on the grid, for a coarser one may miss small
    /// objects, are left out and the others numbered anew.
    func write(
        _ made: MadeObjects, to path: String, _ context: StepContext, progress: (Double) -> Void = { _ in }
    ) throws -> StoredObjects {
        guard let way else {
            return StoredObjects(
                store: try made.write(to: path, context, progress), count: made.count, classes: made.classes)
        }
        let own = try made.write(to: path + ".made", context) { progress($0 / 2) }
        let labels = { @Sendable (_: Int, box: Box) in
            let labels = try way.voxels(of: box, .labels, .uint32, threads: 1) { try own.read($0) }.volume(
                of: UInt32.self)
            guard let segmented = self.segmented, !segmented.contains(box) else { return labels }
            let part = box.intersection(segmented)
            if part.isEmpty { return Volume(shape: box.shape) }
            return labels.cropped(to: part.relative(to: box.origin)).placed(part, in: box)
        }
        let numbers = try visible(of: made.count, context, labels)
        let store = try BlockStore.create(at: path, layout)
        try store.fill(
            threads: context.shardsAtOnce(layout), shouldStop: context.shouldStop,
            progress: { progress((1 + $0) / 2) },
            with: { place, box in
                let found = try labels(place, box)
                return numbers.map { numbers in found.map { numbers[Int($0)] } } ?? found
            })
        try FileManager.default.removeItem(atPath: own.path)
        guard let numbers else { return StoredObjects(store: store, count: made.count, classes: made.classes) }
        let kept = (0..<made.count).filter { numbers[$0 + 1] != 0 }
        return StoredObjects(
            store: store, count: kept.count, classes: made.classes.map { classes in kept.map { classes[$0] } })
    }

    /// The new number of each label from 0 on, 0 for what has no voxel on the grid; nil where all have one.
    private func visible(
        of count: Int, _ context: StepContext, _ labels: @Sendable (Int, Box) throws -> Volume<UInt32>
    ) throws -> [UInt32]? {
        guard let way, segmented != nil || way.step.array.contains(where: { $0 > 1 }) else { return nil }
        var isThere = [Bool](repeating: false, count: count + 1)
        let boxes = Box(layout.shape).cells(of: layout.shard)
        try parallelForEach(boxes.count, threads: context.shardsAtOnce(layout)) {
            Set(try labels($0, boxes[$0]).voxels)
        } use: { _, seen in
            if context.shouldStop() { throw Interruption() }
            for label in seen { isThere[Int(label)] = true }
        }
        isThere[0] = false
        var seen: UInt32 = 0
        return isThere.map { isThere in
            seen += isThere ? 1 : 0
            return isThere ? seen : 0
        }
    }

    /// Votes on the grid: those that there are, or others written as a store, block by block.
    func votes(_ votes: BlockStore, writtenTo path: String, threads: Int) throws -> BlockStore {
        guard let way else { return votes }
        let store = try BlockStore.create(at: path, layout.of(.uint8))
        for shard in store.shards {
            try store.writeShard(
                shard,
                way.voxels(of: shard, .labels, .uint8, threads: threads) { try votes.read($0, threads: threads) })
        }
        return store
    }
}

/// Objects at the resolution that they are made at.
struct MadeObjects {
    let layout: BlockStore.Layout
    let count: Int
    /// Of label k at k - 1; nil where there are none.
    let classes: [UInt32]?
    /// Those of a shard, whose place among the shards is given.
    let labels: @Sendable (Int, Box) throws -> Volume<UInt32>

    /// - Parameter made: a store of what they were made of, cut into the same blocks.
    init(_ objects: BlockComponents, classes: [UInt32]?, like made: BlockStore) {
        layout = made.layout.of(.uint32)
        (count, self.classes) = (objects.count, classes)
        labels = { place, _ in try objects.labels(ofBlock: place) }
    }

    /// - Parameter numbers: of the regions of a store, from 0 on.
    init(_ regions: BlockStore, numbers: [UInt32], count: Int) {
        layout = regions.layout
        (self.count, classes) = (count, nil)
        labels = { try regions.read($1).volume(of: UInt32.self).map { numbers[Int($0)] } }
    }

    /// Writes them as a store, on their own grid.
    func write(
        to path: String, _ context: StepContext, _ progress: (Double) -> Void = { _ in }
    ) throws -> BlockStore {
        let store = try BlockStore.create(at: path, layout)
        try store.fill(
            threads: context.shardsAtOnce(layout), shouldStop: context.shouldStop, progress: progress, with: labels)
        return store
    }
}

/// Objects on the grid of the results.
struct StoredObjects {
    let store: BlockStore
    let count: Int
    let classes: [UInt32]?
}
