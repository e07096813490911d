import CTIFF

/// What one page (image file directory) of a TIFF holds and where its strips or tiles, here both chunks, lie.
struct TIFFPage {
    /// No strip or tile is decoded to more bytes than this.
    static let largestChunk = 512 << 20

    /// Where the directory itself lies in the file.
    var directory: UInt64
    /// z is 1 but for the rare pages with an ImageDepth.
    let shape: ZYX<Int>
    /// Samples of a pixel: 1 for grey, 3 for RGB.
    let samples: Int
    /// Whether each sample has chunks of its own.
    let isPlanar: Bool
    let sample: TIFFSample
    let compression: TIFFCompression
    let predictor: TIFFPredictor
    /// The shape of a chunk; a strip is as wide as the page.
    var chunk: ZYX<Int>
    let isTiled: Bool
    /// Whether the page is marked as a smaller version of another page.
    let isReduced: Bool
    /// Whether the file's byte order is not this machine's.
    let isSwapped: Bool
    /// Whether the bits of each byte are stored lowest first.
    let isBitReversed: Bool
    var table: TIFFChunkTable

    /// Samples that lie together in a chunk's pixel.
    var samplesTogether: Int { isPlanar ? 1 : samples }
    /// Bytes of a row of a chunk; every row begins at a byte.
    var chunkRowBytes: Int { (chunk.x * samplesTogether * sample.bits + 7) / 8 }
    var chunkBytes: Int { chunk.z * chunk.y * chunkRowBytes }
    var grid: ZYX<Int> { chunk.cells(covering: shape) }
    var chunkCount: Int { grid.count * (isPlanar ? samples : 1) }
    /// Bytes of the whole page, uncompressed in strips.
    var byteCount: Int {
        shape.y * ((shape.x * samplesTogether * sample.bits + 7) / 8) * (isPlanar ? samples : 1)
    }

    /// Whether rows of one sample can be read where they lie.
    var isPlain: Bool {
        compression.isNone && !isTiled && !isBitReversed && sample.isElement && samplesTogether == 1
    }
    /// Whether chunks are decoded without libtiff.
    var isDecodedHere: Bool {
        if compression.isNone { return sample.bits != 24 }
        return (compression.isDeflate || compression.isZstandard) && [8, 16, 32, 64].contains(sample.bits)
            && (predictor != .floatingPoint || sample.kind == .floating)
    }

    /// For example `y 512 × x 512 uint8`, `y 9 × x 21 uint8, 3 samples a pixel`.
    var summary: String {
        let depth = shape.z == 1 ? "" : "z \(shape.z) × "
        return "\(depth)y \(shape.y) × x \(shape.x) \(sample.name)"
            + (samples == 1 ? "" : ", \(samples) samples a pixel")
    }

    func hasSameLayout(as other: TIFFPage) -> Bool {
        shape == other.shape && sample.elementType == other.sample.elementType && samples == other.samples
    }

    /// Rows of a chunk that are stored: the last strip of a page is cut.
    func rows(ofChunk index: Int) -> Int {
        isTiled ? chunk.y : min(chunk.y, shape.y - index / grid.x % grid.y * chunk.y)
    }

    func bytes(ofChunk index: Int) -> Int { chunk.z * rows(ofChunk: index) * chunkRowBytes }

    /// Where a chunk's stored bytes lie.
    func extent(ofChunk index: Int) -> (offset: Int, count: Int) {
        switch table {
        case .run(let start):
            let plane = index / grid.count
            let row = index % grid.count * chunk.y
            return (start + (plane * shape.y + row) * chunkRowBytes, bytes(ofChunk: index))
        case .listed(let offsets, let counts):
            return (offsets[index], compression.isNone ? bytes(ofChunk: index) : counts[index])
        }
    }

    /// Where an uncompressed page that is one run of bytes begins.
    var runStart: Int? { if case .run(let start) = table { start } else { nil } }

    /// Splits the strips of an uncompressed page that is one run of bytes into ones of about `bytes`: some programs write
    /// a page as a single strip, however large.
    mutating func splitRun(bytes: Int) {
        guard runStart != nil, isDecodedHere, !isPlain else { return }
        chunk.y = min(chunk.y, max(1, bytes / chunkRowBytes))
    }

    /// The same page with its bytes, uncompressed and in one run, elsewhere, and with `directory` where it has its own.
    func moved(to start: Int, directory: UInt64? = nil) -> TIFFPage {
        var page = self
        if let directory { page.directory = directory }
        page.table = .run(start)
        return page
    }
}

/// Where the chunks of a page lie.
enum TIFFChunkTable {
    /// Uncompressed strips, one after the other, from a byte on.
    case run(Int)
    case listed(offsets: [Int], counts: [Int])
}
