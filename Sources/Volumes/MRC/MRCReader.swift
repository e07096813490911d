/// Reads an MRC or CCP4 map: modes 0, 1, 2, 6, 12 (half precision, given as float32) and 101 (4 bits, given as uint8), in
/// either byte order, also packed with gzip; of a stack of volumes, one by its time.
///
/// Bytes (mode 0) are signed, as MRC2014 has it, but where IMOD's flag or the stated largest value says otherwise.
public final class MRCReader: VolumeReader {
    public let info: VolumeInfo
    private let voxels: ContiguousVoxels

    /// - Throws: `FileFault` where the file is missing, damaged, truncated or of a kind that is not read.
    public init(path: String, _ selection: VolumeSelection = VolumeSelection()) throws {
        let source = try ByteSource(path)
        let header = try MRCHeader(source.read(MRCHeader.size, at: 0), of: path)
        let chosen = try selection.resolved(channels: 1, times: header.times, of: path)
        voxels = try ContiguousVoxels(
            in: source, from: header.offset, shape: header.shape, voxel: header.voxel,
            isBigEndian: header.isBigEndian, times: header.times, chosen)
        var info = VolumeInfo(
            source: path, format: "MRC", shape: header.shape, elementType: header.voxel.elementType,
            voxelSize: header.voxelSize, chunk: ZYX(1, header.shape.y, header.shape.x),
            compression: source.isPacked ? "gzip" : "none")
        info.times = header.times
        info.position = header.position
        self.info = info
    }

    public func read(_ box: Box) throws -> VoxelBuffer { try voxels.read(box) }
}
