import CPNG

/// Reads one channel of a PNG as a volume of one section: uint8 or uint16, samples as stored. Red, green, blue and alpha
/// are channels; a palette's image is its indices. The resolution in a PNG is a printer's and states no voxel size.
public final class PNGReader: VolumeReader, Sendable {
    public let info: VolumeInfo
    private let file: ReadableFile
    private let header: PNGHeader
    private let channel: Int

    /// No image of more bytes than this is decoded.
    private static let largestImage = 512 << 20
    /// Bytes that 1 byte of Deflate yields at most.
    private static let greatestExpansion = 1_032

    /// - Throws: `FileFault` where the file is no PNG, claims more pixels than its bytes can hold, or has several
    ///   channels of which none is chosen.
    public init(path: String, _ selection: VolumeSelection = VolumeSelection()) throws {
        do { file = try ReadableFile(path) } catch is MissingFile {
            throw FileFault(path, "there is no such file")
        }
        header = try PNGHeader(try file.read(PNGHeader.size, at: 0), file: path)
        let size = "y \(header.height) × x \(header.width) pixels"
        let (bytes, overflow) = header.height.multipliedReportingOverflow(by: header.rowBytes)
        guard !overflow, bytes <= PNGReader.largestImage else {
            throw FileFault(path, "has \(size); images of up to \(grouped(PNGReader.largestImage)) bytes are read")
        }
        // Samples of 1 bit become a byte each.
        guard bytes / 8 / PNGReader.greatestExpansion <= file.size else {
            throw FileFault(path, "claims \(size) in a file of \(grouped(file.size)) bytes")
        }
        channel =
            try selection.resolved(channels: header.samples, times: 1, of: path).channel ?? 0
        let shape = ZYX(1, header.height, header.width)
        var info = VolumeInfo(
            source: path, format: "PNG", shape: shape, elementType: header.bits == 16 ? .uint16 : .uint8,
            voxelSize: .none, chunk: shape, compression: "deflate")
        info.channels = header.samples
        self.info = info
    }

    public func read(_ box: Box) throws -> VoxelBuffer {
        precondition(Box(info.shape).contains(box), "\(box) is not within \(Box(info.shape))")
        let pixels = try decode()
        let size = info.elementType.size
        let bytes = [UInt8](ofSize: box.count * size) { target in
            pixels.withUnsafeBytes { pixels in
                for y in 0..<box.shape.y where !box.isEmpty {
                    let start = (box.origin.y + y) * header.rowBytes
                    copySamples(
                        box.shape.x, of: UnsafeRawBufferPointer(rebasing: pixels[start..<start + header.rowBytes]),
                        first: box.origin.x, size: size,
                        into: UnsafeMutableRawBufferPointer(
                            rebasing: target[y * box.shape.x * size..<(y + 1) * box.shape.x * size]))
                }
            }
        }
        return VoxelBuffer(elementType: info.elementType, shape: box.shape, bytes: bytes)
    }

    private func copySamples(
        _ count: Int, of row: UnsafeRawBufferPointer, first: Int, size: Int,
        into target: UnsafeMutableRawBufferPointer
    ) {
        if header.samples == 1 {
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: row[first * size..<(first + count) * size]))
            return
        }
        for x in 0..<count {
            let from = ((first + x) * header.samples + channel) * size
            for byte in 0..<size { target[x * size + byte] = row[from + byte] }
        }
    }

    private func decode() throws -> [UInt8] {
        let size = header.height * header.rowBytes
        // No sound stream is much larger than what it holds; metadata have room, too.
        let stored = try file.read(min(file.size, size + size / 8 + (64 << 20)), at: 0)
        return try [UInt8](ofSize: size) { pixels in
            try stored.withUnsafeBytes { stored in
                var source = cpng_source()
                source.bytes = stored.baseAddress?.assumingMemoryBound(to: UInt8.self)
                source.count = stored.count
                let pointer = pixels.baseAddress?.assumingMemoryBound(to: UInt8.self)
                if cpng_decode(&source, pointer, UInt32(clamping: header.height), header.rowBytes) == 1 { return }
                let text = withUnsafeBytes(of: source.message) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                throw FileFault(file.path, "cannot be decoded: \(text.isEmpty ? "out of memory" : text)")
            }
        }
    }
}
