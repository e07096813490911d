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

    /// How often each pair of a label and a truth label of two volumes falls on a voxel.
    ///
    /// - Throws: `FileFault` where a file cannot be read or the shapes differ.
    public func contingency(labels: String, truth: String) throws -> Contingency {
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
        return try labelStore.contingency(truth: truthStore, threads: Machine.processors)
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
        let threads = threads ?? Machine.processors
        let components = try BlockComponents(
            shape: store.layout.shape, block: store.layout.shard, connectivity: connectivity,
            minimumVoxels: minimumVoxels, threads: threads
        ) { box in
            .mask(try store.read(box).converted(to: Double.self).map { $0 == 0 ? 0 : 1 })
        }
        let labels = try BlockStore.create(at: folder + "/labels.zarr", store.layout.of(.uint32))
        try labels.fill(threads: threads) { place, _ in try components.labels(ofBlock: place) }
        try writeLabels(
            of: labels.layout.shape, upTo: components.count, to: output, replaces: replaces,
            voxelSize: store.layout.voxelSize, position: record.position, frame: record.frame
        ) { write in try labels.forEachSlab(threads: threads, write) }
        return components.count
    }

    /// Measures the objects of a labelled volume, whatever numbers they have.
    ///
    /// - Parameters:
    ///   - images: whose values are measured, by the names they get.
    ///   - voxelSize: nil: that of the file.
    /// - Throws: `FileFault` where a file cannot be read, shapes or voxel sizes differ, or there is none.
    public func objects(
        of labels: String, images: [(name: String, file: String)], voxelSize: VoxelSize?, threads: Int?
    ) throws -> ObjectTable {
        let (store, record) = try ingest(labels, as: .labels)
        guard store.layout.elementType.isInteger else {
            throw FileFault(labels, "labels must be whole numbers, found \(store.layout.elementType.rawValue)")
        }
        guard let voxelSize = voxelSize ?? record.voxelSize else {
            throw FileFault(labels, "has no voxel size; give it with --voxel-size")
        }
        let shape = store.layout.shape
        let channels = try images.map { image in
            let (channel, found) = try ingest(image.file)
            guard channel.layout.shape == shape else {
                throw FileFault(image.file, "has shape \(channel.layout.shape), but \(labels) has \(shape)")
            }
            if let problem = VolumeFrame.problem(found.frame, like: record.frame, of: labels) {
                throw FileFault(image.file, problem)
            }
            return channel
        }
        var measurement = ObjectMeasurement(
            objects: 0, shape: shape, voxelSize: voxelSize, images: images.map(\.name))
        var numbers = LabelNumbers()
        let threads = threads ?? Machine.processors
        for box in store.shards {
            let found = try store.read(measurement.region(around: box), threads: threads).converted(to: UInt64.self)
            let numbered = try numbers.number(found)
            measurement.allow(objects: numbers.names.count)
            try measurement.add(
                ObjectMeasurement.Block(
                    box: box, labels: numbered,
                    images: channels.map { try $0.read(box, threads: threads).converted(to: Double.self) }))
        }
        return measurement.finish(names: numbers.names)
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
    _ labels: Volume<UInt32>, to path: String, replaces: Bool, voxelSize: VoxelSize?
) throws {
    try writeLabels(
        of: labels.shape, upTo: Int(labels.voxels.max() ?? 0), to: path, replaces: replaces, voxelSize: voxelSize
    ) { write in try write(VoxelBuffer(labels), 0) }
}

/// - Parameter slabs: calls what it is given with labels of whole sections, and the number of the first of them.
private func writeLabels(
    of shape: ZYX<Int>, upTo maximum: Int, to path: String, replaces: Bool, voxelSize: VoxelSize?,
    position: ZYX<Double>? = nil, frame: VolumeFrame? = nil,
    slabs: ((VoxelBuffer, Int) throws -> Void) throws -> Void
) throws {
    let ending = (path as NSString).pathExtension.lowercased()
    let type =
        ["tif", "tiff", "nii", "gz", "mrc", "map"].contains(ending)
        ? try LabelTIFF.flavor(maximumLabel: UInt64(maximum), shape: shape).1 : .uint32
    let contents = VolumeFile.Contents(
        shape: shape, elementType: type, voxelSize: voxelSize, position: position, frame: frame)
    try write(contents, to: path, dataset: ending == "zarr" ? "labels/objects" : "/labels", replaces: replaces) {
        writer in
        try slabs { try writer.write($0.converted(to: type), atZ: $1) }
    }
}

/// Writes a volume in its own type as the ending of `path` asks.
///
/// - Parameters:
///   - dataset: what stands after the colon where `path` has none and its format holds several volumes.
///   - replaces: whether what lies there makes way.
/// - Throws: `FileFault` for another ending, or where the file cannot be written.
public func writeVolume(
    _ volume: VoxelBuffer, to path: String, dataset: String? = nil, replaces: Bool, voxelSize: VoxelSize?
) throws {
    let contents = VolumeFile.Contents(
        shape: volume.shape, elementType: volume.elementType, voxelSize: voxelSize, position: nil, frame: nil)
    try write(contents, to: path, dataset: dataset, replaces: replaces) { try $0.write(volume, atZ: 0) }
}

private func write(
    _ contents: VolumeFile.Contents, to path: String, dataset: String?, replaces: Bool,
    _ body: (any VolumeWriter) throws -> Void
) throws {
    let place = SourceLocation(path, relativeTo: FileManager.default.currentDirectoryPath)
    let writer = try place.replacing {
        try VolumeFile.create(
            place.location, dataset: dataset, contents, replaces: replaces, threads: Machine.processors)
    }
    try place.named {
        try body(writer)
        try writer.finish()
    }
}
