import Foundation

/// Reads one channel at one time of a NIfTI-1 or NIfTI-2 file (`.nii`, or `.hdr` with `.img`, either packed with gzip),
/// in either byte order, of up to five dimensions: x, y, z, time and channel.
///
/// Integers and floating-point numbers of 8 to 64 bits. Where the header scales values (`scl_slope`, `scl_inter`, other
/// than by 1 and 0), they are scaled and given as float32, or as float64 where 32 or more bits are stored. The orientation (sform, else qform) is the `frame` of `info`
/// and is not applied: sections are k, rows j, columns i.
///
/// A packed file is decoded forward and holds a fixed buffer; reading a box before the last one starts over.
public final class NIfTIReader: VolumeReader {
    public let info: VolumeInfo
    private let voxels: ContiguousVoxels

    /// - Parameter path: The `.nii` file, or either one of a pair.
    /// - Throws: `FileFault` where a file is missing, damaged, truncated or of a kind that is not read.
    public init(path: String, _ selection: VolumeSelection = VolumeSelection()) throws {
        let files = NIfTIFiles(of: path)
        let headerSource = try ByteSource(files.header)
        let header = try NIfTIHeader(headerSource.read(NIfTIHeader.largestSize, at: 0), of: files.header)
        let chosen = try selection.resolved(channels: header.channels, times: header.times, of: path)
        let source = header.isPair ? try ByteSource(files.image) : headerSource
        voxels = try ContiguousVoxels(
            in: source, from: header.offset, shape: header.shape, voxel: header.voxel,
            isBigEndian: header.isBigEndian, times: header.times, channels: header.channels, chosen)
        var info = VolumeInfo(
            source: path, format: "NIfTI-\(header.version.rawValue)", shape: header.shape,
            elementType: header.voxel.elementType, voxelSize: header.voxelSize,
            chunk: ZYX(1, header.shape.y, header.shape.x), compression: source.isPacked ? "gzip" : "none")
        info.channels = header.channels
        info.times = header.times
        info.frame = header.frame
        info.position = header.frame?.position
        if let size = header.contradicted {
            info.notes = [
                "its header states voxels of \(size), and its axes have steps of \(header.voxelSize), which count"
            ]
        }
        if let frame = header.frame, frame.unit == nil, frame.sizes != [1, 1, 1] {
            let sizes = zip(["x", "y", "z"], frame.sizes).map { "\($0) \(String(format: "%g", $1))" }.reversed()
            info.notes = [
                "its voxel size of \(sizes.joined(separator: " × ")) has no unit, so that it counts as not stated"
            ]
        }
        info.companions = [files.header, files.image].filter { $0 != path }
        self.info = info
    }

    public func read(_ box: Box) throws -> VoxelBuffer { try voxels.read(box) }
}
