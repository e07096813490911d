/// CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of Zarr's `crc32c` codec.
///
/// Eight bytes a step by eight tables ("slicing by 8", Kounavis and Berry 2005), which checks faster
/// than Zstandard decompresses.
enum CRC32C {
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc = ~UInt32(0)
            var position = 0
            while position + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                let low = UInt32(truncatingIfNeeded: word) ^ crc
                let high = UInt32(truncatingIfNeeded: word >> 32)
                crc =
                    table[7 << 8 | Int(low & 255)] ^ table[6 << 8 | Int(low >> 8 & 255)]
                    ^ table[5 << 8 | Int(low >> 16 & 255)] ^ table[4 << 8 | Int(low >> 24)]
                    ^ table[3 << 8 | Int(high & 255)] ^ table[2 << 8 | Int(high >> 8 & 255)]
                    ^ table[1 << 8 | Int(high >> 16 & 255)] ^ table[Int(high >> 24)]
                position += 8
            }
            while position < bytes.count {
                crc = table[Int((crc ^ UInt32(bytes[position])) & 255)] ^ crc >> 8
                position += 1
            }
            return ~crc
        }
    }

    /// `tables[k << 8 | byte]` is the remainder of `byte` followed by k zero bytes.
    private static let tables: [UInt32] = {
        let reversedPolynomial: UInt32 = 0x82F6_3B78
        var tables = [UInt32](repeating: 0, count: 8 << 8)
        for byte in 0..<256 {
            var remainder = UInt32(byte)
            for _ in 0..<8 {
                remainder = remainder & 1 == 1 ? remainder >> 1 ^ reversedPolynomial : remainder >> 1
            }
            tables[byte] = remainder
        }
        for index in 256..<tables.count {
            let shorter = tables[index - 256]
            tables[index] = tables[Int(shorter & 255)] ^ shorter >> 8
        }
        return tables
    }()
}
