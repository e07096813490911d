import CDeflate
import CZlib

/// Deflate (RFC 1951).
enum Deflate {
    /// In zlib's framing (RFC 1950), as HDF5's gzip filter keeps it.
    static func compress(_ bytes: [UInt8], level: Int) -> [UInt8] {
        guard let compressor = libdeflate_alloc_compressor(Int32(level)) else {
            preconditionFailure("out of memory")
        }
        defer { libdeflate_free_compressor(compressor) }
        let bound = libdeflate_zlib_compress_bound(compressor, bytes.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            count = libdeflate_zlib_compress(compressor, bytes, bytes.count, target.baseAddress, bound)
        }
    }

    /// Blocks of a longer stream, none of them its last, that end at a byte and refer to nothing before them.
    static func blocks(_ bytes: ArraySlice<UInt8>, level: Int32) -> [UInt8] {
        var stream = z_stream()
        guard czlib_start_deflate(&stream, level) == Z_OK else { preconditionFailure("out of memory") }
        defer { deflateEnd(&stream) }
        // The mark that ends the blocks has five bytes and a few bits.
        let bound = Int(deflateBound(&stream, UInt(bytes.count))) + 16
        return bytes.withUnsafeBytes { source in
            [UInt8](unsafeUninitializedCapacity: bound) { target, count in
                stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(bound)
                deflate(&stream, Z_SYNC_FLUSH)
                count = bound - Int(stream.avail_out)
            }
        }
    }

    /// An empty block that ends a stream.
    static let lastBlock: [UInt8] = [3, 0]
}
