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

    /// Slab by slab, a shard thick: memory holds one slab of the volume. Writes `volume.zarr` and `volume.json` into `folder`.
    ///
    /// - Throws: `FileFault` for a file that is damaged or does not suit its role.
    public func run(into folder: String) throws {
        let reader: any VolumeReader
        do {
            reader = try VolumeFile.open(source.location)
        } catch let fault as FileFault {
            throw FileFault(source.title, fault.problem)
        }
        do {
            try ingest(reader, into: folder)
        } catch let fault as FileFault where fault.file.hasPrefix(source.path) {
            // The path that the user wrote says more than the absolute one.
            throw FileFault(source.title + fault.file.dropFirst(source.location.count), fault.problem)
        }
    }

    private func ingest(_ reader: any VolumeReader, into folder: String) throws {
        let info = reader.info
        guard [.image, .values].contains(role) || info.elementType.isInteger else {
            throw FileFault(
                source.title, "\(role.rawValue) must be whole numbers, found \(info.elementType.rawValue)")
        }
        let size = try resolvedVoxelSize(info.voxelSize)
        let shape = StoreShape(for: info.shape)
        let store = try BlockStore.create(
            at: folder + "/" + Ingest.storeName,
            BlockStore.Layout(
                shape: info.shape, channels: nil, elementType: info.elementType, shard: shape.shard,
                chunk: shape.chunk, voxelSize: size, attributes: [:]))
        var statistics = VolumeStatistics()
        for slab in store.slabs {
            let voxels = try reader.read(slab)
            try add(voxels, at: slab.origin, to: &statistics)
            for shard in slab.cells(of: shape.shard) {
                try store.writeShard(shard, voxels.cropped(to: shard.relative(to: slab.origin)))
            }
        }
        try check(statistics)
        let record = IngestedVolume(
            title: source.title, format: info.format, shape: info.shape, elementType: info.elementType,
            voxelSize: size, statistics: statistics.summary)
        try AtomicFile.write(try readableJSON(record), to: folder + "/" + Ingest.recordName)
    }

    private func add(_ voxels: VoxelBuffer, at origin: ZYX<Int>, to statistics: inout VolumeStatistics) throws {
        guard let place = statistics.add(voxels) else { return }
        let position = origin + place
        throw FileFault(
            source.title,
            "holds NaN or infinity, first at \(position.description.replacingOccurrences(of: " ×", with: ",")); "
                + "every voxel must be a number")
    }

    private func check(_ statistics: VolumeStatistics) throws {
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

    /// The voxel size that the file and the pipeline file give together; nil where labels state none.
    private func resolvedVoxelSize(_ stated: StatedVoxelSize) throws -> VoxelSize? {
        guard let voxelSize else {
            if let complete = stated.complete { return complete }
            if role != .image { return nil }
            throw FileFault(source.title, missing(stated))
        }
        if voxelSize.replaces { return voxelSize.size }
        let sides = voxelSize.size.nanometers.zip(stated.nanometers) { given, found in
            found.map { abs($0 - given) <= 0.001 * max($0, given) } ?? true
        }
        guard sides.array.allSatisfy({ $0 }) else {
            throw FileFault(
                source.title,
                "the file states a voxel size of \(described(stated)), the pipeline file \(voxelSize.size); "
                    + "correct one, or write 'replace: true' in voxel_size where the file is wrong")
        }
        return voxelSize.size
    }

    private func missing(_ stated: StatedVoxelSize) -> String {
        let axes = stated.missingAxes.joined(separator: ", ")
        let found = stated.missingAxes.count == 3 ? "" : " (it states \(described(stated)))"
        return "the file does not state the voxel size along \(axes)\(found); "
            + "give it in the pipeline file, for example voxel_size: {z: 40 nm, y: 8 nm, x: 8 nm}"
    }

    private func described(_ stated: StatedVoxelSize) -> String {
        let known = Swift.zip(["z", "y", "x"], stated.nanometers.array).compactMap { axis, side in
            side.map { "\(axis) \(formatted($0 / stated.unit.nanometers))" }
        }
        return known.joined(separator: " × ") + " \(stated.unit.rawValue)"
    }

    private func formatted(_ value: Double) -> String {
        let rounded = (value * 1e6).rounded() / 1e6
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }
}

/// What a stage learns of an ingested volume without reading its voxels.
struct IngestedVolume: Codable, Sendable {
    var title: String
    var format: String
    var shape: ZYX<Int>
    var elementType: ElementType
    var voxelSize: VoxelSize?
    var statistics: VolumeStatistics.Summary

    /// How its intensities are brought to mean 0 and deviation 1 when they are read.
    var normalization: IntensityNormalization {
        IntensityNormalization(mean: statistics.mean, deviation: statistics.standardDeviation)
    }
}

/// The shapes that a store of a volume is cut into.
struct StoreShape {
    /// What is compressed together, and the least that is read.
    let chunk = ZYX(32, 64, 64)
    /// What is one file and one unit of work.
    let shard: ZYX<Int>

    /// Shards of at most z 64 × y 256 × x 256, no larger than the volume needs.
    init(for shape: ZYX<Int>) {
        let largest = ZYX(64, 256, 256)
        shard = chunk.cells(covering: shape).zip(chunk) { $0 * $1 }.zip(largest, min)
    }
}
