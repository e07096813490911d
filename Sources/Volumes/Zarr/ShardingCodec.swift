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
        guard hasRightChecksum(encoded) else { throw CodecFault("has a wrong checksum") }
        try encoded.withUnsafeBytes { bytes in
            let frame = UnsafeRawBufferPointer(rebasing: bytes.dropLast(checksumSize))
            try Zstandard.decompress(frame, into: target)
        }
    }

    /// The index of a shard that holds `chunks` from its first byte, one after the other; nil has no bytes.
    static func encodeIndex(of chunks: [[UInt8]?]) -> [UInt8] {
        var entries: [UInt64] = []
        var offset: UInt64 = 0
        for chunk in chunks {
            let length = chunk.map { UInt64($0.count) }
            entries += length.map { [offset, $0] } ?? [absent, absent]
            offset += length ?? 0
        }
        return appendingChecksum(to: entries.map(\.littleEndian).withUnsafeBytes { [UInt8]($0) })
    }

    /// Where each inner chunk lies among the first `limit` bytes of the shard; nil has no bytes.
    static func decodeIndex(_ encoded: [UInt8], within limit: Int) throws -> [Range<Int>?] {
        guard hasRightChecksum(encoded) else { throw CodecFault("the shard's index has a wrong checksum") }
        let entries = encoded.withUnsafeBytes { bytes in
            (0..<bytes.count / 8).map {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
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
