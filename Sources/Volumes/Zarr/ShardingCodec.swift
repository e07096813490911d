/// The bytes of one shard by Zarr v3's `sharding_indexed` codec: the encoded inner chunks, then their index.
///
/// An inner chunk is `bytes` (little endian, which is this machine's order), `zstd`, `crc32c`; the index is
/// an (offset, length) of two UInt64 for each chunk in z, y, x order, then its own `crc32c`. A chunk wholly
/// beyond the array's end has no bytes; every other one is always written, so its absence is damage.
///
/// Source: Zarr v3 codec specifications `sharding-indexed` and `crc32c`; `zstd` of zarr-extensions.
enum ShardingCodec {
    /// Zstandard's fastest ordinary level: higher ones gain a few per cent on logits for twice the time.
    private static let level = 1
    private static let checksumSize = 4
    private static let absent = UInt64.max

    static func indexSize(chunks: Int) -> Int { chunks * 16 + checksumSize }

    static func encodeChunk(_ voxels: UnsafeRawBufferPointer) throws -> [UInt8] {
        appendingChecksum(to: try Zstandard.compress(voxels, level: level))
    }

    /// Decodes into `target`, which the chunk must fill exactly.
    static func decodeChunk(_ encoded: [UInt8], into target: UnsafeMutableRawBufferPointer) throws {
        try verified(encoded).withUnsafeBytes { frame in
            try Zstandard.decompress(frame, into: target)
        }
    }

    /// The index of a shard that holds `chunks` from its first byte, one after the other; nil has no bytes.
    static func encodeIndex(of chunks: [[UInt8]?]) -> [UInt8] { encodeIndex(lengths: chunks.map { $0?.count }) }

    /// The same, of chunks of so many bytes.
    static func encodeIndex(lengths: [Int?]) -> [UInt8] {
        var entries: [UInt64] = []
        var offset: UInt64 = 0
        for length in lengths {
            let length = length.map { UInt64($0) }
            entries += length.map { [offset, $0] } ?? [absent, absent]
            offset += length ?? 0
        }
        return appendingChecksum(to: entries.map(\.littleEndian).withUnsafeBytes { [UInt8]($0) })
    }

    /// Where each inner chunk lies among the first `limit` bytes of the shard; nil has no bytes.
    static func decodeIndex(_ encoded: [UInt8], within limit: Int) throws -> [Range<Int>?] {
        guard hasRightChecksum(encoded) else { throw CodecFault("the shard's index has a wrong checksum") }
        return try ranges(encoded.dropLast(checksumSize), isBigEndian: false, within: limit)
    }

    /// Where each inner chunk lies by an index without its checksum.
    static func ranges(
        _ index: ArraySlice<UInt8>, isBigEndian: Bool, within limit: Int
    ) throws -> [Range<Int>?] {
        let entries = index.withUnsafeBytes { bytes in
            (0..<bytes.count / 8).map {
                let word = bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)
                return isBigEndian ? UInt64(bigEndian: word) : UInt64(littleEndian: word)
            }
        }
        var ranges: [Range<Int>?] = []
        for chunk in 0..<entries.count / 2 {
            let (offset, length) = (entries[2 * chunk], entries[2 * chunk + 1])
            if offset == absent && length == absent {
                ranges.append(nil)
                continue
            }
            let (end, overflows) = offset.addingReportingOverflow(length)
            guard !overflows, end <= UInt64(limit) else {
                throw CodecFault("the shard's index places chunk \(chunk) beyond the file's end")
            }
            ranges.append(Int(offset)..<Int(end))
        }
        return ranges
    }

    /// The bytes before their checksum.
    static func verified(_ bytes: [UInt8]) throws -> ArraySlice<UInt8> {
        guard hasRightChecksum(bytes) else { throw CodecFault("has a wrong checksum") }
        return bytes.dropLast(checksumSize)
    }

    private static func appendingChecksum(to bytes: [UInt8]) -> [UInt8] {
        let checksum = bytes.withUnsafeBytes(CRC32C.checksum)
        return bytes + withUnsafeBytes(of: checksum.littleEndian) { [UInt8]($0) }
    }

    private static func hasRightChecksum(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= checksumSize else { return false }
        return bytes.withUnsafeBytes { bytes in
            let end = bytes.count - checksumSize
            let stored = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
            return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<end])) == stored
        }
    }
}
