/// `zarr.json`: a node's metadata in Zarr v3.
///
/// Source: Zarr core specification version 3, "Array metadata"; the specifications of its codecs.
struct ZarrV3Metadata {
    let json: JSONValue

    private static let known = [
        "zarr_format", "node_type", "shape", "data_type", "chunk_grid", "chunk_key_encoding", "codecs",
        "dimension_names", "storage_transformers", "fill_value", "attributes", "consolidated_metadata",
    ]

    /// Members that are neither known nor marked as dispensable.
    private var unknown: [String] {
        (json.object ?? [:]).filter { !Self.known.contains($0.key) && $0.value["must_understand"] != false }
            .keys.sorted()
    }

    /// - Throws: `FileFault` for what is damaged or not read.
    func array(_ path: String, in folder: ZarrFolder) throws -> ZarrArray {
        let prefix = path.isEmpty ? "" : path + "/"
        let file = ZarrMetadataFile(path: folder.path + "/" + prefix + "zarr.json")
        guard json["zarr_format"] == 3 else { throw file.fault("has another zarr_format than 3") }
        if let name = unknown.first {
            throw file.fault("has the extension \(ZarrFolder.printable(name)), which is not read")
        }
        guard json["storage_transformers"]?.array?.isEmpty ?? true else {
            throw file.fault("has storage_transformers, which are not read")
        }
        let type = try elementType(file)
        let shape = try file.lengths(json["shape"], "shape")
        let grid = json["chunk_grid"]
        guard Self.name(grid) == "regular" else { throw file.fault("has another chunk_grid than regular") }
        let chunk = try file.chunk(grid?["configuration"]?["chunk_shape"], "chunk_shape", axes: shape.count)
        let pipeline = ZarrV3Codecs(file: file, type: type)
        return ZarrArray(
            folder: folder, path: path, format: "Zarr v3", shape: shape, chunk: chunk, type: type,
            fillValue: try file.fillValue(json["fill_value"], type),
            codecs: try pipeline.parse(json["codecs"], of: chunk),
            keys: try chunkKeys(file), axisNames: json["dimension_names"]?.array?.map(\.string),
            placement: ArrayPlacement(json["attributes"]))
    }

    private func elementType(_ file: ZarrMetadataFile) throws -> ZarrDataType {
        let name = Self.name(json["data_type"]) ?? "?"
        guard let type = ZarrDataType(v3: name) else {
            throw file.fault(
                "has the data_type \(ZarrFolder.printable(name)); expected integers or floating-point numbers "
                    + "of up to 64 bits")
        }
        return type
    }

    private func chunkKeys(_ file: ZarrMetadataFile) throws -> ZarrArray.ChunkKeys {
        let keys = json["chunk_key_encoding"]
        let name = Self.name(keys)
        guard name == "default" || name == "v2" else {
            throw file.fault("has another chunk_key_encoding than default and v2")
        }
        let separator = keys?["configuration"]?["separator"] ?? (name == "default" ? "/" : ".")
        guard let separator = separator.string, separator == "/" || separator == "." else {
            throw file.fault("has another separator of chunk keys than / and .")
        }
        return .init(prefix: name == "default" ? "c" + separator : "", separator: separator)
    }

    /// An extension's name, which may stand alone where it has no configuration.
    static func name(_ value: JSONValue?) -> String? { value?.string ?? value?["name"]?.string }
}

/// Reads the `codecs` of an array, and those of shards within.
private struct ZarrV3Codecs {
    let file: ZarrMetadataFile
    let type: ZarrDataType

    /// Shards in shards in shards have no use.
    private static let deepest = 3

    func parse(_ value: JSONValue?, of chunk: [Int], depth: Int = 0) throws -> ZarrCodecs {
        guard let values = value?.array, values.count <= 16 else { throw file.fault("has no codecs, or too many") }
        var order: [Int]?
        var shape = chunk
        var serializer: ZarrCodecs.Serializer?
        var compressors: [ZarrCompressor] = []
        for value in values {
            let name = ZarrV3Metadata.name(value) ?? "?"
            let configuration = value["configuration"]
            switch name {
            case "transpose" where serializer == nil:
                let next = try permutation(configuration?["order"], axes: shape.count)
                order = order.map { order in next.map { order[$0] } } ?? next
                shape = next.map { shape[$0] }
            case "bytes" where serializer == nil:
                serializer = .values(isBigEndian: try isBigEndian(configuration, size: type.storedSize))
            case "sharding_indexed" where serializer == nil:
                serializer = .shards(try sharding(configuration, of: shape, depth: depth))
            default:
                guard serializer != nil else {
                    throw file.fault(
                        "has the codec \(ZarrFolder.printable(name)) before its values are bytes; expected transpose, "
                            + "bytes or sharding_indexed")
                }
                let plain = name.hasPrefix("numcodecs.") ? String(name.dropFirst("numcodecs.".count)) : name
                compressors.append(try file.compressor(plain, configuration))
            }
        }
        guard let serializer else { throw file.fault("has codecs without bytes or sharding_indexed") }
        if case .values = serializer { try file.checkSize(of: shape, type) }
        // Bytes after the shards must be undone in memory as one.
        if case .shards = serializer, !compressors.isEmpty { try file.checkSize(of: shape, type) }
        return ZarrCodecs(order: order, serializer: serializer, compressors: compressors)
    }

    private func permutation(_ value: JSONValue?, axes: Int) throws -> [Int] {
        let order = value?.array?.compactMap(\.integer) ?? []
        guard order.sorted() == Array(0..<axes) else {
            throw file.fault("has a transpose codec whose order is no permutation of its \(axes) axes")
        }
        return order
    }

    private func isBigEndian(_ configuration: JSONValue?, size: Int) throws -> Bool {
        switch configuration?["endian"] {
        case "little": return false
        case "big": return true
        case nil where size == 1: return false
        default: throw file.fault("has a bytes codec without its endian, little or big")
        }
    }

    private func sharding(_ configuration: JSONValue?, of shard: [Int], depth: Int) throws -> ZarrSharding {
        guard depth < Self.deepest else { throw file.fault("has shards in shards over \(Self.deepest) deep") }
        let chunk = try file.chunk(configuration?["chunk_shape"], "chunk_shape of shards", axes: shard.count)
        guard zip(shard, chunk).allSatisfy({ $0 % $1 == 0 }) else {
            throw file.fault("has shards that are no multiple of the chunks within")
        }
        guard ZarrArray.count(zip(shard, chunk).map { $0 / $1 }, atMost: ZarrArray.mostChunksInShard) != nil else {
            throw file.fault("has over \(grouped(ZarrArray.mostChunksInShard)) chunks in a shard")
        }
        let index = configuration?["index_codecs"]?.array ?? []
        let names = index.map(ZarrV3Metadata.name)
        guard names == ["bytes"] || names == ["bytes", "crc32c"] else {
            throw file.fault("has other index_codecs than bytes and crc32c")
        }
        let location = configuration?["index_location"] ?? "end"
        guard location == "start" || location == "end" else {
            throw file.fault("has another index_location than start and end")
        }
        return ZarrSharding(
            chunk: chunk, codecs: try parse(configuration?["codecs"], of: chunk, depth: depth + 1),
            indexIsBigEndian: try isBigEndian(index.first?["configuration"], size: 8),
            indexHasChecksum: names.count == 2, indexIsAtStart: location == "start")
    }
}
