import CDeflate
import CLZF

/// The filters of a dataset's chunks undone without libhdf5, which would take one chunk at a time: gzip, LZF, zstd,
/// shuffle and Fletcher32 checksums.
struct HDF5Pipeline: Sendable {
    private let filters: [HDF5Filter]
    /// The size of a chunk without filters.
    private let chunkBytes: Int

    private enum Kind {
        static let gzip: Int32 = 1, shuffle: Int32 = 2, fletcher32: Int32 = 3, lzf: Int32 = 32000,
            zstd: Int32 = 32015
        static let compressors = [gzip, lzf, zstd]
    }

    /// Nil where a filter is none of these, or several compress: the size between them is not known.
    init?(_ filters: [HDF5Filter], chunkBytes: Int) {
        guard filters.allSatisfy({ Self.decodes($0) }),
            filters.count(where: { Kind.compressors.contains($0.id) }) <= 1
        else { return nil }
        self.filters = filters
        self.chunkBytes = chunkBytes
    }

    static func decodes(_ filter: HDF5Filter) -> Bool {
        Kind.compressors.contains(filter.id) || [Kind.shuffle, Kind.fletcher32].contains(filter.id)
    }

    /// The chunk's values in the file's type.
    ///
    /// - Parameter mask: Bit i is set where filter i was left out for this chunk.
    /// - Throws: `CodecFault` where the chunk is damaged.
    func decode(_ stored: [UInt8], leavingOut mask: UInt32) throws -> [UInt8] {
        let applied = filters.indices.filter { $0 >= 32 || mask >> UInt32($0) & 1 == 0 }.map { filters[$0] }
        var bytes = stored
        for (index, filter) in applied.enumerated().reversed() {
            // A checksum made before has its four bytes among those compressed.
            let size = chunkBytes + 4 * applied[..<index].count { $0.id == Kind.fletcher32 }
            switch filter.id {
            case Kind.gzip: bytes = try Self.inflated(bytes, size)
            case Kind.lzf: bytes = try Self.lzfDecompressed(bytes, size)
            case Kind.zstd: bytes = try Self.zstdDecompressed(bytes, size)
            case Kind.fletcher32: bytes = try Fletcher32.verified(bytes)
            default: bytes = Shuffle.unshuffled(bytes, elementSize: filter.values.first.map { Int($0) } ?? 1)
            }
        }
        guard bytes.count == chunkBytes else {
            throw CodecFault("it holds \(bytes.count) bytes instead of \(chunkBytes)")
        }
        return bytes
    }

    private static func inflated(_ bytes: [UInt8], _ size: Int) throws -> [UInt8] {
        // Deflate makes at most 1,032 bytes of one (zlib's Technical Details): no memory for a bomb that cannot be.
        guard size / 1_100 <= bytes.count else { throw CodecFault("its gzip data are too short") }
        guard let decompressor = libdeflate_alloc_decompressor() else { throw CodecFault("memory is short") }
        defer { libdeflate_free_decompressor(decompressor) }
        return try [UInt8](unsafeUninitializedCapacity: size) { target, filled in
            var written = 0
            let result = libdeflate_zlib_decompress(
                decompressor, bytes, bytes.count, target.baseAddress, size, &written)
            guard result == LIBDEFLATE_SUCCESS, written == size else {
                throw CodecFault("its gzip data are damaged")
            }
            filled = size
        }
    }

    private static func lzfDecompressed(_ bytes: [UInt8], _ size: Int) throws -> [UInt8] {
        guard let length = UInt32(exactly: bytes.count), let capacity = UInt32(exactly: size) else {
            throw CodecFault("its LZF data are too large")
        }
        return try [UInt8](unsafeUninitializedCapacity: size) { target, filled in
            guard lzf_decompress(bytes, length, target.baseAddress, capacity) == capacity else {
                throw CodecFault("its LZF data are damaged")
            }
            filled = size
        }
    }

    private static func zstdDecompressed(_ bytes: [UInt8], _ size: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: size) { target, filled in
            try bytes.withUnsafeBytes { try Zstandard.decompress($0, into: UnsafeMutableRawBufferPointer(target)) }
            filled = size
        }
    }
}
