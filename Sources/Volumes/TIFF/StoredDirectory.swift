import CTIFF

/// A directory of a TIFF as its bytes stand in the file, without the values that lie elsewhere.
struct StoredDirectory {
    /// Where it lies in the file.
    let offset: UInt64
    /// Where the directory after it lies; 0 after the last.
    let next: UInt64
    private let fields: FixedHeader
    var isBigEndian: Bool { fields.isBigEndian }
    private let isBig: Bool

    /// Larger ones are left to libtiff.
    private static let largestCount = 64
    /// Tags that say nothing of where the voxels lie or of what they are.
    private static let indifferentTags: Set<Int32> = [
        TIFFTAG_DOCUMENTNAME, TIFFTAG_IMAGEDESCRIPTION, TIFFTAG_MINSAMPLEVALUE, TIFFTAG_MAXSAMPLEVALUE,
        TIFFTAG_XRESOLUTION, TIFFTAG_YRESOLUTION, TIFFTAG_PAGENAME, TIFFTAG_PAGENUMBER, TIFFTAG_SOFTWARE,
        TIFFTAG_DATETIME,
    ]

    /// Nil where there is none or it is large.
    init?(at offset: UInt64, of handle: TIFFHandle) {
        isBig = TIFFIsBigTIFF(handle.pointer) != 0
        let isBigEndian = TIFFIsBigEndian(handle.pointer) != 0
        let (countSize, entrySize, offsetSize) = isBig ? (8, 20, 8) : (2, 12, 4)
        guard offset > 0, let head = handle.bytes(countSize, at: offset) else { return nil }
        let count = FixedHeader(bytes: head, isBigEndian: isBigEndian).unsigned(bytes: countSize, at: 0)
        guard count <= Self.largestCount else { return nil }
        let size = Int(count) * entrySize
        guard let body = handle.bytes(size + offsetSize, at: offset + UInt64(countSize)) else { return nil }
        fields = FixedHeader(bytes: body, isBigEndian: isBigEndian)
        next = fields.unsigned(bytes: offsetSize, at: size)
        self.offset = offset
    }

    /// Of the entry of a tag how many values it has and what its value field holds, which is where they lie unless they fit
    /// into it; nil where there is none.
    func entry(_ tag: Int32) -> (count: Int, value: UInt64)? {
        let (entrySize, countSize) = isBig ? (20, 8) : (12, 4)
        for entry in stride(from: 0, to: fields.bytes.count - countSize, by: entrySize)
        where Int32(fields.integer(UInt16.self, at: entry)) == tag {
            let count = fields.unsigned(bytes: countSize, at: entry + 4)
            return (Int(clamping: count), fields.unsigned(bytes: countSize, at: entry + 4 + countSize))
        }
        return nil
    }

    /// Where its only strip begins, where nothing else that matters differs from `other`.
    func stripOffset(ifLike other: StoredDirectory) -> Int? {
        guard fields.bytes.count == other.fields.bytes.count else { return nil }
        let (entrySize, countSize) = isBig ? (20, 8) : (12, 4)
        var start: Int?
        for entry in stride(from: 0, to: fields.bytes.count - countSize, by: entrySize) {
            let tag = Int32(fields.integer(UInt16.self, at: entry))
            guard tag == Int32(other.fields.integer(UInt16.self, at: entry)) else { return nil }
            if tag == TIFFTAG_STRIPOFFSETS {
                let type = UInt32(fields.integer(UInt16.self, at: entry + 2))
                guard type == TIFF_LONG.rawValue || isBig && type == TIFF_LONG8.rawValue,
                    fields.unsigned(bytes: countSize, at: entry + 4) == 1
                else { return nil }
                let size = type == TIFF_LONG.rawValue ? 4 : 8
                start = Int(clamping: fields.unsigned(bytes: size, at: entry + 4 + countSize))
            } else if !Self.indifferentTags.contains(tag) {
                let bytes = entry..<entry + entrySize
                guard fields.bytes[bytes] == other.fields.bytes[bytes] else { return nil }
            }
        }
        return start == 0 ? nil : start
    }
}

extension FixedHeader {
    /// An unsigned integer of 2, 4 or 8 bytes.
    func unsigned(bytes: Int, at offset: Int) -> UInt64 {
        switch bytes {
        case 2: UInt64(integer(UInt16.self, at: offset))
        case 4: UInt64(integer(UInt32.self, at: offset))
        default: integer(UInt64.self, at: offset)
        }
    }
}
