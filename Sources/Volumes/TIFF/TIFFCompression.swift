import CTIFF

/// A compression scheme of a TIFF page.
struct TIFFCompression: Equatable {
    let code: Int

    /// Whether the installed libtiff decodes it.
    var isReadable: Bool { UInt16(exactly: code).map { TIFFIsCODECConfigured($0) != 0 } ?? false }

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
        case COMPRESSION_WEBP: "webp"
        case COMPRESSION_LERC: "lerc"
        case COMPRESSION_JXL: "jpeg xl"
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
