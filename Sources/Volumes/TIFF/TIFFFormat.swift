import Foundation

extension VolumeFormat {
    static let tiff = VolumeFormat(
        name: "TIFF", containerEndings: [],
        recognizes: { candidate in
            // TIFF 6.0 (42) or BigTIFF (43) in either byte order.
            let starts: [[UInt8]] = [
                [0x49, 0x49, 42, 0], [0x4D, 0x4D, 0, 42], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 43],
            ]
            return starts.contains(Array(candidate.head.prefix(4)))
        },
        mayHaveCompanions: { try $0.file.map(namesOthers) ?? false },
        open: { path, _, selection in try TIFFReader(path: path, selection) })

    /// Whether the ImageDescription of the first directory is an OME-XML that names files.
    private static func namesOthers(_ file: ReadableFile) throws -> Bool {
        let head = FixedHeader(bytes: try file.read(16, at: 0), isBigEndian: try file.read(1, at: 0) == [0x4D])
        guard head.bytes.count == 16 else { return false }
        let isBig = head.integer(UInt16.self, at: 2) == 43
        let (wide, entrySize, countSize) = isBig ? (8, 20, 8) : (4, 12, 2)
        let start = Int(clamping: head.unsigned(bytes: wide, at: isBig ? 8 : 4))
        let counted = FixedHeader(bytes: try file.read(countSize, at: start), isBigEndian: head.isBigEndian)
        guard counted.bytes.count == countSize else { return false }
        let count = min(4096, Int(clamping: counted.unsigned(bytes: countSize, at: 0)))
        let entries = FixedHeader(
            bytes: try file.read(count * entrySize, at: start + countSize), isBigEndian: head.isBigEndian)
        for entry in stride(from: 0, to: entries.bytes.count - entrySize + 1, by: entrySize)
        where entries.integer(UInt16.self, at: entry) == 270 {
            let length = min(64 << 20, Int(clamping: entries.unsigned(bytes: wide, at: entry + 4)))
            let place = Int(clamping: entries.unsigned(bytes: wide, at: entry + 4 + wide))
            let text = Data(try file.read(length, at: place))
            return ["FileName", "BinaryOnly"].contains { text.range(of: Data($0.utf8)) != nil }
        }
        return false
    }
}
