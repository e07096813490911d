import Foundation

/// What the private tag of a Zeiss LSM file says: a TIFF with a thumbnail after each section, whose channels are the
/// samples of a pixel.
struct ZeissLSM {
    static let tag: Int32 = 34412

    let dimensions: TIFFDimensions
    let voxelSize: StatedVoxelSize

    /// Scans along x and y, and in turn along z, over time or both.
    private static let scans = [0, 3, 6]

    /// Nil where the directory has no such tag.
    ///
    /// - Throws: `FileFault` where the file is beyond what the format's 32-bit places can say, of another scan, or its
    ///   channels are not its samples.
    init?(_ directory: StoredDirectory, of handle: TIFFHandle, samples: Int) throws {
        guard let entry = directory.entry(Self.tag), entry.count >= 90,
            let bytes = handle.bytes(90, at: entry.value)
        else { return nil }
        func refusal(_ found: String) -> FileFault {
            FileFault(
                handle.path,
                "is a Zeiss LSM file \(found), which is not read; \(conversionAdvice(handle.path))")
        }
        let fields = FixedHeader(bytes: bytes, isBigEndian: directory.isBigEndian)
        // In larger ones the places of later sections begin again at 0.
        guard handle.fileSize <= Int(UInt32.max) else { throw refusal("beyond 4 GB") }
        guard Self.scans.contains(fields.int16(88)) else { throw refusal("of a scan of kind \(fields.int16(88))") }
        let (sections, channels, times) = (fields.int32(16), fields.int32(20), fields.int32(24))
        guard sections > 0, times > 0, channels == samples else {
            throw refusal(
                "of \(sections) sections, \(channels) channels and \(times) times with \(samples) samples a pixel")
        }
        dimensions = TIFFDimensions(sections: sections, times: times, order: [.section, .time])
        let metres = ZYX(fields.float64(56), fields.float64(48), fields.float64(40))
        voxelSize = StatedVoxelSize(
            nanometers: metres.map { $0 > 0 && $0.isFinite ? roundedToSingle($0 * 1e9) : nil }, unit: .micrometer)
    }
}
