import Foundation

/// A store's metadata as JSON: Zarr v3 for the array, OME-Zarr (NGFF) 0.5 `multiscales` for the group.
enum ZarrMetadata {
    static func group(of layout: BlockStore.Layout) throws -> [UInt8] {
        let unit = layout.voxelSize?.unit
        let size = layout.voxelSize.map { $0.in($0.unit) } ?? ZYX(repeating: 1)
        let channelAxis: [JSONValue] = layout.channels == nil ? [] : [["name": "c", "type": "channel"]]
        let axes = ["z", "y", "x"].map { name in
            var axis: [String: JSONValue] = ["name": .string(name), "type": "space"]
            axis["unit"] = unit.map { .string($0.fullName) }
            return JSONValue.object(axis)
        }
        let scale = (layout.channels == nil ? [] : [1]) + size.array
        let dataset: JSONValue = [
            "path": "0",
            "coordinateTransformations": [["type": "scale", "scale": .array(scale.map(JSONValue.number))]],
        ]
        let multiscale: JSONValue = ["axes": .array(channelAxis + axes), "datasets": [dataset]]
        return try encoded([
            "zarr_format": 3,
            "node_type": "group",
            "attributes": ["ome": ["version": "0.5", "multiscales": [multiscale]]],
        ])
    }

    static func array(of layout: BlockStore.Layout) throws -> [UInt8] {
        let axes = (layout.channels == nil ? [] : ["c"]) + ["z", "y", "x"]
        func grid(_ cell: ZYX<Int>) -> JSONValue {
            integers((layout.channels == nil ? [] : [1]) + cell.array)
        }
        let codecs = innerCodecs(layout.elementType)
        let sharding: JSONValue = [
            "chunk_shape": grid(layout.chunk),
            "codecs": .array(codecs),
            "index_codecs": .array(indexCodecs),
            "index_location": "end",
        ]
        return try encoded([
            "zarr_format": 3,
            "node_type": "array",
            "shape": integers((layout.channels.map { [$0] } ?? []) + layout.shape.array),
            "data_type": .string(layout.elementType.rawValue),
            "chunk_grid": ["name": "regular", "configuration": ["chunk_shape": grid(layout.shard)]],
            "chunk_key_encoding": ["name": "default", "configuration": ["separator": "/"]],
            "fill_value": 0,
            "codecs": [["name": "sharding_indexed", "configuration": sharding]],
            "dimension_names": .array(axes.map(JSONValue.string)),
            "attributes": .object(layout.attributes),
        ])
    }

    /// The layout of the store at `path`.
    ///
    /// - Throws: `DamagedStore` naming the file and what is wrong in it.
    static func layout(ofStoreAt path: String) throws -> BlockStore.Layout {
        let group = try ZarrNode(path: "\(path)/zarr.json", type: "group")
        let array = try ZarrNode(path: "\(path)/0/zarr.json", type: "array")
        let name = try array.string("data_type")
        guard let elementType = ElementType(rawValue: name) else { throw array.fault("data_type \(name)") }
        let shape = try array.integers("shape")
        guard shape.count == 3 || shape.count == 4 else { throw array.fault("shape of \(shape.count) axes") }
        let sharding = try array.sharding(elementType)
        let channels = shape.count == 4 ? shape[0] : nil
        func spatial(_ sizes: [Int], _ name: String) throws -> ZYX<Int> {
            let tail = sizes.suffix(3)
            guard sizes.count == shape.count, sizes.count == 3 || sizes[0] == 1 else {
                throw array.fault("\(name) \(sizes)")
            }
            return ZYX(tail[tail.startIndex], tail[tail.startIndex + 1], tail[tail.startIndex + 2])
        }
        let layout = BlockStore.Layout(
            shape: ZYX(shape[shape.count - 3], shape[shape.count - 2], shape[shape.count - 1]),
            channels: channels, elementType: elementType,
            shard: try spatial(try array.shardShape(), "shard"), chunk: try spatial(sharding, "chunk"),
            voxelSize: try group.voxelSize(axes: shape.count), attributes: array.json["attributes"]?.object ?? [:])
        if let problem = layout.problem { throw array.fault("a layout whose \(problem)") }
        return layout
    }

    static func innerCodecs(_ elementType: ElementType) -> [JSONValue] {
        // The specification has no byte order for values of one byte.
        let bytes: JSONValue =
            elementType.size == 1
            ? ["name": "bytes"] : ["name": "bytes", "configuration": ["endian": "little"]]
        return [
            bytes, ["name": "zstd", "configuration": ["level": 1, "checksum": false]], ["name": "crc32c"],
        ]
    }

    static let indexCodecs: [JSONValue] = [
        ["name": "bytes", "configuration": ["endian": "little"]], ["name": "crc32c"],
    ]

    static func integers(_ values: [Int]) -> JSONValue {
        .array(values.map { .number(Double($0)) })
    }

    /// The same bytes for the same value.
    static func encoded(_ json: JSONValue) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(json)) + [UInt8(ascii: "\n")]
    }
}

/// One `zarr.json`, read with a fault for whatever is missing or of another kind.
private struct ZarrNode {
    let path: String
    let json: JSONValue

    init(path: String, type: String) throws {
        self.path = path
        do {
            let file = try ReadableFile(path)
            json = try JSONDecoder().decode(JSONValue.self, from: Data(try file.read(file.size, at: 0)))
        } catch is MissingFile {
            throw DamagedStore(path: path, problem: "is missing")
        } catch is DecodingError {
            throw DamagedStore(path: path, problem: "is not JSON")
        }
        guard json["zarr_format"] == 3 else { throw fault("another zarr_format than 3") }
        guard json["node_type"] == .string(type) else { throw fault("another node_type than \(type)") }
    }

    func fault(_ found: String) -> DamagedStore {
        DamagedStore(path: path, problem: "has \(found), which a store of this program never has")
    }

    func string(_ key: String) throws -> String {
        guard let value = json[key]?.string else { throw fault("no \(key)") }
        return value
    }

    func integers(_ key: String) throws -> [Int] { try integers(json[key], key) }

    func shardShape() throws -> [Int] {
        guard json["chunk_grid"]?["name"] == "regular" else { throw fault("another chunk_grid than regular") }
        let encoding = json["chunk_key_encoding"]
        guard encoding?["name"] == "default", [nil, "/"].contains(encoding?["configuration"]?["separator"]) else {
            throw fault("another chunk_key_encoding than default with /")
        }
        return try integers(json["chunk_grid"]?["configuration"]?["chunk_shape"], "chunk_shape")
    }

    /// The shape of an inner chunk, once all codecs are the expected ones.
    func sharding(_ elementType: ElementType) throws -> [Int] {
        guard let codecs = json["codecs"]?.array, codecs.count == 1, codecs[0]["name"] == "sharding_indexed",
            let sharding = codecs[0]["configuration"], [nil, "end"].contains(sharding["index_location"])
        else { throw fault("other codecs than sharding_indexed with its index at the end") }
        let littleEndian = elementType.size == 1 ? [nil, "little"] : ["little"] as [JSONValue?]
        guard let inner = sharding["codecs"]?.array, names(inner) == ["bytes", "zstd", "crc32c"],
            littleEndian.contains(inner[0]["configuration"]?["endian"])
        else { throw fault("other inner codecs than bytes (little endian), zstd, crc32c") }
        guard let index = sharding["index_codecs"]?.array, names(index) == ["bytes", "crc32c"],
            index[0]["configuration"]?["endian"] == "little"
        else { throw fault("other index codecs than bytes (little endian), crc32c") }
        return try integers(sharding["chunk_shape"], "inner chunk_shape")
    }

    /// The scale and unit of OME's multiscales; nil where the axes have no unit.
    func voxelSize(axes count: Int) throws -> VoxelSize? {
        let multiscale = json["attributes"]?["ome"]?["multiscales"]?.array?.first
        guard let axes = multiscale?["axes"]?.array, names(axes).suffix(3) == ["z", "y", "x"], axes.count == count
        else { throw fault("no multiscales with axes z, y, x") }
        let transformations = multiscale?["datasets"]?.array?.first?["coordinateTransformations"]?.array
        guard let scale = transformations?.first?["scale"]?.array?.compactMap(\.number), scale.count == count
        else { throw fault("no scale for its \(count) axes") }
        let units = axes.suffix(3).map { $0["unit"]?.string }
        if units == [nil, nil, nil] { return nil }
        guard Set(units).count == 1, let name = units[0], let unit = LengthUnit(spelling: name) else {
            throw fault("axes of different or unknown units")
        }
        let sizes = scale.suffix(3)
        guard sizes.allSatisfy({ $0 > 0 }) else { throw fault("a scale that is not positive") }
        return VoxelSize(ZYX(sizes[count - 3], sizes[count - 2], sizes[count - 1]), unit)
    }

    private func names(_ values: [JSONValue]) -> [String?] { values.map { $0["name"]?.string } }

    private func integers(_ value: JSONValue?, _ name: String) throws -> [Int] {
        guard let values = value?.array?.map(\.integer), let integers = values as? [Int] else {
            throw fault("no \(name) of whole numbers")
        }
        return integers
    }
}
