import CHDF5

/// What a file says of one of its datasets. Use it within `HDF5Library.alone`.
struct HDF5Dataset {
    /// Absolute: `/volumes/raw`.
    let name: String
    let handle: HDF5Handle
    /// The length of every axis, the slowest first.
    let dimensions: [UInt64]

    init(_ name: String, in file: HDF5Handle) throws {
        self.name = name
        handle = try HDF5Handle(H5Dopen2(file.id, name, hdf5_default()), close: H5Dclose)
        let space = try HDF5Handle(H5Dget_space(handle.id), close: H5Sclose)
        let rank = try HDF5Fault.check(H5Sget_simple_extent_ndims(space.id))
        var dimensions = [hsize_t](repeating: 0, count: Int(rank))
        try HDF5Fault.check(H5Sget_simple_extent_dims(space.id, &dimensions, nil))
        self.dimensions = dimensions
    }

    /// Its lengths as z, y, x; nil where it has fewer axes, or more that are not of length 1, or no voxels.
    var shape: ZYX<Int>? {
        guard dimensions.count >= 3, dimensions.dropLast(3).allSatisfy({ $0 == 1 }) else { return nil }
        let lengths = dimensions.suffix(3).compactMap { Int(exactly: $0) }
        guard lengths.count == 3, lengths.allSatisfy({ $0 > 0 }) else { return nil }
        // A voxel has up to 8 bytes, and their number must be an Int.
        let (plane, planeOverflows) = lengths[1].multipliedReportingOverflow(by: lengths[2])
        let (count, overflows) = plane.multipliedReportingOverflow(by: lengths[0])
        guard !planeOverflows, !overflows, count <= Int.max / 8 else { return nil }
        return ZYX(lengths[0], lengths[1], lengths[2])
    }

    /// The lengths with the axes' usual letters: `c 2 × z 30 × y 40 × x 50`.
    var lettered: String {
        if dimensions.isEmpty { return "a single value" }
        let letters = ["t", "c", "z", "y", "x"].suffix(dimensions.count)
        let names = [String](repeating: "?", count: dimensions.count - letters.count) + letters
        return zip(names, dimensions).map { "\($0) \($1)" }.joined(separator: " × ")
    }

    /// The type that holds the values.
    func elementType() throws -> StoredType {
        let type = try HDF5Handle(H5Dget_type(handle.id), close: H5Tclose)
        return try StoredType(type)
    }

    /// The shape of a chunk; nil where the dataset is not stored in chunks.
    func chunk() throws -> ZYX<Int>? {
        let list = try creationList()
        guard H5Pget_layout(list.id) == H5D_CHUNKED else { return nil }
        var lengths = [hsize_t](repeating: 0, count: dimensions.count)
        try HDF5Fault.check(H5Pget_chunk(list.id, Int32(lengths.count), &lengths))
        let spatial = lengths.suffix(3).map { Int(clamping: $0) }
        guard spatial.count == 3, spatial.allSatisfy({ $0 > 0 }) else { return nil }
        return ZYX(spatial[0], spatial[1], spatial[2])
    }

    /// The filters that each chunk went through, in the order of writing.
    func filters() throws -> [HDF5Filter] {
        let list = try creationList()
        let count = try HDF5Fault.check(H5Pget_nfilters(list.id))
        return try (0..<UInt32(count)).map { index in
            var flags: UInt32 = 0
            var valueCount = 0
            var name = [CChar](repeating: 0, count: 64)
            let id = H5Pget_filter2(list.id, index, &flags, &valueCount, nil, name.count, &name, nil)
            try HDF5Fault.check(id)
            let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return HDF5Filter(id: id, registeredName: String(decoding: bytes, as: UTF8.self))
        }
    }

    private func creationList() throws -> HDF5Handle {
        try HDF5Handle(H5Dget_create_plist(handle.id), close: H5Pclose)
    }

    /// The names of all datasets of a file, in the order of their paths.
    static func names(in file: HDF5Handle) throws -> [String] {
        var names: [String] = []
        let status = withUnsafeMutablePointer(to: &names) { target in
            H5Ovisit2(
                file.id, H5_INDEX_NAME, H5_ITER_INC,
                { _, name, info, target in
                    guard let name, let info, info.pointee.type == H5O_TYPE_DATASET else { return 0 }
                    target!.assumingMemoryBound(to: [String].self).pointee.append("/" + String(cString: name))
                    return 0
                }, target, UInt32(H5O_INFO_BASIC))
        }
        try HDF5Fault.check(status)
        return names.sorted()
    }
}

/// A filter of libhdf5's pipeline.
struct HDF5Filter {
    let id: H5Z_filter_t
    let registeredName: String

    var isAvailable: Bool { H5Zfilter_avail(id) > 0 }

    /// The name under which people know it.
    var name: String {
        switch id {
        case 1: "gzip"
        case 2: "shuffle"
        case 3: "fletcher32"
        case 4: "szip"
        case 5: "nbit"
        case 6: "scaleoffset"
        case 32000: "lzf"
        case 32001: "blosc"
        case 32004: "lz4"
        case 32008: "bitshuffle"
        case 32015: "zstd"
        case 32026: "blosc2"
        default: registeredName.isEmpty ? "filter \(id)" : registeredName
        }
    }
}

/// How a dataset's numbers are kept, and the type that holds their values in memory.
struct StoredType {
    let elementType: ElementType
    /// The type to ask libhdf5 for; it undoes byte order, and widens half precision.
    let memory: HDF5Handle?

    /// - Throws: `UnsupportedType` for anything but integers of 8, 16, 32 and 64 bits and floating-point
    ///   numbers of 16 (held as 32), 32 and 64; enumerations (h5py's booleans) count as their integers.
    init(_ type: HDF5Handle) throws {
        switch H5Tget_class(type.id) {
        case H5T_ENUM:
            let base = try HDF5Handle(H5Tget_super(type.id), close: H5Tclose)
            elementType = try Self.integer(base)
            memory = try HDF5Handle(H5Tget_native_type(type.id, H5T_DIR_ASCEND), close: H5Tclose)
        case H5T_INTEGER:
            elementType = try Self.integer(type)
            memory = nil
        case H5T_FLOAT:
            let size = H5Tget_size(type.id)
            guard [2, 4, 8].contains(size) else { throw UnsupportedType(found: "\(size * 8)-bit floats") }
            elementType = size == 8 ? .float64 : .float32
            memory = nil
        case H5T_STRING: throw UnsupportedType(found: "strings")
        case H5T_COMPOUND: throw UnsupportedType(found: "compound values")
        case H5T_NO_CLASS: throw HDF5Fault()
        default: throw UnsupportedType(found: "values of another kind")
        }
    }

    private static func integer(_ type: HDF5Handle) throws -> ElementType {
        let isSigned = H5Tget_sign(type.id) == H5T_SGN_2
        switch H5Tget_size(type.id) {
        case 1: return isSigned ? .int8 : .uint8
        case 2: return isSigned ? .int16 : .uint16
        case 4: return isSigned ? .int32 : .uint32
        case 8: return isSigned ? .int64 : .uint64
        case let size: throw UnsupportedType(found: "\(size * 8)-bit integers")
        }
    }
}

struct UnsupportedType: Error {
    let found: String
}
