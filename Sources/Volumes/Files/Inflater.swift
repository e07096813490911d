import CDeflate

/// Decompresses zlib's framing of Deflate (RFC 1950); one for each thread.
final class Inflater {
    private let decompressor: OpaquePointer?

    init() { decompressor = libdeflate_alloc_decompressor() }

    deinit { if let decompressor { libdeflate_free_decompressor(decompressor) } }

    /// Whether `stored` is sound and its content fills `target` exactly.
    func inflate(_ stored: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
        guard let decompressor, let from = stored.baseAddress, let to = target.baseAddress else { return false }
        return libdeflate_zlib_decompress(decompressor, from, stored.count, to, target.count, nil)
            == LIBDEFLATE_SUCCESS
    }
}
