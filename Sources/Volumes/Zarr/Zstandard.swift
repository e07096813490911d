import CZstd

/// Zstandard frames (RFC 8878), as Zarr's `zstd` codec keeps them.
enum Zstandard {
    static func compress(_ bytes: UnsafeRawBufferPointer, level: Int) throws -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        var written = 0
        let frame = [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            written = ZSTD_compress(target.baseAddress, bound, bytes.baseAddress, bytes.count, Int32(level))
            count = ZSTD_isError(written) == 0 ? written : 0
        }
        try check(written)
        return frame
    }

    /// Decompresses into `target`, which the content must fill exactly.
    static func decompress(
        _ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws {
        let written = try decompress(frame, upTo: target)
        guard written == target.count else {
            throw CodecFault("holds \(written) bytes instead of \(target.count)")
        }
    }

    /// Decompresses into `target`, which the content may leave in part; returns the content's size.
    static func decompress(
        _ frame: UnsafeRawBufferPointer, upTo target: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        let written = ZSTD_decompress(target.baseAddress, target.count, frame.baseAddress, frame.count)
        try check(written)
        return written
    }

    private static func check(_ result: Int) throws {
        if ZSTD_isError(result) != 0 {
            throw CodecFault("is no sound zstd frame: \(String(cString: ZSTD_getErrorName(result)))")
        }
    }
}
