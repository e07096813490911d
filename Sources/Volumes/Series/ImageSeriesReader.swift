import Foundation

/// Reads a folder of TIFF or PNG files of one section each, or those a pattern as `slices/*.png` matches, as one volume:
/// a file a section, in natural order (`2` before `10`). A gap in the numbering is in the notes of `info`.
public final class ImageSeriesReader: VolumeReader, Sendable {
    public let info: VolumeInfo
    private let slices: [String]
    private let selection: VolumeSelection

    private static var threads: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// Opens each file once, without decoding it.
    ///
    /// - Throws: `FileFault` with the name of a file that is no such image, has more than one section, or differs in
    ///   size, type or channels from the first.
    public init(path: String, _ selection: VolumeSelection = VolumeSelection()) throws {
        let slices = try SliceFiles.paths(path)
        guard let first = slices.first else {
            throw FileFault(path, "matches no file; expected TIFF or PNG files of one section each")
        }
        let endings = Set(slices.map { ($0 as NSString).pathExtension.lowercased() })
        guard !endings.contains("png") || endings == ["png"] else {
            let folder = ((first as NSString).deletingLastPathComponent as NSString).lastPathComponent
            throw FileFault(
                path, "holds both PNG and TIFF files; name those that are meant, as in \(folder)/*.png")
        }
        let layout = try ImageSeriesReader.open(first, selection).info
        _ = try parallelMap(slices.count, threads: ImageSeriesReader.threads) { index in
            _ = try ImageSeriesReader.slice(slices[index], selection, like: layout)
        }
        var info = layout
        info.source = path
        info.format = "series of \(layout.format) files"
        info.shape.z = slices.count
        info.companions = slices
        info.sections = SectionNumbers(slices.map { ($0 as NSString).lastPathComponent })
        info.notes = SliceNumbering.notes(slices.map { ($0 as NSString).lastPathComponent })
        self.info = info
        self.slices = slices
        self.selection = selection
    }

    /// The files among those of a folder that are numbered sections of one volume, by their names alone: all its TIFF and
    /// PNG files, in natural order, where they are two or more and alike but for one number; else none.
    public static func sections(among names: [String]) -> [String] {
        let images = names.filter(SliceFiles.isSlice)
        return SliceNumbering.countsOneThing(images) ? images.sorted(by: isBeforeNaturally) : []
    }

    public func read(_ box: Box) throws -> VoxelBuffer {
        precondition(Box(info.shape).contains(box), "\(box) is not within \(Box(info.shape))")
        let sectionBytes = box.shape.y * box.shape.x * info.elementType.size
        var layout = info
        layout.shape.z = 1
        let section = Box(
            origin: ZYX(0, box.origin.y, box.origin.x), shape: ZYX(1, box.shape.y, box.shape.x))
        let bytes = try [UInt8](ofSize: box.shape.z * sectionBytes) { target in
            // Each slice has its own part of the box.
            nonisolated(unsafe) let target = target
            let layout = layout
            _ = try parallelMap(box.isEmpty ? 0 : box.shape.z, threads: ImageSeriesReader.threads) { z in
                let reader = try ImageSeriesReader.slice(slices[box.origin.z + z], selection, like: layout)
                let voxels = try reader.read(section)
                let part = UnsafeMutableRawBufferPointer(
                    rebasing: target[z * sectionBytes..<(z + 1) * sectionBytes])
                part.copyBytes(from: voxels.bytes)
            }
        }
        return VoxelBuffer(elementType: info.elementType, shape: box.shape, bytes: bytes)
    }

    private static func open(_ path: String, _ selection: VolumeSelection) throws -> any VolumeReader {
        let head: [UInt8]
        do { head = try ReadableFile(path).read(8, at: 0) } catch is MissingFile {
            throw FileFault(path, "there is no such file")
        }
        let reader: any VolumeReader =
            head == PNGHeader.signature
            ? try PNGReader(path: path, selection) : try TIFFReader(path: path, selection)
        let sections = reader.info.shape.z
        guard sections == 1 else {
            throw FileFault(
                path,
                "has \(grouped(sections)) sections, and the files of a folder or a pattern are taken for one section each; "
                    + "name the file itself where it is a whole volume")
        }
        return reader
    }

    /// Opens a slice that must be like the first.
    private static func slice(
        _ path: String, _ selection: VolumeSelection, like layout: VolumeInfo
    ) throws -> any VolumeReader {
        let reader = try open(path, selection)
        func summary(_ info: VolumeInfo) -> String {
            "y \(info.shape.y) × x \(info.shape.x) \(info.elementType.rawValue)"
                + (info.channels == 1 ? "" : " of \(info.channels) channels")
        }
        guard summary(reader.info) == summary(layout) else {
            throw FileFault(
                path,
                "is \(summary(reader.info)), and \((layout.source as NSString).lastPathComponent) is \(summary(layout)); the slices of a volume are "
                    + "alike")
        }
        return reader
    }
}
