import CTIFF
import Foundation

/// Decodes strips and tiles of a stack's files; one for each thread.
///
/// Of what is uncompressed, Deflate or Zstandard it reads the stored bytes itself; the rest is libtiff's.
final class TIFFDecoder {
    private let files: [TIFFStack.File]
    private let inflater = Inflater()
    private var stored = ScratchBuffer()
    private var decoded = ScratchBuffer()
    /// The file last read from.
    private var open: (index: Int, file: ReadableFile, handle: TIFFHandle?)?

    init(_ files: [TIFFStack.File]) { self.files = files }

    /// Fills `target` with the file's bytes from `offset`.
    func readPlain(_ target: UnsafeMutableRawBufferPointer, file: Int, at offset: Int) throws {
        let done = try self.file(file).read(into: target, at: offset)
        guard done == target.count else {
            throw ChunkFault(
                "is truncated (expected \(grouped(target.count)) bytes at byte \(grouped(offset)), "
                    + "found \(grouped(done)))")
        }
    }

    /// The bytes of a chunk, uncompressed and in this machine's order; valid until the next call.
    func decode(chunk index: Int, of page: TIFFPage, file: Int) throws -> UnsafeRawBufferPointer {
        let target = decoded.resized(to: page.bytes(ofChunk: index))
        try decode(chunk: index, of: page, file: file, into: target)
        return UnsafeRawBufferPointer(target)
    }

    /// Decodes a chunk into `target`, which has just its size.
    func decode(
        chunk index: Int, of page: TIFFPage, file: Int, into target: UnsafeMutableRawBufferPointer
    ) throws {
        if page.isDecodedHere, try decodeHere(chunk: index, of: page, file: file, into: target) {
            page.predictor.undo(
                target, rowBytes: page.chunkRowBytes, size: page.sample.bits / 8, samples: page.samplesTogether,
                isSwapped: page.isSwapped)
            return
        }
        try decodeByLibrary(chunk: index, of: page, file: file, into: target)
    }

    /// False where the stored bytes are not what they should be; libtiff then says why, or knows what to make of it.
    private func decodeHere(
        chunk index: Int, of page: TIFFPage, file: Int, into target: UnsafeMutableRawBufferPointer
    ) throws -> Bool {
        let (offset, count) = page.extent(ofChunk: index)
        if page.compression.isNone {
            try readPlain(target, file: file, at: offset)
            if page.isBitReversed { reverseBits(of: target) }
            return true
        }
        // No sound stream is much larger than what it holds.
        let bytes = stored.resized(to: min(count, target.count + target.count / 8 + 1024))
        try readPlain(bytes, file: file, at: offset)
        if page.isBitReversed { reverseBits(of: bytes) }
        if page.compression.isDeflate { return inflater.inflate(UnsafeRawBufferPointer(bytes), into: target) }
        do {
            try Zstandard.decompress(UnsafeRawBufferPointer(bytes), into: target)
            return true
        } catch is CodecFault {
            return false
        }
    }

    /// libtiff undoes predictor, byte and fill order.
    private func decodeByLibrary(
        chunk index: Int, of page: TIFFPage, file: Int, into target: UnsafeMutableRawBufferPointer
    ) throws {
        let handle = try handle(file)
        handle.clearMessage()
        if TIFFCurrentDirOffset(handle.pointer) != page.directory {
            guard TIFFSetSubDirectory(handle.pointer, page.directory) != 0 else {
                throw ChunkFault("cannot be read: \(handle.problem(otherwise: "its directory is damaged"))")
            }
        }
        if page.compression.isJPEG { handle.decodeJPEGAsRGB() }
        handle.clearMessage()
        let size =
            page.isTiled ? TIFFTileSize64(handle.pointer) : TIFFVStripSize64(handle.pointer, UInt32(page.chunk.y))
        let place = "\(page.isTiled ? "tile" : "strip") \(index + 1) of \(page.chunkCount)"
        guard size == UInt64(page.chunkBytes) else {
            throw ChunkFault(
                "cannot be decoded (\(place): has \(size) bytes, expected \(grouped(page.chunkBytes)))")
        }
        let found =
            page.isTiled
            ? TIFFReadEncodedTile(handle.pointer, UInt32(index), target.baseAddress, tmsize_t(target.count))
            : TIFFReadEncodedStrip(handle.pointer, UInt32(index), target.baseAddress, tmsize_t(target.count))
        if found == target.count { return }
        let problem = handle.problem(
            otherwise: "expected \(grouped(target.count)) bytes, found \(grouped(max(0, Int(found))))")
        throw ChunkFault("cannot be decoded (\(place): \(problem))")
    }

    private func file(_ index: Int) throws -> ReadableFile {
        if let open, open.index == index { return open.file }
        do {
            let file = try ReadableFile(files[index].path)
            open = (index, file, nil)
            return file
        } catch is MissingFile {
            throw FileFault(files[index].path, "is gone")
        }
    }

    private func handle(_ index: Int) throws -> TIFFHandle {
        let file = try file(index)
        if let handle = open?.handle { return handle }
        let handle = try TIFFHandle(reading: file.path)
        open?.handle = handle
        return handle
    }
}

/// What is wrong with a chunk; which section it belongs to is for the reader to say.
struct ChunkFault: Error {
    let problem: String

    init(_ problem: String) { self.problem = problem }
}

private func reverseBits(of bytes: UnsafeMutableRawBufferPointer) {
    bytes.withMemoryRebound(to: UInt8.self) { values in
        for index in values.indices {
            var value = values[index]
            value = value << 4 | value >> 4
            value = (value & 0x33) << 2 | (value >> 2) & 0x33
            values[index] = (value & 0x55) << 1 | (value >> 1) & 0x55
        }
    }
}
