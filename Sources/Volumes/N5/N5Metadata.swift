extension VolumeFormat {
    /// Read as a Zarr container whose axes run the other way.
    static let n5 = VolumeFormat(
        name: "N5", containerEndings: ["n5"],
        recognizes: { candidate in try candidate.isFolder && ZarrFolder(candidate.path).isN5 },
        open: { path, dataset, selection in try OMEZarrReader(path: path, dataset: dataset, selection) })
}

/// `attributes.json` of an N5 array: axes from x on, values in big-endian order, chunks with a header each.
///
/// Source: the N5 specification (saalfeldlab/n5), "File-system specification"; attributes as Paintera and n5-viewer
/// write them.
struct N5Metadata {
    private let json: [String: JSONValue]
    private let file: ZarrMetadataFile

    static let name = "attributes.json"

    static func isContainer(_ folder: ZarrFolder) -> Bool {
        guard !ZarrFolder.hasMetadata(folder.path) else { return false }
        if folder.name.lowercased().hasSuffix(".n5") { return true }
        let attributes = try? folder.metadata(name)
        return attributes?["n5"] != nil || attributes?["dimensions"] != nil
    }

    /// The array at `path`; nil where none is there.
    ///
    /// - Throws: `FileFault` for what is damaged or not read.
    static func array(_ path: String, in folder: ZarrFolder) throws -> ZarrArray? {
        let prefix = path.isEmpty ? "" : path + "/"
        guard let json = try folder.metadata(prefix + name)?.object, json["dimensions"] != nil else { return nil }
        let file = ZarrMetadataFile(path: folder.path + "/" + prefix + name)
        // What levels have in common is said by their group.
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        let around = path.isEmpty ? nil : try folder.metadata((parent.isEmpty ? "" : parent + "/") + name)?.object
        return try N5Metadata(json: json, file: file).array(path, in: folder, around ?? [:])
    }

    private func array(
        _ path: String, in folder: ZarrFolder, _ around: [String: JSONValue]
    ) throws -> ZarrArray {
        let name = json["dataType"]?.string ?? "?"
        guard let type = ElementType(rawValue: name).flatMap({ ZarrDataType(v3: $0.rawValue) }) else {
            throw file.fault("has the dataType \(ZarrFolder.printable(name)); expected numbers of 8 to 64 bits")
        }
        let shape = try file.lengths(json["dimensions"], "dimensions")
        let chunk = try file.chunk(json["blockSize"], "blockSize", axes: shape.count)
        try file.checkSize(of: chunk, type)
        let codecs = ZarrCodecs(
            order: nil, serializer: .values(isBigEndian: true), compressors: try compressors())
        return ZarrArray(
            folder: folder, path: path, format: "N5", shape: shape.reversed(), chunk: chunk.reversed(), type: type,
            fillValue: [UInt8](repeating: 0, count: type.elementType.size), codecs: codecs,
            keys: .init(prefix: "", separator: "/", isReversed: true), hasChunkHeaders: true,
            axisNames: json["axes"]?.array.map { $0.map(\.string).reversed() },
            placement: ArrayPlacement(n5: json, level: around))
    }

    private func compressors() throws -> [ZarrCompressor] {
        let compression = json["compression"] ?? json["compressionType"] ?? "?"
        switch compression["type"]?.string ?? compression.string ?? "?" {
        case "raw": return []
        case "gzip": return [compression["useZlib"] == true ? .zlib : .gzip]
        case "lz4": return [.lz4Blocks]
        case let other: return [try file.compressor(other, compression)]
        }
    }
}

/// What a chunk of N5 says of itself before its values.
struct N5ChunkHeader {
    /// Bytes of the header.
    let size: Int
    /// At an array's end it may be smaller than its other chunks; the slowest axis first.
    let shape: [Int]

    /// - Throws: `CodecFault` where it is no header of a chunk of an array whose chunks have the shape `full`.
    init(_ file: ReadableFile, full: [Int]) throws {
        let bytes = try file.read(4 + 4 * full.count, at: 0)
        let header = FixedHeader(bytes: bytes, isBigEndian: true)
        guard bytes.count == 4 + 4 * full.count, header.integer(UInt16.self, at: 2) == full.count else {
            throw CodecFault("does not begin with a header of its \(full.count) lengths")
        }
        let mode = header.integer(UInt16.self, at: 0)
        guard mode == 0 else { throw CodecFault("has the mode \(mode); expected 0, one number a voxel") }
        size = bytes.count
        shape = full.indices.reversed().map { Int(header.integer(UInt32.self, at: 4 + 4 * $0)) }
        guard zip(shape, full).allSatisfy({ 1...$1 ~= $0 }) else {
            throw CodecFault("has the shape \(shape); expected at most \(full)")
        }
    }
}
