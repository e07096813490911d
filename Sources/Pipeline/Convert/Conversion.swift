import Foundation
import Volumes

/// One volume of a file, or a box of it, into a new file of another format, or into a file that is there.
///
/// It runs in a process of its own, since a damaged file can crash the library that reads it.
public struct Conversion: Codable, Sendable {
    public var source: SourceLocation
    /// Where to; the path's ending says the format.
    public var target: SourceLocation
    public var crop: CropRange?
    /// In place of what the file says, or does not say.
    public var voxelSize: VoxelSize?
    /// nil keeps the type.
    public var elementType: ElementType?
    /// Whether what lies at the target's place makes way.
    public var replaces: Bool
    /// Of OME-Zarr's specification; nil for the newest, or that of the container which labels are added to.
    public var version: OMEZarrVersion?
    public var threads: Int

    public init(
        source: SourceLocation, target: SourceLocation, crop: CropRange? = nil,
        voxelSize: VoxelSize? = nil, elementType: ElementType? = nil, replaces: Bool = false,
        version: OMEZarrVersion? = nil, threads: Int? = nil
    ) {
        self.source = source
        self.target = target
        self.crop = crop
        self.voxelSize = voxelSize
        self.elementType = elementType
        self.replaces = replaces
        self.version = version
        self.threads = threads ?? Machine.processors
    }

    /// What is in memory of the volume at a time, in bytes, as far as a row of chunks allows.
    private static let slabBytes = 64 << 20

    /// What came of it.
    public struct Result: Codable, Sendable {
        public var shape: ZYX<Int>
        public var elementType: ElementType
        /// What people should know of the volume that was read, and what of it is not in the new file.
        public var notes: [String]
    }

    /// Converts in a process of its own.
    ///
    /// - Throws: `FileFault`; `Interruption`. Nothing is left of an unfinished file, and what was there before stays.
    public func run(
        by executable: String, shouldStop: @escaping () -> Bool, report: @escaping (Double) -> Void
    ) throws -> Result {
        try source.checkIsThere()
        let answer = try WorkerOrder.convert(self).run(
            by: executable, title: source.title, shouldStop: shouldStop, report: report)
        return try JSONDecoder().decode(Result.self, from: answer)
    }

    /// Converts in this process, slab by slab.
    func run(report: (Double) throws -> Void) throws -> Result {
        let reader = try source.open(choosing: { "choose one with --\($0) 0" })
        let info = reader.info
        try checkTarget(isNot: info)
        let box = try crop?.box(in: info.shape, of: source.title, as: "--crop") ?? Box(info.shape)
        try VolumeLimit.check(box.shape, of: source.title)
        let size = voxelSize ?? info.voxelSize.complete
        let contents = VolumeFile.Contents(
            shape: box.shape, elementType: elementType ?? info.elementType, voxelSize: size,
            position: position(of: box, info, size),
            frame: frame(of: info)?.shifted(to: box.origin))
        let writer = try makeWriter(contents) { try report(0) }
        let slabs = box.slabs(
            thickness: info.chunk.z, size: max(info.elementType.size, contents.elementType.size),
            atMost: Self.slabBytes)
        for slab in slabs {
            let voxels = try source.named { try reader.read(slab) }
            try writer.write(
                try converted(voxels, to: contents.elementType, slab), atZ: slab.origin.z - box.origin.z)
            try report(Double(slab.end.z - box.origin.z) / Double(box.shape.z))
        }
        try target.named { try writer.finish() }
        return Result(
            shape: contents.shape, elementType: contents.elementType,
            notes: info.notes + losses(of: box, info) + writer.notes)
    }

    private func makeWriter(
        _ contents: VolumeFile.Contents, step: () throws -> Void
    ) throws -> any VolumeWriter {
        if let problem = VolumeFile.typeProblem(of: target.location, contents.elementType) {
            throw FileFault(
                target.title,
                "\(problem); choose another format, .h5 or .zarr, or --dtype uint32, which holds labels up to "
                    + "4,294,967,295")
        }
        return try target.replacing {
            try VolumeFile.create(
                target.location, contents, replaces: replaces, version: version, threads: threads, step: step)
        }
    }

    /// Refuses to write over what is read, whatever the two are called.
    private func checkTarget(isNot info: VolumeInfo) throws {
        let isRead = target.wouldReplace(SourceLocation(info.source, relativeTo: ""))
        guard !isRead, !replacesCompanion(info) else {
            throw FileFault(target.title, "is what is read; expected another output")
        }
    }

    /// Whether the output takes the place of something in a file that is read: a section of a series, a part of an
    /// OME-TIFF, a dataset which links and virtual datasets lead to under whatever name.
    private func replacesCompanion(_ info: VolumeInfo) -> Bool {
        let (path, _) = VolumeFile.split(info.source)
        let isFolder = (try? FileManager.default.contentsOfDirectory(atPath: target.path)) != nil
        guard !isFolder, (info.companions + [path]).contains(where: { isSameFile($0, target.path) }) else {
            return false
        }
        return (try? VolumeFile.checkPlace(of: target.location, replaces: false)) == nil
    }

    /// What the new file does not say although the old one does.
    private func losses(of box: Box, _ info: VolumeInfo) -> [String] {
        var losses: [String] = []
        if let frame = info.frame, !frame.isUpright, !VolumeFile.keepsFrames(target.location) {
            losses.append(
                "NIfTI alone says where axes lead: that x, y, z lead to \(frame.axes)\(frame.isOblique ? ", at an angle," : "") "
                    + "is lost, and voxels keep their order")
        }
        guard info.voxelSize.complete == nil, voxelSize == nil else { return losses }
        if info.voxelSize.missingAxes.count < 3 {
            losses.append(
                "the voxel size is stated as \(info.voxelSize), without "
                    + "\(info.voxelSize.missingAxes.joined(separator: " and ")), and is left out; --voxel-size gives it"
            )
        }
        if box.origin != .zero, info.frame == nil || !VolumeFile.keepsFrames(target.location) {
            losses.append("the voxel size is not known, so that the place of the box is left out")
        }
        return losses
    }

    private func converted(_ voxels: VoxelBuffer, to type: ElementType, _ slab: Box) throws -> VoxelBuffer {
        do {
            let result = try voxels.converted(to: type)
            if let rounded = try voxels.firstRounded(in: result) { throw rounded }
            return result
        } catch var value as UnrepresentableValue {
            value.place = value.place.map { $0 + slab.origin }
            throw FileFault(source.title, "\(value); \(advice(value))")
        }
    }

    private func advice(_ value: UnrepresentableValue) -> String {
        guard value.elementType.isInteger else {
            // Whole numbers beyond 53 bits are not float64's either.
            let isWide = UInt64(value.value).map { UInt64(exactly: Double($0)) != $0 } ?? false
            return value.elementType == .float32 && !isWide ? "choose --dtype float64" : "keep its type"
        }
        guard let number = Double(value.value), number.isFinite, number == number.rounded() else {
            return "choose --dtype float32"
        }
        if number < 0 { return "choose a signed --dtype, such as int32" }
        let isWidest = value.elementType.size == 4 && VolumeFile.typeProblem(of: target.location, .uint64) != nil
        return isWidest ? "choose .h5 or .zarr, which hold 64 bits" : "choose a wider --dtype"
    }

    private func frame(of info: VolumeInfo) -> VolumeFrame? {
        guard let voxelSize else { return info.frame }
        return info.frame?.resized(to: voxelSize)
    }

    /// A box of a volume stays where it is.
    private func position(of box: Box, _ info: VolumeInfo, _ size: VoxelSize?) -> ZYX<Double>? {
        let position = voxelSize.map { info.position(ofVoxels: $0) } ?? info.position
        guard let size, position != nil || box.origin != .zero else { return position }
        let shift = box.origin.zip(size.nanometers) { Double($0) * $1 }
        return (position ?? ZYX(0, 0, 0)).zip(shift, +)
    }
}
