import CHDF5

/// How a dataset's numbers are kept, and the type that holds their values in memory.
struct HDF5Type: @unchecked Sendable {
    let elementType: ElementType
    /// Bytes a value in the file.
    let size: Int
    private let file: HDF5Handle
    /// libhdf5's type for the values in memory.
    let memory: HDF5Handle
    private let form: Form

    private enum Form {
        /// As this machine keeps it, or with its bytes the other way round.
        case plain(swapped: Bool)
        case half(swapped: Bool)
        /// Anything else, such as 12 bits of 16: libhdf5 converts it.
        case odd
    }

    /// - Throws: `HDF5Refusal` for anything but integers and bit fields of up to 64 bits and floating-point numbers of up
    ///   to 64; those of up to 32 are held as 32. Enumerations count as their integers, h5py's booleans as uint8.
    init(_ type: HDF5Handle) throws {
        file = type
        size = H5Tget_size(type.id)
        let isEnumeration = H5Tget_class(type.id) == H5T_ENUM
        let type = isEnumeration ? try HDF5Handle(H5Tget_super(type.id), close: H5Tclose) : type
        let isSwapped = H5Tget_order(type.id) == H5T_ORDER_BE
        switch H5Tget_class(type.id) {
        case H5T_INTEGER, H5T_BITFIELD:
            let isBoolean = isEnumeration && size == 1 && H5Tget_nmembers(file.id) == 2
            elementType = isBoolean ? .uint8 : try Self.integer(type)
            let isWhole = H5Tget_precision(type.id) == size * 8 && H5Tget_offset(type.id) == 0
            form = isWhole && elementType.size == size ? .plain(swapped: isSwapped) : .odd
        case H5T_FLOAT:
            guard (1...8).contains(size) else { throw Self.refusal("\(size * 8)-bit floats") }
            elementType = size > 4 ? .float64 : .float32
            form = try Self.form(ofFloat: type, isSwapped)
        case H5T_STRING: throw Self.refusal("strings")
        case H5T_COMPOUND: throw Self.refusal("compound values")
        case H5T_ARRAY: throw Self.refusal("arrays")
        case H5T_REFERENCE: throw Self.refusal("references")
        case H5T_NO_CLASS: throw HDF5Fault()
        default: throw Self.refusal("values of another kind")
        }
        memory = try Self.memory(for: file, elementType)
    }

    /// The same bytes as unsigned integers, where these are signed.
    func unsigned() -> HDF5Type { HDF5Type(self, elementType == .int16 ? .uint16 : elementType) }

    private init(_ other: HDF5Type, _ elementType: ElementType) {
        self.elementType = elementType
        (size, file, memory, form) = (other.size, other.file, other.memory, other.form)
    }

    /// Values as the file keeps them, turned into values of `elementType` in this machine's order.
    ///
    /// - Throws: `HDF5Fault`.
    func native(_ bytes: [UInt8]) throws -> [UInt8] {
        switch form {
        case .plain(swapped: false): return bytes
        case .plain(swapped: true): return Self.swapped(bytes, size: size)
        case .half(let isSwapped): return Self.widened(isSwapped ? Self.swapped(bytes, size: 2) : bytes)
        case .odd: return try converted(bytes)
        }
    }

    private func converted(_ bytes: [UInt8]) throws -> [UInt8] {
        let count = bytes.count / size
        var values = bytes
        // The conversion is in place, in the larger of both types.
        values += [UInt8](repeating: 0, count: max(0, elementType.size - size) * count)
        try HDF5Library.alone {
            _ = try HDF5Fault.check(H5Tconvert(file.id, memory.id, count, &values, nil, hdf5_default()))
        }
        values.removeLast(values.count - count * elementType.size)
        return values
    }

    private static func swapped(_ bytes: [UInt8], size: Int) -> [UInt8] {
        func swap<Word: FixedWidthInteger>(_ type: Word.Type) -> [UInt8] {
            var bytes = bytes
            bytes.withUnsafeMutableBytes {
                for index in $0.bindMemory(to: type).indices { swapWord($0, index, type) }
            }
            return bytes
        }
        switch size {
        case 2: return swap(UInt16.self)
        case 4: return swap(UInt32.self)
        case 8: return swap(UInt64.self)
        default: return bytes
        }
    }

    @inline(__always)
    private static func swapWord<Word: FixedWidthInteger>(
        _ bytes: UnsafeMutableRawBufferPointer, _ index: Int, _ type: Word.Type
    ) {
        let words = bytes.assumingMemoryBound(to: type)
        words[index] = words[index].byteSwapped
    }

    private static func widened(_ halves: [UInt8]) -> [UInt8] {
        let count = halves.count / 2
        return [UInt8](unsafeUninitializedCapacity: count * 4) { target, filled in
            halves.withUnsafeBytes { source in
                let floats = UnsafeMutableRawBufferPointer(target)
                for index in 0..<count {
                    let half = Float16(bitPattern: source.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
                    floats.storeBytes(of: Float(half), toByteOffset: index * 4, as: Float.self)
                }
            }
            filled = count * 4
        }
    }
}

extension HDF5Type {
    private static func refusal(_ found: String) -> HDF5Refusal {
        HDF5Refusal("holds \(found); expected integers or floating-point numbers of up to 64 bits")
    }

    private static func integer(_ type: HDF5Handle) throws -> ElementType {
        let isSigned = H5Tget_class(type.id) == H5T_INTEGER && H5Tget_sign(type.id) == H5T_SGN_2
        switch H5Tget_size(type.id) {
        case 1: return isSigned ? .int8 : .uint8
        case 2: return isSigned ? .int16 : .uint16
        case 3, 4: return isSigned ? .int32 : .uint32
        case 5...8: return isSigned ? .int64 : .uint64
        case let size: throw refusal("\(size * 8)-bit integers")
        }
    }

    /// Whether the number is IEEE 754's binary16, 32 or 64.
    private static func form(ofFloat type: HDF5Handle, _ isSwapped: Bool) throws -> Form {
        var sign = 0
        var exponent = 0
        var exponentBits = 0
        var mantissa = 0
        var mantissaBits = 0
        try HDF5Fault.check(
            H5Tget_fields(type.id, &sign, &exponent, &exponentBits, &mantissa, &mantissaBits))
        guard H5Tget_norm(type.id) == H5T_NORM_IMPLIED, H5Tget_offset(type.id) == 0,
            [H5T_ORDER_LE, H5T_ORDER_BE].contains(H5Tget_order(type.id))
        else { return .odd }
        let fields = [sign, exponent, exponentBits, mantissa, mantissaBits, H5Tget_ebias(type.id)]
        switch H5Tget_size(type.id) {
        case 2 where fields == [15, 10, 5, 0, 10, 15]: return .half(swapped: isSwapped)
        case 4 where fields == [31, 23, 8, 0, 23, 127]: return .plain(swapped: isSwapped)
        case 8 where fields == [63, 52, 11, 0, 52, 1023]: return .plain(swapped: isSwapped)
        default: return .odd
        }
    }

    private static func memory(for type: HDF5Handle, _ elementType: ElementType) throws -> HDF5Handle {
        let isOwn = [H5T_ENUM, H5T_BITFIELD].contains(H5Tget_class(type.id))
        // Neither has a conversion to integers.
        return try HDF5Handle(
            isOwn ? H5Tget_native_type(type.id, H5T_DIR_ASCEND) : H5Tcopy(elementType.nativeHDF5), close: H5Tclose)
    }
}
