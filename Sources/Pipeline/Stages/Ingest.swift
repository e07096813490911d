import Foundation
import Inference
import Volumes

/// Reads one outside file to its end and writes it into a block store, its own type and values kept.
///
/// This runs in a process of its own (`IngestStep`), since a damaged file can crash the library that reads it.
public struct Ingest: Codable, Sendable {
    public enum Role: String, Codable, Sendable {
        case image, labels, mask
        /// Any values; nothing is asked of them.
        case values
    }

    public var source: SourceLocation
    public var role: Role
    public var voxelSize: VoxelSizeSetting?

    static let storeName = "volume.zarr"
    static let recordName = "volume.json"

    /// What is in memory of the volume at a time, in bytes; twice as much while shards are compressed.
    static let pieceBytes = 128 << 20

    /// Piece by piece, whole shards each, in memory that does not grow with the volume. Writes `volume.zarr` and
    /// `volume.json` into `folder`.
    ///
    /// - Throws: `FileFault` for a file that is damaged or does not suit its role.
    public func run(into folder: String, threads: Int = 1, report: (Double) throws -> Void = { _ in }) throws {
        let reader = try open()
        try source.named { try ingest(reader, into: folder, threads: threads, report) }
    }

    /// - Throws: `FileFault`
    func open() throws -> any VolumeReader {
        if role == .values {
            return try source.open { "take one out: segment convert \(source.title) ONE.h5 --\($0) 0" }
        }
        do {
            return try source.open(as: role == .image ? .image : role == .labels ? .labels : nil)
        } catch let fault as FileFault where role != .image && source.selection.time != nil {
            // Labels of one time point out of many may be a file of their own.
            let selection = VolumeSelection(allowsExternalLinks: source.selection.allowsExternalLinks)
            guard let alone = try? VolumeFile.open(source.location, selection), alone.info.times == 1 else {
                throw fault
            }
            return alone
        }
    }

    /// The other files that the volume is made of or described by.
    func companions() throws -> [String] { try source.named { try open().info.companions } }

    private func ingest(
        _ reader: any VolumeReader, into folder: String, threads: Int, _ report: (Double) throws -> Void
    ) throws {
        let info = reader.info
        try check(info.elementType)
        try VolumeLimit.check(info.shape, of: source.title)
        let size = try resolvedVoxelSize(info.voxelSize)
        let shape = StoreShape(for: info.shape)
        let store = try BlockStore.create(
            at: folder + "/" + Ingest.storeName,
            BlockStore.Layout(
                shape: info.shape, channels: nil, elementType: info.elementType, shard: shape.shard,
                chunk: shape.chunk, voxelSize: size, attributes: [:]))
        var statistics = VolumeStatistics()
        let pieces = Box(info.shape).pieces(
            ofShards: shape.shard, size: info.elementType.size, atMost: Ingest.pieceBytes)
        for (index, piece) in pieces.enumerated() {
            let voxels = try reader.read(piece)
            try add(voxels, at: piece.origin, to: &statistics)
            try store.writeShards(of: piece, voxels, threads: threads)
            try report(Double(index + 1) / Double(pieces.count))
        }
        try check(statistics)
        let record = IngestedVolume(
            title: source.subject, format: info.format, shape: info.shape, elementType: info.elementType,
            voxelSize: size, position: position(info), frame: info.frame, sections: info.sections,
            notes: info.notes,
            statistics: statistics.summary)
        try AtomicFile.write(try readableJSON(record), to: folder + "/" + Ingest.recordName)
    }

    func check(_ elementType: ElementType) throws {
        guard [.image, .values].contains(role) || elementType.isInteger else {
            throw FileFault(
                source.title, "\(role.rawValue) must be whole numbers, found \(elementType.rawValue)")
        }
    }

    func add(_ voxels: VoxelBuffer, at origin: ZYX<Int>, to statistics: inout VolumeStatistics) throws {
        guard let place = statistics.add(voxels) else { return }
        throw FileFault(
            source.title,
            "holds NaN or infinity, first at \((origin + place).place); "
                + "every voxel must be a number")
    }

    func check(_ statistics: VolumeStatistics) throws {
        let summary = statistics.summary
        switch role {
        case .image, .values: return
        case .labels, .mask:
            if summary.maximum == 0 && summary.minimum == 0 {
                throw FileFault(source.title, "all \(role.rawValue) are 0; expected annotated voxels")
            }
            if summary.minimum < 0 {
                throw FileFault(
                    source.title, "\(role.rawValue) must not be negative, found \(Int(summary.minimum))")
            }
        }
    }

    /// Where the middle of the first voxel is, in nanometres.
    func position(_ info: VolumeInfo) -> ZYX<Double>? {
        guard let voxelSize, voxelSize.replaces else { return info.position }
        return info.position(ofVoxels: voxelSize.size)
    }

    /// The voxel size that the file and the pipeline file give together; nil where labels state none.
    func resolvedVoxelSize(_ stated: StatedVoxelSize) throws -> VoxelSize? {
        guard let voxelSize else {
            if let complete = stated.complete { return complete }
            if role != .image { return nil }
            throw FileFault(source.title, missing(stated))
        }
        if voxelSize.replaces { return voxelSize.size }
        let sides = voxelSize.size.nanometers.zip(stated.nanometers) { given, found in
            found.map { abs($0 - given) <= VoxelSizeRule.tolerance * max($0, given) } ?? true
        }
        guard sides.array.allSatisfy({ $0 }) else {
            throw FileFault(
                source.title,
                "the file states a voxel size of \(stated), the pipeline file \(voxelSize.size); "
                    + "correct one, or write 'replace: true' in voxel_size where the file is wrong")
        }
        return voxelSize.size
    }

    private func missing(_ stated: StatedVoxelSize) -> String {
        let axes = stated.missingAxes.joined(separator: ", ")
        let found = stated.missingAxes.count == 3 ? "" : " (it states \(stated))"
        return "the file does not state the voxel size along \(axes)\(found); "
            + "give it in the pipeline file, for example voxel_size: {z: 40 nm, y: 8 nm, x: 8 nm}"
    }
}

/// What a stage learns of an ingested volume without reading its voxels.
struct IngestedVolume: Codable, Sendable {
    var title: String
    var format: String
    var shape: ZYX<Int>
    var elementType: ElementType
    var voxelSize: VoxelSize?
    /// Of the middle of the first voxel, in nanometres, where the file says it.
    var position: ZYX<Double>?
    /// Where the axes lead, where the file says it.
    var frame: VolumeFrame?
    /// Of a series of sections.
    var sections: SectionNumbers?
    /// Where it lies in its image, in voxels, where both were resampled; else files and the pipeline file say it.
    var box: Box?
    /// What people should know, such as a gap in the numbering of sections.
    var notes: [String]?
    var statistics: VolumeStatistics.Summary

    /// How its intensities are brought to mean 0 and deviation 1 when they are read.
    var normalization: IntensityNormalization {
        IntensityNormalization(mean: statistics.mean, deviation: statistics.standardDeviation)
    }

    /// Refuses an image that shows nothing to learn from.
    func checkContrast() throws {
        if let constancy = statistics.constancy {
            throw FileFault(title, "\(constancy): there is nothing to learn from")
        }
    }

    /// Refuses labels, a mask or a further channel that is not of the image's shape and voxel size.
    func check(fits image: IngestedVolume) throws {
        guard shape == image.shape else {
            throw FileFault(title, "has shape \(shape), but its image \(image.title) has \(image.shape)")
        }
        try check(voxelsLikeThoseOf: image)
    }

    /// Where labels lie in their image, in voxels.
    ///
    /// - Parameter place: where the pipeline file puts them.
    /// - Throws: `FileFault` where they do not fit.
    func box(in image: IngestedVolume, at place: ZYX<Int>?) throws -> Box {
        if let box { return box }
        try check(voxelsLikeThoseOf: image)
        return try LabelPlacement.box(of: extent, in: image.extent, at: place)
    }

    /// Where a mask, or the labels themselves, lie in their image: it has the extent of the labels, or of the image.
    func box(asLabelsIn box: Box, of image: IngestedVolume) throws -> Box {
        if shape == box.shape { return box }
        guard shape == image.shape else {
            throw FileFault(
                title, "has shape \(shape), but its labels have \(box.shape) and its image \(image.shape)")
        }
        return Box(image.shape)
    }

    /// Refuses labels that state other voxels than their image.
    func check(voxelsLikeThoseOf image: IngestedVolume) throws {
        if let problem = VoxelSizeRule.problem(voxelSize, like: image.voxelSize, of: "its image \(image.title)") {
            throw FileFault(title, problem)
        }
        let name = "its image \(image.title)"
        let problem =
            VolumeFrame.problem(frame, like: image.frame, of: name)
            ?? SectionNumbers.problem(sections, like: image.sections, of: name)
        if let problem { throw FileFault(title, problem) }
    }
}

/// The shapes that a store of a volume is cut into.
struct StoreShape {
    /// What is compressed together, and the least that is read.
    let chunk = ZYX(32, 64, 64)
    /// What is one file and one unit of work.
    let shard: ZYX<Int>

    static let largest = ZYX(64, 256, 256)

    /// Shards no larger than the volume needs.
    init(for shape: ZYX<Int>) {
        shard = chunk.cells(covering: shape).zip(chunk) { $0 * $1 }.zip(Self.largest, min)
    }
}
