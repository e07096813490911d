import Volumes

extension BlockStore {
    /// Writes every shard of labels, as many at a time as there are threads.
    ///
    /// - Parameters:
    ///   - progress: is told the share of shards that are done.
    ///   - labels: those of a shard, whose place among the shards is given.
    /// - Throws: `Interruption` where it should stop.
    func fill(
        threads: Int, shouldStop: () -> Bool = { false }, progress: (Double) -> Void = { _ in },
        with labels: @Sendable (Int, Box) throws -> Volume<UInt32>
    ) throws {
        let shards = shards
        try parallelForEach(shards.count, threads: threads) {
            try writeShard(shards[$0], VoxelBuffer(labels($0, shards[$0])))
        } use: { index, _ in
            if shouldStop() { throw Interruption() }
            progress(Double(index + 1) / Double(shards.count))
        }
    }

    /// Calls `body` with whole sections from the first on, as many as a row of chunks has where that is not too much, and
    /// the number of the first of them.
    ///
    /// - Throws: `Interruption` where it should stop.
    func forEachSlab(
        threads: Int, shouldStop: () -> Bool = { false }, _ body: (VoxelBuffer, Int) throws -> Void
    ) throws {
        let slabs = Box(layout.shape).slabs(
            thickness: layout.chunk.z, size: layout.elementType.size, atMost: Ingest.pieceBytes)
        for slab in slabs {
            if shouldStop() { throw Interruption() }
            try body(try read(slab, threads: threads), slab.origin.z)
        }
    }

    func forEachSlab(_ context: StepContext, _ body: (VoxelBuffer, Int) throws -> Void) throws {
        try forEachSlab(threads: context.threads, shouldStop: context.shouldStop, body)
    }
}

extension BlockStore.Layout {
    /// Of one channel of another type, cut alike.
    func of(_ type: ElementType) -> BlockStore.Layout {
        BlockStore.Layout(shape: shape, elementType: type, shard: shard, chunk: chunk, voxelSize: voxelSize)
    }
}
