import Volumes

/// How work over the blocks of stores is done: how much at once, and when it stops.
struct BlockWork {
    let threads: Int
    let memory: MemoryBudget
    let shouldStop: () -> Bool

    /// How many pieces of work that take so many bytes each may be done at once.
    func atOnce(_ bytes: Int) -> Int { memory.pieces(of: bytes, threads: threads) }

    /// How many shards of a store may be worked on at once.
    func shardsAtOnce(_ store: BlockStore.Layout) -> Int { atOnce(store.shard.count * StageMemory.bytesPerVoxel) }
}
