import CHDF5

/// The attributes of an object. Use them within `HDF5Library.alone`; one that is absent, damaged or of another kind
/// than expected is nil.
enum HDF5Attribute {
    /// Attributes that say something of a volume are short.
    private static let mostValues = 1 << 12
    private static let longestText = 1 << 20

    /// The numbers of an attribute of numbers.
    static func numbers(_ name: String, of object: HDF5Handle) -> [Double]? {
        guard let (attribute, type, count) = open(name, of: object),
            [H5T_FLOAT, H5T_INTEGER].contains(H5Tget_class(type.id))
        else { return nil }
        var values = [Double](repeating: 0, count: count)
        guard H5Aread(attribute.id, hdf5_native_double(), &values) >= 0 else { return nil }
        return values
    }

    /// The strings of an attribute of strings, of fixed length without what pads them.
    static func strings(_ name: String, of object: HDF5Handle) -> [String]? {
        guard let (attribute, type, count) = open(name, of: object), H5Tget_class(type.id) == H5T_STRING
        else { return nil }
        if H5Tis_variable_str(type.id) > 0 { return variableStrings(attribute, type, count) }
        let length = H5Tget_size(type.id)
        guard length > 0, length <= longestText / count else { return nil }
        var bytes = [UInt8](repeating: 0, count: count * length)
        guard H5Aread(attribute.id, type.id, &bytes) >= 0 else { return nil }
        return (0..<count).map { index in
            let text = bytes[index * length..<(index + 1) * length].prefix { $0 != 0 }
            return String(decoding: text, as: UTF8.self)
        }
    }

    /// The text of an attribute, whether it is one string or, as in Imaris files, an array of single characters.
    static func text(_ name: String, of object: HDF5Handle) -> String? {
        strings(name, of: object)?.joined()
    }

    private static func open(
        _ name: String, of object: HDF5Handle
    ) -> (attribute: HDF5Handle, type: HDF5Handle, count: Int)? {
        guard H5Aexists(object.id, name) > 0,
            let attribute = try? HDF5Handle(H5Aopen(object.id, name, hdf5_default()), close: H5Aclose),
            let space = try? HDF5Handle(H5Aget_space(attribute.id), close: H5Sclose),
            let type = try? HDF5Handle(H5Aget_type(attribute.id), close: H5Tclose)
        else { return nil }
        let count = Int(H5Sget_simple_extent_npoints(space.id))
        guard (1...mostValues).contains(count) else { return nil }
        return (attribute, type, count)
    }

    private static func variableStrings(
        _ attribute: HDF5Handle, _ type: HDF5Handle, _ count: Int
    ) -> [String]? {
        guard let memory = try? HDF5Handle(H5Tget_native_type(type.id, H5T_DIR_ASCEND), close: H5Tclose),
            let space = try? HDF5Handle(H5Aget_space(attribute.id), close: H5Sclose)
        else { return nil }
        var strings = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
        guard H5Aread(attribute.id, memory.id, &strings) >= 0 else { return nil }
        defer { H5Dvlen_reclaim(memory.id, space.id, hdf5_default(), &strings) }
        return strings.map { $0.map { String(cString: $0) } ?? "" }
    }
}
