/// One channel of a store, read like a file.
public final class BlockStoreReader: VolumeReader {
    public let store: BlockStore
    public let channel: Int
    private let threads: Int

    public init(_ store: BlockStore, channel: Int = 0, threads: Int = 1) {
        self.store = store
        self.channel = channel
        self.threads = threads
    }

    public var info: VolumeInfo {
        let layout = store.layout
        return VolumeInfo(
            source: store.path, format: "OME-Zarr", shape: layout.shape, elementType: layout.elementType,
            voxelSize: layout.voxelSize.map(StatedVoxelSize.init) ?? .none, chunk: layout.chunk,
            compression: "zstd")
    }

    /// - Throws: `DamagedStore`, `FileFault`; see `BlockStore.read`.
    public func read(_ box: Box) throws -> VoxelBuffer {
        try store.read(box, channel: channel, threads: threads)
    }
}
