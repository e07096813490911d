import Synchronization

/// Reads a store for boxes that overlap: a chunk that was decoded is kept while there is room, the one that was asked for
/// longest ago going first.
///
/// Tiles of a volume in z, y, x order decode each chunk once where a layer of tiles fits, with what they share with the next.
public final class KeptChunks: Sendable {
    private struct State {
        var chunks: [ZYX<Int>: (voxels: VoxelBuffer, turn: Int)] = [:]
        var bytes = 0
        var turn = 0
        var decoded = 0
    }

    private let store: BlockStore
    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameter capacity: bytes to keep; a box's own chunks are held beside while it is read.
    public init(_ store: BlockStore, capacity: Int) {
        (self.store, self.capacity) = (store, capacity)
    }

    /// How many chunks were read and decoded so far.
    public var decoded: Int { state.withLock { $0.decoded } }

    /// The voxels of `box`; see `BlockStore.read`. Calls from several threads may decode a chunk twice.
    public func read(_ box: Box, threads: Int = 1) throws -> VoxelBuffer {
        let whole = Box(store.layout.shape)
        let chunks = store.cells(of: store.layout.chunk, touching: box).map { $0.intersection(whole) }
        let parts = try parallelMap(chunks.count, threads: threads) { try voxels(of: chunks[$0]) }
        let size = store.layout.elementType.size
        let bytes = [UInt8](unsafeUninitializedCapacity: box.count * size) { target, count in
            for (chunk, part) in zip(chunks, parts) {
                part.bytes.withUnsafeBytes { source in
                    copyVoxels(
                        of: chunk.intersection(box), from: source.baseAddress!, in: chunk,
                        to: UnsafeMutableRawPointer(target.baseAddress!), in: box, size: size)
                }
            }
            count = box.count * size
        }
        return VoxelBuffer(elementType: store.layout.elementType, shape: box.shape, bytes: bytes)
    }

    private func voxels(of chunk: Box) throws -> VoxelBuffer {
        let known = state.withLock { state -> VoxelBuffer? in
            state.turn += 1
            state.chunks[chunk.origin]?.turn = state.turn
            return state.chunks[chunk.origin]?.voxels
        }
        if let known { return known }
        let voxels = try store.read(chunk)
        state.withLock { state in
            state.decoded += 1
            guard state.chunks[chunk.origin] == nil else { return }
            state.chunks[chunk.origin] = (voxels, state.turn)
            state.bytes += voxels.bytes.count
            while state.bytes > capacity, let oldest = state.chunks.min(by: { $0.value.turn < $1.value.turn }) {
                state.chunks[oldest.key] = nil
                state.bytes -= oldest.value.voxels.bytes.count
            }
        }
        return voxels
    }
}
