/// One array of a container: what its metadata say, checked.
struct ZarrArray: Sendable {
    let folder: ZarrFolder
    /// The array's path within the container; empty where the container is the array.
    let path: String
    /// As people call it: `Zarr v2`, `Zarr v3`, `N5`.
    let format: String
    /// The length of every axis, the slowest first.
    let shape: [Int]
    /// The shape of a chunk, or of a shard.
    let chunk: [Int]
    let type: ZarrDataType
    /// A value of the voxels of missing chunks, in `type.elementType`.
    let fillValue: [UInt8]
    let codecs: ZarrCodecs
    let keys: ChunkKeys
    /// Whether each chunk's file begins with its shape, as N5's do.
    var hasChunkHeaders = false
    /// What the array says of its axes' names; nil for one that has none.
    let axisNames: [String?]?
    /// What its own attributes say.
    let placement: ArrayPlacement

    /// How a chunk's file is named after its place in the grid.
    struct ChunkKeys: Sendable {
        /// `c` of Zarr v3's default encoding, with its separator; empty otherwise.
        let prefix: String
        let separator: String
        /// Whether the fastest axis comes first.
        var isReversed = false

        func file(_ cell: [Int]) -> String {
            let names = cell.map(String.init)
            return prefix + (isReversed ? names.reversed() : names).joined(separator: separator)
        }
    }

    /// Bounds that no sound array comes near.
    static let mostAxes = 16
    static let largestLength = 1 << 40
    /// The chunk of a volume that is stored whole must fit into memory anyhow; a larger one is refused.
    static let largestChunk = 1 << 30
    static let mostChunksInShard = 1 << 24

    /// The array at `path`; nil where none is there.
    ///
    /// - Throws: `FileFault` naming the metadata file and what is wrong in it.
    static func open(_ path: String, in folder: ZarrFolder) throws -> ZarrArray? {
        if folder.isN5 { return try N5Metadata.array(path, in: folder) }
        let prefix = path.isEmpty ? "" : path + "/"
        if let json = try folder.metadata(prefix + "zarr.json") {
            return json["node_type"] == "array" ? try ZarrV3Metadata(json: json).array(path, in: folder) : nil
        }
        guard let json = try folder.metadata(prefix + ".zarray") else { return nil }
        return try ZarrV2Metadata(json: json).array(path, in: folder)
    }

    /// Where the array is, for messages: `file.zarr:labels/cells/s0`.
    var source: String { path.isEmpty ? folder.path : "\(folder.path):\(path)" }

    /// The number of values of `shape`; nil where it is no array's.
    static func count(_ shape: [Int], atMost limit: Int) -> Int? {
        var count = 1
        for length in shape {
            guard length > 0, length <= largestLength else { return nil }
            let (product, overflows) = count.multipliedReportingOverflow(by: length)
            guard !overflows, product <= limit else { return nil }
            count = product
        }
        return count
    }
}

/// A file of metadata, for faults that name it.
struct ZarrMetadataFile {
    let path: String

    func fault(_ found: String) -> FileFault { FileFault(path, found) }

    /// The lengths of axes from JSON.
    func lengths(_ value: JSONValue?, _ name: String) throws -> [Int] {
        guard let values = value?.array, values.count <= ZarrArray.mostAxes else {
            throw fault("has no \(name) of at most \(ZarrArray.mostAxes) whole numbers")
        }
        return try values.map {
            guard let length = $0.integer, length > 0, length <= ZarrArray.largestLength else {
                throw fault("has a \(name) that is not of whole numbers from 1 to 2⁴⁰")
            }
            return length
        }
    }

    /// The shape of a chunk of an array with so many axes.
    func chunk(_ value: JSONValue?, _ name: String, axes: Int) throws -> [Int] {
        let chunk = try lengths(value, name)
        guard chunk.count == axes else {
            throw fault("has a \(name) of \(chunk.count) axes; expected \(axes), as of its shape")
        }
        return chunk
    }

    /// Refuses a chunk that is decoded as one where it is too large.
    func checkSize(of chunk: [Int], _ type: ZarrDataType) throws {
        let size = max(type.storedSize, type.elementType.size)
        guard ZarrArray.count(chunk, atMost: ZarrArray.largestChunk / size) != nil else {
            let shape = chunk.map(String.init).joined(separator: " × ")
            throw fault("has chunks of \(shape) values of \(size) bytes; expected at most 1 GiB")
        }
    }

    func fillValue(_ value: JSONValue?, _ type: ZarrDataType) throws -> [UInt8] {
        guard let bytes = ZarrFillValue(value).flatMap({ $0.bytes(of: type) }) else {
            throw fault("has a fill_value that \(type.elementType.rawValue) cannot hold")
        }
        return bytes
    }

    /// The compressor that JSON names by `id` (Zarr v2) or `name` (v3).
    func compressor(_ name: String, _ configuration: JSONValue?) throws -> ZarrCompressor {
        switch name {
        case "zstd": return .zstd
        case "gzip": return .gzip
        case "zlib": return .zlib
        case "lz4": return .lz4
        case "crc32c": return .crc32c
        case "blosc": return .blosc(ZarrFolder.printable(configuration?["cname"]?.string ?? "?"))
        default:
            throw fault(
                "has the codec \(ZarrFolder.printable(name)); expected blosc, zstd, gzip, zlib, lz4 or none")
        }
    }
}
