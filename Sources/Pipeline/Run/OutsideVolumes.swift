import Foundation
import Labeling
import Volumes

/// Files named on the command line, read through the same process and stores as a pipeline's.
public final class OutsideVolumes {
    private let executable: String
    private let folder: String

    public init(executable: String) {
        self.executable = executable
        folder = NSTemporaryDirectory() + "segment-\(getpid())"
    }

    public func remove() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Scores `labels` against `truth`.
    ///
    /// - Throws: `FileFault` where a file cannot be read or the shapes differ.
    public func scores(labels: String, truth: String, ignoringTruthZero: Bool) throws -> SegmentationScores {
        let labelStore = try ingest(labels)
        let truthStore = try ingest(truth)
        for (file, store) in [(labels, labelStore), (truth, truthStore)] where !store.layout.elementType.isInteger {
            throw FileFault(file, "labels must be whole numbers, found \(store.layout.elementType.rawValue)")
        }
        guard labelStore.layout.shape == truthStore.layout.shape else {
            throw FileFault(
                labels, "has shape \(labelStore.layout.shape), but \(truth) has \(truthStore.layout.shape)")
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
    /// - Returns: How many objects there are.
    public func label(
        mask: String, to output: String, connectivity: Connectivity, minimumVoxels: Int, threads: Int?
    ) throws -> Int {
        let store = try ingest(mask)
        var inside = Volume<UInt8>(shape: store.layout.shape)
        for slab in store.slabs {
            let part = try store.read(slab).converted(to: Double.self).map { $0 == 0 ? 0 : 1 as UInt8 }
            inside.replace(at: slab.origin, with: part)
        }
        let components = try connectedComponents(
            of: inside, connectivity: connectivity, minimumVoxels: minimumVoxels,
            threads: threads ?? Machine.processors)
        try writeLabels(components.labels, to: output, voxelSize: store.layout.voxelSize)
        return components.count
    }

    private func ingest(_ file: String) throws -> BlockStore {
        let source = SourceLocation(file, relativeTo: FileManager.default.currentDirectoryPath)
        guard FileManager.default.fileExists(atPath: source.path) else { throw FileFault.unreadable(file) }
        let place = folder + "/" + UUID().uuidString
        try AtomicFile.makeFolder(place)
        let ingest = Ingest(source: source, role: .values, voxelSize: nil)
        try WorkerOrder.ingest(ingest, folder: place, threads: Machine.processors).run(by: executable, title: file)
        return try BlockStore.open(at: place + "/" + Ingest.storeName)
    }
}

/// Writes labels as the ending of `path` asks: `.h5` (`/labels`), or `.tif` in the smallest type that
/// holds them.
public func writeLabels(_ labels: Volume<UInt32>, to path: String, voxelSize: VoxelSize?) throws {
    guard isTIFF(path) else {
        return try writeVolume(VoxelBuffer(labels), to: path, dataset: "/labels", voxelSize: voxelSize)
    }
    let (flavor, type) = try LabelTIFF.flavor(
        maximumLabel: UInt64(labels.voxels.max() ?? 0), shape: labels.shape)
    let writer = try TIFFWriter(
        path: path, flavor: flavor, shape: labels.shape, elementType: type, voxelSize: voxelSize)
    let buffer = VoxelBuffer(labels)
    try writer.write(type == .uint16 ? VoxelBuffer(buffer.converted(to: UInt16.self)) : buffer, atZ: 0)
    try writer.finish()
}

/// Writes a volume in its own type as the ending of `path` asks: `.h5` (`dataset`) or `.tif` (ImageJ).
///
/// - Throws: `FileFault` for another ending.
public func writeVolume(_ volume: VoxelBuffer, to path: String, dataset: String, voxelSize: VoxelSize?) throws {
    if isTIFF(path) {
        let writer = try TIFFWriter(
            path: path, flavor: .imageJ, shape: volume.shape, elementType: volume.elementType, voxelSize: voxelSize)
        try writer.write(volume, atZ: 0)
        return try writer.finish()
    }
    guard ["h5", "hdf5", "hdf"].contains((path as NSString).pathExtension.lowercased()) else {
        throw FileFault(path, "the ending says no format that can be written; expected .tif or .h5")
    }
    let writer = try HDF5Writer(
        path: path, dataset: dataset, shape: volume.shape, elementType: volume.elementType, voxelSize: voxelSize)
    try writer.write(volume, atZ: 0)
    try writer.finish()
}

private func isTIFF(_ path: String) -> Bool {
    ["tif", "tiff"].contains((path as NSString).pathExtension.lowercased())
}
