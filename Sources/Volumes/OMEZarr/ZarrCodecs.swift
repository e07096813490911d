/// The codecs that turned a chunk's values into bytes, in the order in which they were applied.
struct ZarrCodecs: Sendable {
    /// How the chunk's axes were put into another order first: axis `order[i]` became axis i; nil where they were
    /// not.
    var order: [Int]?
    var serializer: Serializer
    var compressors: [ZarrCompressor]

    enum Serializer: Sendable {
        /// The values in C order.
        case values(isBigEndian: Bool)
        indirect case shards(ZarrSharding)
    }

    /// The sharding that lies outermost, if any.
    var sharding: ZarrSharding? { if case .shards(let sharding) = serializer { sharding } else { nil } }

    /// For example `zstd`, `gzip + crc32c` or `none`: the innermost codecs', which compress the voxels.
    var compression: String {
        let names = (sharding?.codecs.compression).map { $0 == "none" ? [] : [$0] } ?? []
        let all = names + compressors.filter { $0 != .crc32c }.map(\.name)
        return all.isEmpty ? "none" : all.joined(separator: " + ")
    }

    /// The shape of the pieces that are decoded together, of a chunk of `shape`.
    func innermost(of shape: [Int]) -> [Int] {
        guard let sharding else { return shape }
        let inner = sharding.codecs.innermost(of: sharding.chunk)
        guard let order else { return inner }
        var restored = inner
        for (axis, source) in order.enumerated() { restored[source] = inner[axis] }
        return restored
    }

    /// Undoes `compressors`; the last must give `size` bytes, or at most so many.
    func decompressed(_ bytes: [UInt8], size: Int, isExact: Bool) throws -> [UInt8] {
        var bytes = bytes
        for (index, compressor) in compressors.enumerated().reversed() {
            // Between two compressors the size is unknown, but what they add is bounded.
            let capacity = (0..<index).reduce(size) { bound, _ in ZarrCompressor.largestEncoded(bound) }
            bytes = try compressor.decoded(bytes, capacity: capacity, isExact: isExact && index == 0)
        }
        guard isExact ? bytes.count == size : bytes.count <= size else {
            throw CodecFault("holds \(grouped(bytes.count)) bytes instead of \(grouped(size))")
        }
        return bytes
    }
}

/// Zarr v3's `sharding_indexed`: chunks within a chunk, and an index of where each lies.
struct ZarrSharding: Sendable {
    /// The shape of an inner chunk.
    var chunk: [Int]
    var codecs: ZarrCodecs
    var indexIsBigEndian: Bool
    var indexHasChecksum: Bool
    var indexIsAtStart: Bool

    /// Bytes of the index of a shard of so many inner chunks.
    func indexSize(chunks: Int) -> Int { chunks * 16 + (indexHasChecksum ? 4 : 0) }

    /// Where each inner chunk lies among the `limit` bytes of the shard; nil has no bytes.
    func decodeIndex(_ encoded: [UInt8], within limit: Int) throws -> [Range<Int>?] {
        let plain = indexHasChecksum ? try ShardingCodec.verified(encoded) : encoded[...]
        return try ShardingCodec.ranges(plain, isBigEndian: indexIsBigEndian, within: limit)
    }
}
