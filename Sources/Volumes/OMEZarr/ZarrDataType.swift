/// How an array's values are kept, and the type that holds them in memory.
struct ZarrDataType: Sendable, Equatable {
    /// Half precision is held as `float32`, booleans as `uint8`.
    let elementType: ElementType
    let isHalf: Bool

    /// Bytes a value in the file.
    var storedSize: Int { isHalf ? 2 : elementType.size }

    /// - Parameter name: Zarr v3's `data_type`: `uint16`, `float16`, `bool`.
    init?(v3 name: String) {
        isHalf = name == "float16"
        guard let type = isHalf ? .float32 : name == "bool" ? .uint8 : ElementType(rawValue: name) else {
            return nil
        }
        elementType = type
    }

    /// - Parameter name: NumPy's type string without its byte order: `u2`, `f4`, `b1`.
    init?(v2 name: Substring) {
        let names: [Substring: String] = [
            "b1": "bool", "u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "u4": "uint32", "i4": "int32",
            "u8": "uint64", "i8": "int64", "f2": "float16", "f4": "float32", "f8": "float64",
        ]
        guard let name = names[name] else { return nil }
        self.init(v3: name)
    }

    /// The values of a decoded chunk in this machine's byte order and `elementType`.
    func values(_ stored: [UInt8], isBigEndian: Bool) -> [UInt8] {
        var values = stored
        if isBigEndian && storedSize > 1 {
            values.withUnsafeMutableBytes { Self.reverse(each: storedSize, in: $0) }
        }
        return isHalf ? Self.widened(values) : values
    }

    private static func reverse(each size: Int, in bytes: UnsafeMutableRawBufferPointer) {
        func swap<Word: FixedWidthInteger>(_ type: Word.Type) {
            for offset in stride(from: 0, to: bytes.count - size + 1, by: size) {
                let word = bytes.loadUnaligned(fromByteOffset: offset, as: type)
                bytes.storeBytes(of: word.byteSwapped, toByteOffset: offset, as: type)
            }
        }
        switch size {
        case 2: swap(UInt16.self)
        case 4: swap(UInt32.self)
        default: swap(UInt64.self)
        }
    }

    private static func widened(_ halves: [UInt8]) -> [UInt8] {
        let count = halves.count / 2
        return [UInt8](unsafeUninitializedCapacity: count * 4) { target, filled in
            halves.withUnsafeBytes { source in
                let target = UnsafeMutableRawBufferPointer(target)
                for index in 0..<count {
                    let half = source.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
                    target.storeBytes(of: float(half: half), toByteOffset: index * 4, as: Float.self)
                }
            }
            filled = count * 4
        }
    }

    /// IEEE 754 binary16 as binary32, exactly.
    static func float(half: UInt16) -> Float {
        let sign = UInt32(half >> 15) << 31
        let exponent = UInt32(half >> 10 & 31)
        let fraction = UInt32(half & 1023)
        switch exponent {
        case 0:
            let magnitude = Float(fraction) * 0x1p-24
            return sign == 0 ? magnitude : -magnitude
        case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}
