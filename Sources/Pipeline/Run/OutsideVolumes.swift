import Foundation
import Labeling
import Volumes

/// Files named on the command line, read through the same process and stores as a pipeline's.
public final class OutsideVolumes {
    private let executable: String
    private let folder: String
    private let allowsExternalLinks: Bool

    /// - Parameter allowsExternalLinks: whether HDF5 files may name others outside their folders.
    public init(executable: String, allowsExternalLinks: Bool = false) {
        self.executable = executable
        self.allowsExternalLinks = allowsExternalLinks
        folder = NSTemporaryDirectory() + "segment-\(getpid())"
    }

    public func remove() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Scores `labels` against `truth`.
    ///
    /// - Throws: `FileFault` where a file cannot be read or the shapes differ.
    public func scores(labels: String, truth: String, ignoringTruthZero: Bool) throws -> SegmentationScores {
        let (labelStore, record) = try ingest(labels, as: .labels)
        let (truthStore, truthRecord) = try ingest(truth, as: .labels)
        for (file, store) in [(labels, labelStore), (truth, truthStore)] where !store.layout.elementType.isInteger {
            throw FileFault(file, "labels must be whole numbers, found \(store.layout.elementType.rawValue)")
        }
        guard labelStore.layout.shape == truthStore.layout.shape else {
            throw FileFault(
                labels, "has shape \(labelStore.layout.shape), but \(truth) has \(truthStore.layout.shape)")
        }
        if let problem = VolumeFrame.problem(record.frame, like: truthRecord.frame, of: truth) {
            throw FileFault(labels, problem)
        }
        var contingency = Contingency()
        for slab in labelStore.slabs {
            try contingency.add(
                labels: try labelStore.read(slab).converted(to: UInt64.self),
                truth: try truthStore.read(slab).converted(to: UInt64.self),
                threads: Machine.processors)
        }
        return try SegmentationScores(contingency, ignoringTruthZero: ignoringTruthZero)
    }

    /// Labels the components of `mask` into the file `output`.
    ///
    /// - Parameter replaces: whether what lies at the output's place makes way.
    /// - Returns: How many objects there are.
    /// - Throws: `FileFault`, before any work where something lies at the output's place.
    public func label(
        mask: String, to output: String, connectivity: Connectivity, minimumVoxels: Int, replaces: Bool,
        threads: Int?
    ) throws -> Int {
        try checkPlace(of: output, replaces: replaces)
        let (store, record) = try ingest(mask)
        var inside = Volume<UInt8>(shape: store.layout.shape)
        for slab in store.slabs {
            let part = try store.read(slab).converted(to: Double.self).map { $0 == 0 ? 0 : 1 as UInt8 }
            inside.replace(at: slab.origin, with: part)
        }
        let components = try connectedComponents(
            of: inside, connectivity: connectivity, minimumVoxels: minimumVoxels,
            threads: threads ?? Machine.processors)
        try writeLabels(
            components.labels, to: output, replaces: replaces, voxelSize: store.layout.voxelSize,
            position: record.position, frame: record.frame)
        return components.count
    }

    private func ingest(_ file: String, as role: VolumeRole? = nil) throws -> (BlockStore, IngestedVolume) {
        var source = SourceLocation(file, relativeTo: FileManager.default.currentDirectoryPath)
        try source.checkIsThere()
        source.selection = VolumeSelection(role: role, allowsExternalLinks: allowsExternalLinks)
        let place = folder + "/" + UUID().uuidString
        try AtomicFile.makeFolder(place)
        let ingest = Ingest(source: source, role: .values, voxelSize: nil)
        try WorkerOrder.ingest(ingest, folder: place, threads: Machine.processors).run(by: executable, title: file)
        let record = try Data(contentsOf: URL(fileURLWithPath: place + "/" + Ingest.recordName))
        return (
            try BlockStore.open(at: place + "/" + Ingest.storeName),
            try JSONDecoder().decode(IngestedVolume.self, from: record)
        )
    }
}

/// Refuses the place of a new volume where something lies already.
///
/// - Parameter replaces: whether that makes way.
/// - Throws: `FileFault` that says how to replace it.
public func checkPlace(of path: String, replaces: Bool) throws {
    let place = SourceLocation(path, relativeTo: FileManager.default.currentDirectoryPath)
    try place.replacing { try VolumeFile.checkPlace(of: place.location, replaces: replaces) }
}

/// Writes labels as the ending of `path` asks: `.tif`, `.nii`, `.nii.gz` and `.mrc` in the smallest type that holds them,
/// `.h5` (`/labels` unless a dataset stands after a colon), `.zarr` (`labels/objects`).
///
/// - Parameter replaces: whether what lies there makes way.
/// - Throws: `FileFault` for another ending, or where the file cannot be written.
public func writeLabels(
    _ labels: Volume<UInt32>, to path: String, replaces: Bool, voxelSize: VoxelSize?,
    position: ZYX<Double>? = nil, frame: VolumeFrame? = nil
) throws {
    var buffer = VoxelBuffer(labels)
    let ending = (path as NSString).pathExtension.lowercased()
    if ["tif", "tiff", "nii", "gz", "mrc", "map"].contains(ending) {
        let maximum = UInt64(labels.voxels.max() ?? 0)
        buffer = try buffer.converted(to: LabelTIFF.flavor(maximumLabel: maximum, shape: labels.shape).1)
    }
    let dataset = ending == "zarr" ? "labels/objects" : "/labels"
    try writeVolume(
        buffer, to: path, dataset: dataset, replaces: replaces, voxelSize: voxelSize, position: position,
        frame: frame)
}

/// Writes a volume in its own type as the ending of `path` asks.
///
/// - Parameters:
///   - dataset: what stands after the colon where `path` has none and its format holds several volumes.
///   - replaces: whether what lies there makes way.
/// - Throws: `FileFault` for another ending, or where the file cannot be written.
public func writeVolume(
    _ volume: VoxelBuffer, to path: String, dataset: String? = nil, replaces: Bool, voxelSize: VoxelSize?,
    position: ZYX<Double>? = nil, frame: VolumeFrame? = nil
) throws {
    let place = SourceLocation(path, relativeTo: FileManager.default.currentDirectoryPath)
    let contents = VolumeFile.Contents(
        shape: volume.shape, elementType: volume.elementType, voxelSize: voxelSize, position: position,
        frame: frame)
    let writer = try place.replacing {
        try VolumeFile.create(
            place.location, dataset: dataset, contents, replaces: replaces, threads: Machine.processors)
    }
    try place.named {
        try writer.write(volume, atZ: 0)
        try writer.finish()
    }
}
