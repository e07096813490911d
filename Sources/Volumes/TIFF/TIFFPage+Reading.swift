import CTIFF

extension TIFFPage {
    /// Describes the handle's current directory.
    ///
    /// - Parameter entries: how many strips and tiles the file's directories may still list.
    /// - Throws: `FileFault` where the page is not an image of a kind that is read, or claims more data than its
    ///   bytes can hold.
    init(current handle: TIFFHandle, number: Int, entries: inout Int) throws {
        func refuse(_ problem: String) -> FileFault { FileFault(handle.path, "page \(number) \(problem)") }

        directory = TIFFCurrentDirOffset(handle.pointer)
        guard let width = handle.uint32(TIFFTAG_IMAGEWIDTH), width > 0,
            let height = handle.uint32(TIFFTAG_IMAGELENGTH), height > 0
        else { throw refuse("has no width or no height") }
        isTiled = TIFFIsTiled(handle.pointer) != 0
        let depth = max(1, handle.uint32(TIFFTAG_IMAGEDEPTH) ?? 1)
        guard depth == 1 || isTiled else { throw refuse("has an ImageDepth of \(depth) and no tiles") }
        shape = ZYX(depth, height, width)

        compression = TIFFCompression(code: handle.uint16(TIFFTAG_COMPRESSION) ?? Int(COMPRESSION_NONE))
        guard compression.isReadable else {
            throw refuse("is compressed with \(compression.name), which is not read here")
        }
        samples = handle.uint16(TIFFTAG_SAMPLESPERPIXEL) ?? 1
        guard samples > 0 else { throw refuse("has no samples") }
        sample = try TIFFPage.sample(of: handle, refuse)
        isPlanar = samples > 1 && handle.uint16(TIFFTAG_PLANARCONFIG) == Int(PLANARCONFIG_SEPARATE)
        try TIFFPage.checkColour(of: handle, compression, refuse)
        // libtiff knows the tag only where the compression does.
        let predictorCode = compression.hasPredictor ? handle.uint16(TIFFTAG_PREDICTOR) ?? 1 : 1
        guard let predictor = TIFFPredictor(rawValue: predictorCode) else {
            throw refuse("has a predictor of kind \(predictorCode); 1 to 3 are read")
        }
        self.predictor = predictor
        isReduced = (handle.uint32(TIFFTAG_SUBFILETYPE) ?? 0) & Int(FILETYPE_REDUCEDIMAGE) != 0
        isSwapped = TIFFIsByteSwapped(handle.pointer) != 0
        isBitReversed = handle.uint16(TIFFTAG_FILLORDER) == Int(FILLORDER_LSB2MSB)

        let rows = handle.uint32(isTiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP) ?? height
        let chunk = ZYX(
            isTiled ? max(1, handle.uint32(TIFFTAG_TILEDEPTH) ?? 1) : 1,
            isTiled ? rows : min(max(rows, 1), height),
            isTiled ? handle.uint32(TIFFTAG_TILEWIDTH) ?? 0 : width)
        guard chunk.y > 0, chunk.x > 0 else { throw refuse("has tiles without a width or a height") }
        self.chunk = chunk
        // Up to 8 bytes a sample; the later arithmetic on pages and chunks stays within these products.
        let extents = [max(depth, chunk.z), max(height, chunk.y), max(width, chunk.x), samples, 16]
        guard extents.reduce(1.0, { $0 * Double($1) }) < 0x1p62 else {
            throw refuse("claims \(shape) pixels of \(samples) samples, more than any file holds")
        }

        table = .run(0)
        try readTable(of: handle, entries: &entries, refuse)
        splitRun(bytes: 1 << 20)
        try checkChunks(refuse)
    }

    private mutating func readTable(
        of handle: TIFFHandle, entries: inout Int, _ refuse: (String) -> FileFault
    ) throws {
        let count = chunkCount
        // Strips and tiles take room in a directory, so this bounds the arrays below.
        guard count <= entries else {
            throw refuse("claims \(grouped(count)) strips or tiles in a file of \(grouped(handle.fileSize)) bytes")
        }
        entries -= count
        var offsets: [Int] = []
        offsets.reserveCapacity(count)
        for index in 0..<UInt32(clamping: count) {
            offsets.append(Int(clamping: TIFFGetStrileOffset(handle.pointer, index)))
        }
        if compression.isNone, !isTiled, let start = offsets.first, start > 0, isRun(offsets) {
            table = .run(start)
            return
        }
        var counts: [Int] = []
        counts.reserveCapacity(count)
        for index in 0..<UInt32(clamping: count) {
            counts.append(Int(clamping: TIFFGetStrileByteCount(handle.pointer, index)))
        }
        table = .listed(offsets: offsets, counts: counts)
    }

    private func isRun(_ offsets: [Int]) -> Bool {
        var next = offsets[0]
        for (index, offset) in offsets.enumerated() {
            guard offset == next else { return false }
            let (end, overflow) = offset.addingReportingOverflow(bytes(ofChunk: index))
            if overflow { return false }
            next = end
        }
        return true
    }

    /// Refuses a page whose chunks would decode to more than their stored bytes can ever yield, before anything of that
    /// size is allocated.
    private func checkChunks(_ refuse: (String) -> FileFault) throws {
        if isPlain { return }
        let chunkName = isTiled ? "tile" : "strip"
        let counts = compressedCounts
        for (index, stored) in counts.enumerated() {
            let decoded = bytes(ofChunk: index)
            if decoded / compression.greatestExpansion > stored {
                throw refuse(
                    "claims \(grouped(decoded)) bytes in \(chunkName) \(index + 1) of \(counts.count), which stores "
                        + grouped(stored))
            }
        }
        guard chunkBytes <= TIFFPage.largestChunk else {
            throw refuse(
                "has a \(chunkName) of \(grouped(chunkBytes)) bytes; up to \(grouped(TIFFPage.largestChunk)) are read"
            )
        }
    }

    /// Stored bytes of each chunk; none where they are not compressed.
    private var compressedCounts: [Int] {
        if !compression.isNone, case .listed(_, let counts) = table { counts } else { [] }
    }

    private static func sample(of handle: TIFFHandle, _ refuse: (String) -> FileFault) throws -> TIFFSample {
        let bits = handle.uint16(TIFFTAG_BITSPERSAMPLE) ?? 1
        let format = handle.uint16(TIFFTAG_SAMPLEFORMAT) ?? Int(SAMPLEFORMAT_UINT)
        if let sample = TIFFSample(format: format, bits: bits) { return sample }
        let found =
            switch Int32(format) {
            case SAMPLEFORMAT_COMPLEXINT, SAMPLEFORMAT_COMPLEXIEEEFP: "complex numbers"
            case SAMPLEFORMAT_IEEEFP: "floating point of \(bits) bits"
            case SAMPLEFORMAT_INT: "signed integers of \(bits) bits"
            case SAMPLEFORMAT_UINT, SAMPLEFORMAT_VOID: "integers of \(bits) bits"
            default: "samples of format \(format)"
            }
        throw refuse(
            "holds \(found); integers of 8, 16, 32 or 64 bits, floating point of 16, 32 or 64, and unsigned integers of "
                + "fewer than 32 bits are read")
    }

    /// Samples are taken as they are stored, whatever colours they stand for, but for JPEG, which yields RGB.
    private static func checkColour(
        of handle: TIFFHandle, _ compression: TIFFCompression, _ refuse: (String) -> FileFault
    ) throws {
        guard handle.uint16(TIFFTAG_PHOTOMETRIC) == Int(PHOTOMETRIC_YCBCR) else { return }
        if compression.isJPEG { return handle.decodeJPEGAsRGB() }
        let subsampling = handle.chromaSubsampling
        guard subsampling == (1, 1) else {
            throw refuse(
                "is YCbCr with colour of \(subsampling.0) × \(subsampling.1) pixels together, which is not read")
        }
    }
}
