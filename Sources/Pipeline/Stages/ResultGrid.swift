import Labeling
import Volumes

/// The grid that a volume's results lie on: that of its file, whatever resolution its objects were made at. From another
/// resolution they return voxel by voxel: each has the label or the votes of the voxel that its middle lies in.
struct ResultGrid {
    /// Of labels.
    let layout: BlockStore.Layout
    /// nil where the networks saw the file's own voxels.
    let way: Resampling?

    /// - Parameter made: a store of what the objects were made of.
    init(of made: BlockStore.Layout) {
        (layout, way) = (made.of(.uint32), nil)
    }

    /// - Parameter image: the file's volume, before it was resampled.
    init(of image: IngestedVolume, _ resampling: Resampling) {
        let cut = StoreShape(for: image.shape)
        layout = BlockStore.Layout(
            shape: image.shape, elementType: .uint32, shard: cut.shard, chunk: cut.chunk, voxelSize: image.voxelSize
        )
        way = resampling.inverse
    }

    /// The labels of the whole grid.
    func labels(_ made: Volume<UInt32>) -> Volume<UInt32> { labels(made, in: Box(layout.shape)) }

    /// The labels of a box of the grid.
    func labels(_ made: Volume<UInt32>, in box: Box) -> Volume<UInt32> {
        way.map { $0.labels(made, in: box) } ?? made.cropped(to: box)
    }

    /// Writes labels as a store, block by block.
    func write(_ made: Volume<UInt32>, to path: String) throws {
        let store = try BlockStore.create(at: path, layout)
        for shard in store.shards { try store.writeShard(shard, VoxelBuffer(labels(made, in: shard))) }
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

    /// Objects that have a voxel on the grid, numbered anew where some have none: a coarser grid may miss small ones.
    func visible(_ objects: ClassifiedComponents) -> ClassifiedComponents {
        guard let way, way.step.array.contains(where: { $0 > 1 }) else { return objects }
        var isThere = [Bool](repeating: false, count: objects.components.count + 1)
        for box in Box(layout.shape).cells(of: layout.shard) {
            for label in way.labels(objects.labels, in: box).voxels { isThere[Int(label)] = true }
        }
        return objects.keeping { isThere[Int($0)] }
    }
}

extension BlockStore.Layout {
    /// Of one channel of another type, cut alike.
    fileprivate func of(_ type: ElementType) -> BlockStore.Layout {
        BlockStore.Layout(shape: shape, elementType: type, shard: shard, chunk: chunk, voxelSize: voxelSize)
    }
}
