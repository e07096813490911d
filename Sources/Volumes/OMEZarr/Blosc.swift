import CBlosc

/// Blosc buffers (format of c-blosc 1), as numcodecs writes them: what Zarr v2's `blosc` codec keeps.
enum Blosc {
    static let compressor = "zstd"
    /// Zstandard's fastest ordinary level, as in shards.
    static let level = 1
    /// Bytes of like significance together.
    static let shuffle = BLOSC_SHUFFLE

    static func compress(_ bytes: [UInt8], elementSize: Int) throws -> [UInt8] {
        let bound = bytes.count + Int(BLOSC_MAX_OVERHEAD)
        return try [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            let written = blosc_compress_ctx(
                Int32(level), shuffle, elementSize, bytes.count, bytes, target.baseAddress, bound, compressor, 0, 1)
            guard written > 0 else { throw CodecFault("cannot be compressed by blosc") }
            count = Int(written)
        }
    }
}
