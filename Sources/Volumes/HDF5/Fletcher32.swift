/// HDF5's checksum filter: four bytes after a chunk's own (HDF5 File Format Specification 3.0, IV.A.2.l).
enum Fletcher32 {
    /// The bytes without their checksum.
    ///
    /// - Throws: `CodecFault` where it does not match.
    static func verified(_ bytes: [UInt8]) throws -> [UInt8] {
        guard bytes.count >= 4 else { throw CodecFault("it is too short for its Fletcher32 checksum") }
        let content = bytes.dropLast(4)
        let stored = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
        let computed = checksum(content)
        // libhdf5 up to 1.6.2 swapped the bytes of both halves on little-endian machines.
        let swapped = (computed & 0x00FF_00FF) << 8 | (computed >> 8) & 0x00FF_00FF
        guard stored == computed || stored == swapped else {
            throw CodecFault("its Fletcher32 checksum does not match")
        }
        return Array(content)
    }

    /// Fletcher's sum over 16-bit words, the first byte the higher, an odd last byte filled up with zero.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBufferPointer { bytes in
            var first: UInt32 = 0
            var second: UInt32 = 0
            func fold(_ sum: UInt32) -> UInt32 { (sum & 0xFFFF) + (sum >> 16) }
            var index = 0
            while index < bytes.count {
                // So many words do not overflow the second sum.
                let end = min(index + 720, bytes.count)
                while index + 1 < end {
                    first &+= UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
                    second &+= first
                    index += 2
                }
                if index < end {
                    first &+= UInt32(bytes[index]) << 8
                    second &+= first
                    index += 1
                }
                first = fold(first)
                second = fold(second)
            }
            return fold(second) << 16 | fold(first)
        }
    }
}
