import Foundation
import Labeling
import Volumes

/// Files named on the command line, read through the same process and stores as a pipeline's.
public final class OutsideVolumes {
    private let executable: String
    let folder: String
    private let allowsExternalLinks: Bool
    let threads: Int
    let memory: MemoryBudget

    /// - Parameters:
    ///   - allowsExternalLinks: whether HDF5 files may name others outside their folders.
    ///   - threads: nil for all processors.
    ///   - memory: bytes that all may take; nil for half of what is free.
    public init(executable: String, allowsExternalLinks: Bool = false, threads: Int? = nil, memory: Int? = nil) {
        self.executable = executable
        self.allowsExternalLinks = allowsExternalLinks
        self.threads = threads ?? Machine.processors
        self.memory = MemoryBudget(given: memory)
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
        guard labelStore.layout.shape == truthStore.layout.shape else {
            throw FileFault(
                labels, "has shape \(labelStore.layout.shape), but \(truth) has \(truthStore.layout.shape)")
        }
        if let problem = VolumeFrame.problem(record.frame, like: truthRecord.frame, of: truth) {
            throw FileFault(labels, problem)
        }
        return try labelStore.contingency(truth: truthStore, threads: shardsAtOnce(labelStore.layout))
    }

    /// Labels the components of `mask` into the file `output`.
    ///
    /// - Parameter replaces: whether what lies at the output's place makes way.
    /// - Returns: How many objects there are.
    /// - Throws: `FileFault`, before any work where something lies at the output's place.
    public func label(
        mask: String, to output: String, connectivity: Connectivity, minimumVoxels: Int, replaces: Bool
    ) throws -> Int {
        try checkPlace(of: output, replaces: replaces)
        let (store, record) = try ingest(mask)
        let threads = shardsAtOnce(store.layout)
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
        of labels: String, images: [(name: String, file: String)], voxelSize: VoxelSize?
    ) throws -> ObjectTable {
        let (store, record) = try ingest(labels, as: .labels)
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

    /// How many shards of a store may be worked on at once.
    func shardsAtOnce(_ layout: BlockStore.Layout) -> Int {
        memory.pieces(of: layout.shard.count * StageMemory.bytesPerVoxel, threads: threads)
    }

    /// What is known of a file beside its voxels.
    struct Facts {
        var voxelSize: VoxelSize?
        var position: ZYX<Double>?
        var frame: VolumeFrame?
    }

    /// The voxels of a file; what is a store already is used as it is.
    ///
    /// - Throws: `FileFault`, also where labels are no whole numbers.
    func ingest(_ file: String, as role: VolumeRole? = nil) throws -> (BlockStore, Facts) {
        let (store, facts) = try read(file, as: role)
        let type = store.layout.elementType
        guard role != .labels || type.isInteger else {
            throw FileFault(file, "labels must be whole numbers, found \(type.rawValue)")
        }
        return (store, facts)
    }

    private func read(_ file: String, as role: VolumeRole?) throws -> (BlockStore, Facts) {
        var source = SourceLocation(file, relativeTo: FileManager.default.currentDirectoryPath)
        try source.checkIsThere()
        if let store = store(at: source) { return (store, Facts(voxelSize: store.layout.voxelSize)) }
        source.selection = VolumeSelection(role: role, allowsExternalLinks: allowsExternalLinks)
        let place = folder + "/" + UUID().uuidString
        try AtomicFile.makeFolder(place)
        let ingest = Ingest(source: source, role: .values, voxelSize: nil)
        try WorkerOrder.ingest(ingest, folder: place, threads: threads).run(by: executable, title: file)
        let record = try JSONDecoder().decode(
            IngestedVolume.self, from: Data(contentsOf: URL(fileURLWithPath: place + "/" + Ingest.recordName)))
        return (
            try BlockStore.open(at: place + "/" + Ingest.storeName),
            Facts(voxelSize: record.voxelSize, position: record.position, frame: record.frame)
        )
    }

    /// Refuses a file that is not of another's shape, voxels and axes.
    func check(
        _ file: String, _ found: (BlockStore, Facts), fits other: (store: BlockStore, facts: Facts), of name: String
    ) throws {
        let (store, facts) = found
        guard store.layout.shape == other.store.layout.shape else {
            throw FileFault(file, "has shape \(store.layout.shape), but \(name) has \(other.store.layout.shape)")
        }
        let problem =
            VolumeFrame.problem(facts.frame, like: other.facts.frame, of: name)
            ?? VoxelSizeRule.problem(facts.voxelSize, like: other.facts.voxelSize, of: name)
        if let problem { throw FileFault(file, problem) }
    }

    /// A store of one channel whose shards are no larger than ours.
    private func store(at source: SourceLocation) -> BlockStore? {
        let path = source.path + (source.dataset.map { "/" + $0 } ?? "")
        guard let store = try? BlockStore.open(at: path), store.layout.channels ?? 1 == 1,
            store.layout.shard.count <= StoreShape.largest.count
        else { return nil }
        return store
    }
}
