import Foundation

/// One volume of an OME-Zarr container, or a Zarr array that is none: one channel at one time of one level.
///
/// NGFF 0.4 (Zarr v2) and 0.5 (Zarr v3, with its shards); integers and floating-point numbers of either byte order,
/// half precision held as `float32`; blosc with each of its compressors, zstd, gzip, zlib, lz4 or none. The voxels
/// of missing chunks are the array's fill value. N5 containers are read, too.
///
/// Metadata are not trusted: paths and links that leave the container are refused, and no chunk is decoded to more
/// than it declares, 1 GiB at most.
///
/// Source: OME-NGFF 0.4 and 0.5; the Zarr specifications, versions 2 and 3.
public final class OMEZarrReader: VolumeReader {
    public let info: VolumeInfo
    private let array: ZarrArray
    private let axes: VolumeAxes
    /// The place of the volume along the axes that are not of space.
    private let place: [Int]
    private let threads: Int

    /// - Parameters:
    ///   - dataset: The path of a level (`s1`, `labels/cells/s0`) or of an image (`labels/cells`, read at its first
    ///     level) in the container; nil finds the only image.
    ///   - threads: How many threads decode chunks.
    /// - Throws: `FileFault`: no such path or several images (it lists those that are there), a codec or type that
    ///   is not read, or metadata that are damaged.
    public init(
        path: String, dataset: String? = nil, _ selection: VolumeSelection = VolumeSelection(),
        threads: Int = ProcessInfo.processInfo.activeProcessorCount
    ) throws {
        let (folder, prefix) = try ZarrFolder(path).outermost()
        let wanted = try folder.normalized(prefix + "/" + (dataset ?? ""))
        let found = try OMEZarrLocator(folder: folder, role: selection.role).find(wanted)
        array = found.array
        self.threads = threads
        let source = array.source
        let shape = array.shape
        if let image = found.image, image.axes.count != shape.count {
            throw FileFault(source, "has \(shape.count) axes; expected \(image.axes.count), as its image has")
        }
        let named = found.image?.axes.map(\.role) ?? VolumeAxes.named(array.axisNames, count: shape.count)
        let roles = named ?? VolumeAxes.usual(count: shape.count)
        axes = try VolumeAxes(roles, shape: shape, of: source)
        guard ZarrArray.count(axes.spatial(shape).array, atMost: Int.max / 8) != nil else {
            throw FileFault(source, "has more voxels than can be addressed")
        }
        let (channels, times) = (axes.length(.channel, in: shape), axes.length(.time, in: shape))
        let guess = named == nil ? axes.guess(shape, naming: array.format) : nil
        let selected = try selection.resolved(channels: channels, times: times, of: source, guess: guess)
        place = roles.map { $0 == .channel ? selected.channel ?? 0 : $0 == .time ? selected.time ?? 0 : 0 }
        let (voxelSize, position) =
            found.image?.placement(ofLevel: found.level) ?? (array.placement.voxelSize, array.placement.position)
        var info = VolumeInfo(
            source: source, format: Self.format(found), shape: axes.spatial(shape),
            elementType: array.type.elementType, voxelSize: voxelSize,
            chunk: axes.spatial(array.codecs.innermost(of: array.chunk)), compression: array.codecs.compression)
        info.channels = channels
        info.times = times
        info.position = position
        info.notes = guess.map { [$0] } ?? []
        if array.path != wanted { info.others = found.others }
        self.info = info
    }

    /// - Throws: `FileFault` naming the chunk's file and what is wrong in it.
    public func read(_ box: Box) throws -> VoxelBuffer {
        precondition(Box(info.shape).contains(box), "\(box) is not within \(Box(info.shape))")
        let size = info.elementType.size
        var region = ZarrRegion(origin: place, extent: place.map { _ in 1 })
        var strides = place.map { _ in 0 }
        let rows: [(VolumeAxes.Role, origin: Int, extent: Int, stride: Int)] = [
            (.z, box.origin.z, box.shape.z, box.shape.y * box.shape.x * size),
            (.y, box.origin.y, box.shape.y, box.shape.x * size), (.x, box.origin.x, box.shape.x, size),
        ]
        for (role, origin, extent, stride) in rows {
            guard let axis = axes.index(role) else { continue }
            region.origin[axis] = origin
            region.extent[axis] = extent
            strides[axis] = stride
        }
        let bytes = try [UInt8](ofSize: box.count * size) { [region, strides] target in
            if let base = target.baseAddress, !box.isEmpty {
                try array.read(region, to: base, strides: strides, threads: threads)
            }
        }
        return VoxelBuffer(elementType: info.elementType, shape: box.shape, bytes: bytes)
    }

    private static func format(_ found: OMEZarrLocator.Found) -> String {
        guard let group = found.group else { return found.array.format }
        return "OME-Zarr" + (group.version.map { " \(ZarrFolder.printable($0))" } ?? "")
    }
}
