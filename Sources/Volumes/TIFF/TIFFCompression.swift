import CTIFF

/// A compression scheme of a TIFF page.
struct TIFFCompression: Equatable {
    let code: Int

    /// Whether it is one of those in use for images, and the installed libtiff decodes it. Schemes of the early nineties
    /// (old-style JPEG, ThunderScan, NeXT, SGI's logarithms, PixarLog) are left out.
    var isReadable: Bool {
        let isKnown = [
            COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE, COMPRESSION_PACKBITS,
            COMPRESSION_ZSTD, COMPRESSION_LZMA, COMPRESSION_JPEG, COMPRESSION_WEBP, COMPRESSION_LERC,
            COMPRESSION_CCITTRLE, COMPRESSION_CCITTRLEW, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4,
        ].contains { Int($0) == code }
        return isKnown && UInt16(exactly: code).map { TIFFIsCODECConfigured($0) != 0 } ?? false
    }

    var isNone: Bool { code == Int(COMPRESSION_NONE) }
    var isDeflate: Bool { code == Int(COMPRESSION_ADOBE_DEFLATE) || code == Int(COMPRESSION_DEFLATE) }
    var isZstandard: Bool { code == Int(COMPRESSION_ZSTD) }
    var isJPEG: Bool { code == Int(COMPRESSION_JPEG) }
    /// Whether a Predictor tag has a meaning.
    var hasPredictor: Bool {
        isDeflate || isZstandard || code == Int(COMPRESSION_LZW) || code == Int(COMPRESSION_LZMA)
    }

    var name: String {
        switch Int32(code) {
        case COMPRESSION_NONE: "none"
        case COMPRESSION_LZW: "lzw"
        case COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE: "deflate"
        case COMPRESSION_PACKBITS: "packbits"
        case COMPRESSION_ZSTD: "zstd"
        case COMPRESSION_LZMA: "lzma"
        case COMPRESSION_JPEG: "jpeg"
        case COMPRESSION_OJPEG: "old-style jpeg"
        case COMPRESSION_JP2000, 33003, 33004, 33005: "jpeg 2000"
        case 22610, 34934: "jpeg xr"
        case 34933: "png"
        case COMPRESSION_WEBP: "webp"
        case COMPRESSION_LERC: "lerc"
        case COMPRESSION_JXL, 52546: "jpeg xl"
        case COMPRESSION_CCITTRLE, COMPRESSION_CCITTRLEW: "ccitt rle"
        case COMPRESSION_CCITTFAX3: "ccitt group 3"
        case COMPRESSION_CCITTFAX4: "ccitt group 4"
        case COMPRESSION_SGILOG, COMPRESSION_SGILOG24: "sgi log"
        case COMPRESSION_THUNDERSCAN: "thunderscan"
        case COMPRESSION_NEXT: "next"
        default: "scheme \(code)"
        }
    }

    /// An upper bound of decoded bytes for one stored byte, from each format's longest run.
    var greatestExpansion: Int {
        switch Int32(code) {
        case COMPRESSION_PACKBITS: 64  // a run of 128 in two bytes
        case COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE: 1_032  // 258 bytes in two bits
        case COMPRESSION_LZW: 4_096  // a whole table entry in 12 bits
        default: 1_000_000  // lerc and others store a constant block in a few bytes
        }
    }
}
