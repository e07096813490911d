import CTIFF

/// What one page (image file directory) of a TIFF holds and where its strips or tiles lie.
struct TIFFPage {
    /// Where the directory itself lies in the file.
    let directory: UInt64
    let height: Int
    let width: Int
    let elementType: ElementType
    let compression: TIFFCompression
    /// Rows and columns of a strip or tile; a strip is as wide as the page.
    let chunkHeight: Int
    let chunkWidth: Int
    let isTiled: Bool
    /// Whether the page is marked as a smaller version of another page.
    let isReduced: Bool
    /// Whether stored bytes are the values themselves, so that rows can be read where they lie.
    let isPlain: Bool
    let chunkOffsets: [Int]
    let chunkByteCounts: [Int]

    var rowBytes: Int { width * elementType.size }
    var byteCount: Int { height * rowBytes }
    var chunkBytes: Int { chunkHeight * chunkWidth * elementType.size }
    var chunksAcross: Int { (width + chunkWidth - 1) / chunkWidth }

    /// For example `y 512 × x 512 uint8`.
    var summary: String { "y \(height) × x \(width) \(elementType.rawValue)" }

    func hasSameLayout(as other: TIFFPage) -> Bool {
        height == other.height && width == other.width && elementType == other.elementType
    }

    /// Rows of a chunk that lie within the page.
    func rows(ofChunk index: Int) -> Int {
        let row = index / chunksAcross * chunkHeight
        return isTiled ? chunkHeight : min(chunkHeight, height - row)
    }

    /// Describes the handle's current directory.
    ///
    /// - Throws: `FileFault` where the page is not a grey image of a supported type, or claims more data than
    ///   its bytes can hold.
    init(current handle: TIFFHandle, number: Int) throws {
        func refuse(_ problem: String) -> FileFault { FileFault(handle.path, "page \(number) \(problem)") }

        directory = TIFFCurrentDirOffset(handle.pointer)
        guard let width = handle.uint32(TIFFTAG_IMAGEWIDTH), width > 0,
            let height = handle.uint32(TIFFTAG_IMAGELENGTH), height > 0
        else { throw refuse("has no width or no height") }
        elementType = try TIFFPage.greyType(of: handle, number: number)
        compression = TIFFCompression(code: handle.uint16(TIFFTAG_COMPRESSION) ?? Int(COMPRESSION_NONE))
        guard compression.isReadable else {
            throw refuse("is compressed with \(compression.name), which is not read here")
        }
        for depth in [TIFFTAG_IMAGEDEPTH, TIFFTAG_TILEDEPTH] where handle.uint32(depth) ?? 1 > 1 {
            throw refuse("is itself a volume (ImageDepth or TileDepth above 1); one page a section is read")
        }

        isTiled = TIFFIsTiled(handle.pointer) != 0
        let rows = handle.uint32(isTiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP) ?? height
        chunkHeight = isTiled ? rows : min(max(rows, 1), height)
        chunkWidth = isTiled ? handle.uint32(TIFFTAG_TILEWIDTH) ?? 0 : width
        guard chunkHeight > 0, chunkWidth > 0 else { throw refuse("has tiles without a width or a height") }
        self.height = height
        self.width = width
        isReduced = (handle.uint32(TIFFTAG_SUBFILETYPE) ?? 0) & Int(FILETYPE_REDUCEDIMAGE) != 0
        isPlain =
            compression.code == Int(COMPRESSION_NONE) && !isTiled
            && handle.uint16(TIFFTAG_FILLORDER) ?? 1 == Int(FILLORDER_MSB2LSB)

        guard max(height, chunkHeight).multipliedReportingOverflow(by: max(width, chunkWidth) * 8).overflow == false
        else { throw refuse("claims y \(height) × x \(width), more than any file holds") }
        let across = (width + chunkWidth - 1) / chunkWidth
        let count = across * ((height + chunkHeight - 1) / chunkHeight)
        // Each strip or tile takes some byte of the file, so this also bounds the arrays below.
        guard count <= handle.fileSize else {
            throw refuse("claims \(grouped(count)) strips or tiles in a file of \(grouped(handle.fileSize)) bytes")
        }
        var offsets: [Int] = []
        var byteCounts: [Int] = []
        for index in 0..<UInt32(count) {
            offsets.append(Int(clamping: TIFFGetStrileOffset(handle.pointer, index)))
            byteCounts.append(Int(clamping: TIFFGetStrileByteCount(handle.pointer, index)))
        }
        chunkOffsets = offsets
        chunkByteCounts = byteCounts
        try checkExpansion(refuse)
    }

    /// Refuses a page whose strips or tiles would decode to more than their stored bytes can ever yield, before
    /// anything of that size is allocated.
    private func checkExpansion(_ refuse: (String) -> FileFault) throws {
        guard compression.code != Int(COMPRESSION_NONE) else { return }
        for (index, stored) in chunkByteCounts.enumerated() {
            let decoded = rows(ofChunk: index) * chunkWidth * elementType.size
            if decoded / compression.greatestExpansion > stored {
                throw refuse(
                    "claims \(grouped(decoded)) bytes in \(isTiled ? "tile" : "strip") \(index + 1) of "
                        + "\(chunkByteCounts.count), which stores \(grouped(stored))")
            }
        }
    }

    private static func greyType(of handle: TIFFHandle, number: Int) throws -> ElementType {
        func refuse(_ found: String) -> FileFault {
            FileFault(
                handle.path,
                "page \(number) is \(found); grey images of 8, 16, 32 or 64 bits a voxel are read")
        }
        let samples = handle.uint16(TIFFTAG_SAMPLESPERPIXEL) ?? 1
        let bits = handle.uint16(TIFFTAG_BITSPERSAMPLE) ?? 1
        let photometric = handle.uint16(TIFFTAG_PHOTOMETRIC)
        let colour = photometric.flatMap(colourName)
        guard samples == 1 else {
            throw refuse("\(colour.map { $0 + ", " } ?? "")\(samples) samples of \(bits) bits a pixel")
        }
        if let colour { throw refuse(colour) }
        let format = handle.uint16(TIFFTAG_SAMPLEFORMAT) ?? Int(SAMPLEFORMAT_UINT)
        switch (format, bits) {
        case (Int(SAMPLEFORMAT_UINT), 8), (Int(SAMPLEFORMAT_VOID), 8): return .uint8
        case (Int(SAMPLEFORMAT_UINT), 16), (Int(SAMPLEFORMAT_VOID), 16): return .uint16
        case (Int(SAMPLEFORMAT_UINT), 32), (Int(SAMPLEFORMAT_VOID), 32): return .uint32
        case (Int(SAMPLEFORMAT_UINT), 64), (Int(SAMPLEFORMAT_VOID), 64): return .uint64
        case (Int(SAMPLEFORMAT_INT), 8): return .int8
        case (Int(SAMPLEFORMAT_INT), 16): return .int16
        case (Int(SAMPLEFORMAT_INT), 32): return .int32
        case (Int(SAMPLEFORMAT_INT), 64): return .int64
        case (Int(SAMPLEFORMAT_IEEEFP), 32): return .float32
        case (Int(SAMPLEFORMAT_IEEEFP), 64): return .float64
        case (Int(SAMPLEFORMAT_IEEEFP), _): throw refuse("\(bits)-bit floating point")
        case (Int(SAMPLEFORMAT_COMPLEXINT), _), (Int(SAMPLEFORMAT_COMPLEXIEEEFP), _):
            throw refuse("complex numbers")
        default: throw refuse("\(bits)-bit integers")
        }
    }

    /// The name of a photometric interpretation that is not grey.
    private static func colourName(_ photometric: Int) -> String? {
        switch Int32(photometric) {
        case PHOTOMETRIC_MINISWHITE, PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_MASK: nil
        case PHOTOMETRIC_RGB: "RGB"
        case PHOTOMETRIC_PALETTE: "palette colour"
        case PHOTOMETRIC_SEPARATED: "CMYK"
        case PHOTOMETRIC_YCBCR: "YCbCr"
        case PHOTOMETRIC_CIELAB, PHOTOMETRIC_ICCLAB, PHOTOMETRIC_ITULAB: "CIE L*a*b*"
        case PHOTOMETRIC_CFA: "a colour filter array"
        case PHOTOMETRIC_LOGL, PHOTOMETRIC_LOGLUV: "log luminance"
        default: "of photometric interpretation \(photometric)"
        }
    }
}
