import CBlosc
import CDeflate
import CLZ4
import CZstd

/// A codec from bytes to bytes, as one chunk went through it.
///
/// A chunk is never decoded to more than its caller expects: that is what its array's metadata declare.
///
/// Source: the codecs of numcodecs for Zarr v2; the Zarr v3 codec specifications.
enum ZarrCompressor: Sendable, Equatable {
    case zstd, gzip, zlib, lz4, crc32c
    /// N5's LZ4, by lz4-java: blocks with a header each.
    case lz4Blocks
    /// By its inner compressor: `lz4`, `zstd`, `zlib`, `blosclz`, `lz4hc`, `snappy`.
    case blosc(String)

    /// For example `zstd` or `blosc (lz4)`.
    var name: String {
        switch self {
        case .zstd: "zstd"
        case .gzip: "gzip"
        case .zlib: "zlib"
        case .lz4, .lz4Blocks: "lz4"
        case .crc32c: "crc32c"
        case .blosc(let inner): "blosc (\(inner))"
        }
    }

    /// The most bytes that `count` may take once encoded: no codec adds as much to what it cannot compress.
    static func largestEncoded(_ count: Int) -> Int { count + count / 8 + 4096 }

    /// The bytes that were encoded, `capacity` at most.
    ///
    /// - Parameter isExact: Whether they must be `capacity`, so that a chunk that says otherwise of itself is
    ///   refused before any memory is taken for it.
    /// - Throws: `CodecFault`.
    func decoded(_ bytes: [UInt8], capacity: Int, isExact: Bool) throws -> [UInt8] {
        if let stated = statedSize(of: bytes) {
            guard isExact ? stated == UInt64(capacity) : stated <= UInt64(capacity) else {
                throw CodecFault(
                    "states a size of \(stated) bytes; expected \(isExact ? "" : "at most ")\(grouped(capacity))")
            }
        }
        let result = try decoded(bytes, capacity: capacity)
        guard !isExact || result.count == capacity else {
            throw CodecFault("holds \(grouped(result.count)) bytes instead of \(grouped(capacity))")
        }
        return result
    }

    /// What the encoded bytes say of the size of what they hold; nil where they do not.
    private func statedSize(of bytes: [UInt8]) -> UInt64? {
        switch self {
        case .zstd:
            // The last two numbers mean that it is not known, or that this is no frame.
            let size = ZSTD_getFrameContentSize(bytes, bytes.count)
            return size < UInt64.max - 1 ? size : nil
        case .lz4:
            return bytes.count >= 4 ? UInt64(Self.littleEndian(bytes.prefix(4))) : nil
        case .blosc:
            return bytes.count >= 8 ? UInt64(Self.littleEndian(bytes[4..<8])) : nil
        case .gzip, .zlib, .crc32c, .lz4Blocks: return nil
        }
    }

    private static func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func decoded(_ bytes: [UInt8], capacity: Int) throws -> [UInt8] {
        switch self {
        case .crc32c: try [UInt8](ShardingCodec.verified(bytes))
        case .zstd:
            try Self.filled(capacity) { target in
                try bytes.withUnsafeBytes { try Zstandard.decompress($0, upTo: target) }
            }
        case .gzip: try Self.inflated(bytes, capacity: capacity, libdeflate_gzip_decompress)
        case .zlib: try Self.inflated(bytes, capacity: capacity, libdeflate_zlib_decompress)
        case .lz4: try Self.filled(capacity) { try Self.unpackedLZ4(bytes.dropFirst(4), $0) }
        case .lz4Blocks: try Self.filled(capacity) { try Self.unpackedLZ4Blocks(bytes, $0) }
        case .blosc: try Self.filled(capacity) { try Self.unpackedBlosc(bytes, $0) }
        }
    }

    /// An array of what `fill` wrote; it gives the number of bytes.
    private static func filled(
        _ capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int
    ) rethrows -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            let target = UnsafeMutableRawBufferPointer(start: target.baseAddress, count: capacity)
            count = try fill(target)
        }
    }

    private static func inflated(
        _ bytes: [UInt8], capacity: Int,
        _ decompress: (
            OpaquePointer?, UnsafeRawPointer?, Int, UnsafeMutableRawPointer?, Int, UnsafeMutablePointer<Int>?
        ) -> libdeflate_result
    ) throws -> [UInt8] {
        guard let decompressor = libdeflate_alloc_decompressor() else { preconditionFailure("out of memory") }
        defer { libdeflate_free_decompressor(decompressor) }
        return try filled(capacity) { target in
            var written = 0
            switch decompress(decompressor, bytes, bytes.count, target.baseAddress, capacity, &written) {
            case LIBDEFLATE_SUCCESS: return written
            case LIBDEFLATE_INSUFFICIENT_SPACE:
                throw CodecFault("holds more than the \(grouped(capacity)) bytes that its array declares")
            default: throw CodecFault("is no sound gzip or zlib stream")
            }
        }
    }

    /// One block; numcodecs puts its size before, in four bytes.
    private static func unpackedLZ4(
        _ block: ArraySlice<UInt8>, _ target: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        guard !block.isEmpty, let size = Int32(exactly: block.count), let capacity = Int32(exactly: target.count)
        else { throw CodecFault("is no sound lz4 block") }
        let written = block.withUnsafeBytes { source in
            LZ4_decompress_safe(
                source.baseAddress!.assumingMemoryBound(to: CChar.self),
                target.baseAddress?.assumingMemoryBound(to: CChar.self), size, capacity)
        }
        guard written >= 0 else { throw CodecFault("is no sound lz4 block") }
        return Int(written)
    }

    /// lz4-java's LZ4BlockOutputStream: `LZ4Block`, the method, the sizes packed and unpacked and a checksum (which is
    /// not compared) before each block; the last is empty.
    private static func unpackedLZ4Blocks(
        _ bytes: [UInt8], _ target: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        let (magic, headerSize) = (Array("LZ4Block".utf8), 21)
        var (position, done) = (0, 0)
        while position < bytes.count {
            let header = bytes[position...].prefix(headerSize)
            guard header.count == headerSize, header.starts(with: magic) else {
                throw CodecFault("is no sound lz4 stream")
            }
            let sizes = header.dropFirst(magic.count + 1)
            let packed = Int(littleEndian(sizes.prefix(4)))
            let size = Int(littleEndian(sizes.dropFirst(4).prefix(4)))
            position += headerSize
            if size == 0 { break }
            guard packed <= bytes.count - position, size <= target.count - done else {
                throw CodecFault("is no sound lz4 stream")
            }
            let block = bytes[position..<position + packed]
            let part = UnsafeMutableRawBufferPointer(rebasing: target[done..<done + size])
            let isPlain = header[header.startIndex + magic.count] >> 4 == 1
            if isPlain { part.copyBytes(from: block.prefix(size)) }
            guard try isPlain ? packed == size : unpackedLZ4(block, part) == size else {
                throw CodecFault("is no sound lz4 stream")
            }
            position += packed
            done += size
        }
        return done
    }

    private static func unpackedBlosc(_ bytes: [UInt8], _ target: UnsafeMutableRawBufferPointer) throws -> Int {
        var stated = 0
        guard blosc_cbuffer_validate(bytes, bytes.count, &stated) == 0, stated <= target.count else {
            throw CodecFault("is no sound blosc buffer")
        }
        let written = blosc_decompress_ctx(bytes, target.baseAddress, stated, 1)
        guard written == stated else { throw CodecFault("is no sound blosc buffer") }
        return stated
    }
}
