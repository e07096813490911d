/// `.zarray`: an array's metadata in Zarr v2.
///
/// Source: Zarr storage specification version 2, "Arrays"; `dimension_separator` as NGFF 0.4 uses it.
struct ZarrV2Metadata {
    let json: JSONValue

    /// - Throws: `FileFault` for what is damaged or not read.
    func array(_ path: String, in folder: ZarrFolder) throws -> ZarrArray {
        let prefix = path.isEmpty ? "" : path + "/"
        let file = ZarrMetadataFile(path: folder.path + "/" + prefix + ".zarray")
        guard json["zarr_format"] == 2 else { throw file.fault("has another zarr_format than 2") }
        let (type, isBigEndian) = try elementType(file)
        let shape = try file.lengths(json["shape"], "shape")
        let chunk = try file.chunk(json["chunks"], "chunks", axes: shape.count)
        try file.checkSize(of: chunk, type)
        if let filters = json["filters"]?.array, let first = filters.first {
            let name = ZarrFolder.printable(first["id"]?.string ?? "?")
            throw file.fault("has the filter \(name); expected arrays without filters")
        }
        let codecs = ZarrCodecs(
            order: try isFortranOrder(file) ? Array((0..<shape.count).reversed()) : nil,
            serializer: .values(isBigEndian: isBigEndian), compressors: try compressors(file))
        // The names of axes are xarray's convention.
        let attributes = try folder.metadata(prefix + ".zattrs")
        return ZarrArray(
            folder: folder, path: path, format: "Zarr v2", shape: shape, chunk: chunk, type: type,
            fillValue: try file.fillValue(json["fill_value"], type), codecs: codecs,
            keys: .init(prefix: "", separator: try keySeparator(file)),
            axisNames: attributes?["_ARRAY_DIMENSIONS"]?.array?.map(\.string), placement: ArrayPlacement(attributes)
        )
    }

    private func elementType(_ file: ZarrMetadataFile) throws -> (ZarrDataType, isBigEndian: Bool) {
        guard let name = json["dtype"]?.string else {
            throw file.fault("has a dtype of several fields, or none; expected one number a voxel")
        }
        guard let mark = name.first, "<>|".contains(mark), let type = ZarrDataType(v2: name.dropFirst()) else {
            throw file.fault(
                "has the dtype \(ZarrFolder.printable(name)); expected integers or floating-point numbers "
                    + "of up to 64 bits")
        }
        return (type, mark == ">")
    }

    private func isFortranOrder(_ file: ZarrMetadataFile) throws -> Bool {
        switch json["order"] {
        case "C", nil: return false
        case "F": return true
        default: throw file.fault("has another order than C and F")
        }
    }

    private func compressors(_ file: ZarrMetadataFile) throws -> [ZarrCompressor] {
        guard let compressor = json["compressor"], compressor != .null else { return [] }
        return [try file.compressor(compressor["id"]?.string ?? "?", compressor)]
    }

    private func keySeparator(_ file: ZarrMetadataFile) throws -> String {
        switch json["dimension_separator"] {
        case nil, .null, ".": return "."
        case "/": return "/"
        default: throw file.fault("has another dimension_separator than . and /")
        }
    }
}
