import CHDF5

/// One volume of an HDF5 file.
///
/// Integers and floating-point numbers of either byte order, stored whole, in chunks, across files or virtually, with
/// gzip, LZF, zstd, shuffle and Fletcher32 and every filter that the installed libhdf5 has. Three axes are z, y, x, two
/// a single plane; axes of channels and times are found by axis tags, dimension labels or their place. The layouts
/// of CREMI, ilastik, PlantSeg, Imaris and BigDataViewer are known with their voxel sizes.
public final class HDF5Reader: VolumeReader {
    public let info: VolumeInfo
    private let voxels: HDF5Voxels
    private let isChunked: Bool

    /// - Parameters:
    ///   - dataset: The dataset's path in the file; nil finds the only volume, or the one that is named for the
    ///     selection's role. In an Imaris file also a resolution level, as in `/DataSet/ResolutionLevel 1`.
    ///   - selection: The channel and time, where there are several.
    /// - Throws: `FileFault`: not a sound HDF5 file, no such dataset or several (it lists those that are
    ///   there), a shape or type that is no volume, a channel or time to choose, a filter that is not installed, another
    ///   file that is missing or outside the folder, or a voxel size stated twice and differently.
    public init(
        path: String, dataset name: String? = nil, _ selection: VolumeSelection = VolumeSelection()
    ) throws {
        (info, voxels, isChunked) = try HDF5Library.alone {
            let volume = try Self.volume(name, selection, in: path)
            let source = "\(path):\(HDF5Library.printable(volume.dataset.name))"
            return try Self.naming(source) { try Self.describe(volume, source) }
        }
    }

    /// - Throws: `FileFault` naming the chunk that cannot be read and the reason.
    public func read(_ box: Box) throws -> VoxelBuffer {
        precondition(Box(info.shape).contains(box), "\(box) is not within \(Box(info.shape))")
        do {
            let bytes = try voxels.read(box)
            return VoxelBuffer(elementType: info.elementType, shape: box.shape, bytes: bytes)
        } catch let fault as HDF5PieceFault {
            throw FileFault(
                info.source,
                isChunked
                    ? "the chunk at \(fault.box) cannot be read: \(fault.problem)"
                    : "cannot be read at \(fault.box): \(fault.problem)")
        }
    }

    private static func volume(
        _ name: String?, _ selection: VolumeSelection, in path: String
    ) throws -> HDF5Volume {
        let file = try open(path, selection)
        let contents = HDF5Contents(file: file, path: path)
        // Listing finds damage that looking for single links makes libhdf5 1.10 crash or loop at.
        let names = try name == nil ? contents.datasetNames() : []
        if let layout = ImarisLayout(file, name) {
            return try naming(path) { try layout.volume(selection, of: path) }
        }
        if let layout = BigDataViewerLayout(file, name) {
            return try naming(path) { try layout.volume(selection, of: path) }
        }
        let dataset = try name.map(contents.dataset) ?? contents.volume(for: selection)
        let source = "\(path):\(HDF5Library.printable(dataset.name))"
        return try naming(source) {
            var volume = try HDF5Volume(dataset)
            let chosen = try selection.resolved(
                channels: volume.channels, times: volume.times, of: source, guess: volume.axes.guess)
            (volume.channel, volume.time) = (chosen.channel ?? 0, chosen.time ?? 0)
            volume.others = names.filter { $0 != dataset.name }.map(HDF5Library.printable)
            return volume
        }
    }

    private static func open(_ path: String, _ selection: VolumeSelection) throws -> HDF5File {
        do {
            return try HDF5File(path, allowsExternalLinks: selection.allowsExternalLinks)
        } catch let fault as HDF5Fault {
            throw FileFault(path, "cannot be opened as HDF5: \(fault.reason)")
        }
    }

    private static func describe(
        _ volume: HDF5Volume, _ source: String
    ) throws -> (VolumeInfo, HDF5Voxels, isChunked: Bool) {
        let (voxels, chunk, compression) = try volume.voxels()
        var info = VolumeInfo(
            source: source, format: volume.format, shape: volume.shape, elementType: volume.type.elementType,
            voxelSize: volume.voxelSize, chunk: chunk, compression: compression)
        info.channels = volume.channels
        info.times = volume.times
        info.position = volume.position
        info.notes = volume.axes.guess.map { [$0] } ?? []
        info.others = volume.others
        info.companions = volume.dataset.object.file.companions.paths + volume.companions
        if case .chunks = volume.dataset.storage { return (info, voxels, true) }
        return (info, voxels, false)
    }

    /// Runs `body`; what goes wrong is said of `source`.
    private static func naming<Result>(_ source: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let fault as HDF5Fault {
            throw FileFault(source, "is damaged: \(fault.reason)")
        } catch let refusal as HDF5Refusal {
            throw FileFault(source, refusal.problem)
        }
    }
}
