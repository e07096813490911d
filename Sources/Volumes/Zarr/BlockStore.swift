/// A stage's output: one OME-Zarr 0.5 image whose array is written and read shard by shard.
///
/// ## Guarantees
///
/// - A shard is complete or absent: it is written beside its place and renamed.
/// - Every byte that is read is checked: each inner chunk and each shard's index carry a CRC-32C, and as
///   every shard is always written, a missing one is damage (`DamagedStore`), never zeros.
/// - Damage to the metadata may leave them readable: keep the digests of `metadataFiles`.
/// - Different shards may be written, and any boxes read, from several threads and processes at once.
///
/// Layout on disk: `zarr.json` (the group: OME's axes and voxel size), `0/zarr.json` (the array and the
/// caller's attributes), `0/c/[channel/]z/y/x` (the shards).
public final class BlockStore: Sendable {
    /// What a store holds and how it is cut.
    public struct Layout: Sendable, Equatable {
        public var shape: ZYX<Int>
        /// The number of channels of an array [channel, z, y, x]; nil for an array [z, y, x].
        public var channels: Int?
        public var elementType: ElementType
        /// The shape of a shard, a multiple of `chunk`: the unit of work and of atomic writing.
        public var shard: ZYX<Int>
        /// The shape of an inner chunk: the unit of reading.
        public var chunk: ZYX<Int>
        /// Nil where it is not known: OME's scale is then 1 without a unit.
        public var voxelSize: VoxelSize?
        /// What the values mean, for whoever reads them: a logit's scale, statistics, provenance.
        public var attributes: [String: JSONValue]

        public init(
            shape: ZYX<Int>, channels: Int? = nil, elementType: ElementType, shard: ZYX<Int>, chunk: ZYX<Int>,
            voxelSize: VoxelSize? = nil, attributes: [String: JSONValue] = [:]
        ) {
            self.shape = shape
            self.channels = channels
            self.elementType = elementType
            self.shard = shard
            self.chunk = chunk
            self.voxelSize = voxelSize
            self.attributes = attributes
        }
    }

    public let path: String
    public let layout: Layout

    private init(path: String, layout: Layout) {
        self.path = path
        self.layout = layout
    }

    /// Makes a store, or opens one of the same layout that is there already, with the shards it has.
    ///
    /// - Precondition: the layout's sizes are positive and a shard is a multiple of a chunk.
    /// - Throws: `FileFault` where it cannot be written, `DamagedStore` where other metadata are there.
    public static func create(at path: String, _ layout: Layout) throws -> BlockStore {
        precondition(layout.problem == nil, layout.problem ?? "")
        let store = BlockStore(path: path, layout: layout)
        // The group comes last: where it is there, the store is complete but for its shards.
        let contents = [try ZarrMetadata.array(of: layout), try ZarrMetadata.group(of: layout)]
        for (file, content) in zip(store.metadataFiles.reversed(), contents) {
            do {
                let file = try ReadableFile(file)
                guard try file.read(file.size, at: 0) == content else {
                    throw DamagedStore(path: file.path, problem: "is damaged or of another layout")
                }
            } catch is MissingFile {
                try AtomicFile.write([content], to: file)
            }
        }
        return store
    }

    /// Opens a store that is there; a store of another program serves if it has these codecs.
    ///
    /// - Throws: `DamagedStore` where metadata are missing, damaged or of another kind.
    public static func open(at path: String) throws -> BlockStore {
        BlockStore(path: path, layout: try ZarrMetadata.layout(ofStoreAt: path))
    }

    /// The boxes of the units of work in z, y, x order, clipped to the shape.
    public var shards: [Box] { Box(layout.shape).cells(of: layout.shard) }

    /// The files that describe the store.
    public var metadataFiles: [String] { ["\(path)/zarr.json", "\(path)/0/zarr.json"] }

    /// The file of a shard, one of `shards`.
    public func shardFile(_ box: Box, channel: Int = 0) -> String {
        let cell = box.origin.zip(layout.shard, /)
        let keys = (layout.channels == nil ? [] : [channel]) + cell.array
        return "\(path)/0/c/" + keys.map(String.init).joined(separator: "/")
    }
}

extension BlockStore.Layout {
    /// The number of inner chunks of a shard along each axis.
    var chunksPerShard: ZYX<Int> { shard.zip(chunk, /) }

    /// Why no store can have this layout; nil where one can.
    var problem: String? {
        let positive = shape.array + shard.array + chunk.array + [channels ?? 1]
        guard positive.allSatisfy({ $0 > 0 }) else { return "sizes must be positive" }
        guard shard.zip(chunk, %) == .zero else {
            return "the shard \(shard) is not a multiple of the chunk \(chunk)"
        }
        // Bounds that no store comes near keep damaged metadata from asking for absurd memory.
        guard positive.allSatisfy({ $0 <= 1 << 40 }), product(of: chunk, atMost: (1 << 31) / elementType.size),
            product(of: chunksPerShard, atMost: 1 << 24)
        else { return "sizes are absurdly large" }
        return nil
    }

    private func product(of sizes: ZYX<Int>, atMost limit: Int) -> Bool {
        sizes.z <= limit && sizes.y <= limit / sizes.z && sizes.x <= limit / sizes.z / sizes.y
    }
}
