/// The versions of OME-NGFF that are written.
public enum OMEZarrVersion: String, Codable, Sendable, CaseIterable {
    /// On Zarr v2: a file a chunk, compressed with blosc.
    case v0_4 = "0.4"
    /// On Zarr v3: large arrays in shards, compressed with Zstandard, each chunk with its checksum.
    case v0_5 = "0.5"
}

/// A container's metadata files.
///
/// Source: OME-NGFF 0.4 and 0.5; the Zarr specifications, versions 2 and 3.
enum OMEZarrMetadata {
    /// An image as its group describes it.
    struct Image {
        let name: String
        let pyramid: OMEZarrPyramid
        let voxelSize: VoxelSize?
        /// Where the middle of the first voxel is, in nanometres.
        let position: ZYX<Double>?
        let downsampling: Downsampling
        /// Nil for an image; for labels whether the image they belong to is in the container.
        let belongsToImage: Bool?
    }

    static func levelName(_ index: Int) -> String { "s\(index)" }

    static func write(_ array: OMEZarrArray) throws {
        switch array.version {
        case .v0_4: try write(array2(array.shape, array.elementType, array.cut.chunk), to: array.path + "/.zarray")
        case .v0_5: try write(array3(array.shape, array.elementType, array.cut), to: array.path + "/zarr.json")
        }
    }

    /// Writes a group with what NGFF says of it; `content` is its attributes of version 0.4.
    static func writeGroup(
        at path: String, _ content: [String: JSONValue], _ version: OMEZarrVersion
    ) throws {
        switch version {
        case .v0_4:
            try write(["zarr_format": 2], to: path + "/.zgroup")
            if !content.isEmpty { try write(.object(content), to: path + "/.zattrs") }
        case .v0_5:
            let ome = JSONValue.object(content.merging(["version": "0.5"]) { own, _ in own })
            try write(
                [
                    "zarr_format": 3, "node_type": "group",
                    "attributes": content.isEmpty ? [:] : ["ome": ome],
                ], to: path + "/zarr.json")
        }
    }

    static func attributes(of image: Image, _ version: OMEZarrVersion) -> [String: JSONValue] {
        var multiscale: [String: JSONValue] = [
            "name": .string(image.name),
            "axes": .array(
                ["z", "y", "x"].map { name in
                    var axis: [String: JSONValue] = ["name": .string(name), "type": "space"]
                    axis["unit"] = image.voxelSize.map { .string($0.unit.fullName) }
                    return .object(axis)
                }),
            "datasets": .array(image.pyramid.levels.indices.map { dataset($0, of: image) }),
            "type": image.downsampling == .mean ? "mean" : "mode",
            "metadata": ["description": .string(image.downsampling.description)],
        ]
        if version == .v0_4 { multiscale["version"] = "0.4" }
        var attributes: [String: JSONValue] = ["multiscales": [.object(multiscale)]]
        if let belongsToImage = image.belongsToImage {
            var label: [String: JSONValue] = version == .v0_4 ? ["version": "0.4"] : [:]
            if belongsToImage { label["source"] = ["image": "../../"] }
            attributes["image-label"] = .object(label)
        }
        return attributes
    }

    private static func dataset(_ level: Int, of image: Image) -> JSONValue {
        let factor = image.pyramid.levels[level].factor.map(Double.init)
        let size = image.voxelSize.map { $0.in($0.unit) } ?? ZYX(repeating: 1)
        let unit = image.voxelSize?.unit.nanometers ?? 1
        let origin = (image.position ?? ZYX(repeating: 0)).map { $0 / unit }
        // The middle of the first voxels that became one.
        let middle = origin + factor.zip(size) { ($0 - 1) / 2 * $1 }
        var transformations: [JSONValue] = [["type": "scale", "scale": numbers(factor.zip(size, *))]]
        if image.position != nil || middle != ZYX(repeating: 0) {
            transformations.append(["type": "translation", "translation": numbers(middle)])
        }
        return ["path": .string(levelName(level)), "coordinateTransformations": .array(transformations)]
    }

    private static func array2(_ shape: ZYX<Int>, _ type: ElementType, _ chunk: ZYX<Int>) -> JSONValue {
        let kind = type.isInteger ? (type.rawValue.hasPrefix("u") ? "u" : "i") : "f"
        return [
            "zarr_format": 2,
            "shape": ZarrMetadata.integers(shape.array),
            "chunks": ZarrMetadata.integers(chunk.array),
            "dtype": .string((type.size == 1 ? "|" : "<") + kind + String(type.size)),
            "compressor": [
                "id": "blosc", "cname": .string(Blosc.compressor), "clevel": .number(Double(Blosc.level)),
                "shuffle": .number(Double(Blosc.shuffle)), "blocksize": 0,
            ],
            "fill_value": 0,
            "order": "C",
            "filters": .null,
            "dimension_separator": "/",
        ]
    }

    private static func array3(_ shape: ZYX<Int>, _ type: ElementType, _ cut: OMEZarrChunks) -> JSONValue {
        var codecs = JSONValue.array(ZarrMetadata.innerCodecs(type))
        if cut.shard != nil {
            let sharding: JSONValue = [
                "chunk_shape": ZarrMetadata.integers(cut.chunk.array), "codecs": codecs,
                "index_codecs": .array(ZarrMetadata.indexCodecs), "index_location": "end",
            ]
            codecs = [["name": "sharding_indexed", "configuration": sharding]]
        }
        let file = ZarrMetadata.integers((cut.shard ?? cut.chunk).array)
        return [
            "zarr_format": 3,
            "node_type": "array",
            "shape": ZarrMetadata.integers(shape.array),
            "data_type": .string(type.rawValue),
            "chunk_grid": ["name": "regular", "configuration": ["chunk_shape": file]],
            "chunk_key_encoding": ["name": "default", "configuration": ["separator": "/"]],
            "fill_value": 0,
            "codecs": codecs,
            "dimension_names": ["z", "y", "x"],
            "attributes": [:],
        ]
    }

    private static func numbers(_ values: ZYX<Double>) -> JSONValue { .array(values.array.map(JSONValue.number)) }

    static func write(_ json: JSONValue, to path: String) throws {
        try AtomicFile.write([ZarrMetadata.encoded(json)], to: path)
    }
}
