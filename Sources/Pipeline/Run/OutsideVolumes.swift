import Foundation
import Labeling
import Volumes

/// Files named on the command line, read through the same process and stores as a pipeline's.
public final class OutsideVolumes {
    private let executable: String
    private let temporary: TemporaryFolder
    private let allowsExternalLinks: Bool
    let threads: Int
    let memory: MemoryBudget
    let shouldStop: @Sendable () -> Bool

    /// Where what is read and made is kept meanwhile.
    var folder: String { temporary.path }

    /// - Parameters:
    ///   - allowsExternalLinks: whether HDF5 files may name others outside their folders.
    ///   - threads: nil for all processors.
    ///   - memory: bytes that all may take; nil for half of what is free.
    ///   - shouldStop: asked often; work then ends with `Interruption`.
    /// - Throws: `FileFault` where nothing can be kept in the temporary folder.
    public init(
        executable: String, allowsExternalLinks: Bool = false, threads: Int? = nil, memory: Int? = nil,
        shouldStop: @escaping @Sendable () -> Bool = { false }
    ) throws {
        self.executable = executable
        self.allowsExternalLinks = allowsExternalLinks
        self.threads = threads ?? Machine.processors
        self.memory = MemoryBudget(given: memory)
        self.shouldStop = shouldStop
        temporary = try TemporaryFolder()
    }

    public func remove() { temporary.remove() }

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
        return try LabelValues(file: labels, store: labelStore).contingency(
            truth: LabelValues(file: truth, store: truthStore),
            threads: shardsAtOnce(labelStore.layout, of: labels), progress: { _ in try goOn(with: labels) })
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
        let voxelSize = try voxelSize ?? record.knownVoxelSize(of: labels)
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
        let values = LabelValues(file: labels, store: store)
        _ = try shardsAtOnce(store.layout, of: labels)
        for box in store.shards {
            let found = try values.labels(in: measurement.region(around: box), threads: threads)
            let numbered = try numbers.number(found)
            measurement.allow(objects: numbers.names.count)
            try measurement.add(
                ObjectMeasurement.Block(
                    box: box, labels: numbered,
                    images: channels.map { try $0.read(box, threads: threads).converted(to: Double.self) }))
            try goOn(with: labels)
        }
        return measurement.finish(names: numbers.names)
    }

    /// How many shards of a file's store may be worked on at once.
    ///
    /// - Throws: as `piecesAtOnce`.
    func shardsAtOnce(_ layout: BlockStore.Layout, of file: String) throws -> Int {
        try piecesAtOnce(layout.shard.count * StageMemory.bytesPerVoxel, of: file)
    }

    /// How many pieces of a file that take so many bytes each may be worked on at once.
    ///
    /// - Throws: `FileFault` with the least that will do where memory does not allow one.
    func piecesAtOnce(_ bytes: Int, of file: String) throws -> Int {
        guard bytes + MemoryBudget.program <= memory.limit else {
            throw FileFault(file, memory.shortage("work on it", takes: bytes + MemoryBudget.program))
        }
        return memory.pieces(of: bytes, threads: threads)
    }

    /// - Throws: `Interruption` where work should stop; `FileFault` where what is known of so many objects takes more memory
    ///   than is given.
    func goOn(with file: String) throws {
        if shouldStop() { throw Interruption() }
        guard !memory.isGiven || Machine.peakMemory <= memory.limit else {
            throw FileFault(
                file,
                "its many objects take more than the \(Bytes.format(memory.limit)) of memory given; give more --memory"
            )
        }
    }

    /// Refuses outputs that lie where something is already, that are what is read, or that are one.
    ///
    /// - Parameter replaces: whether what lies there makes way.
    /// - Throws: `FileFault`.
    func checkOutputs(_ outputs: [String], of inputs: [String], replaces: Bool) throws {
        func place(_ path: String) -> SourceLocation {
            SourceLocation(path, relativeTo: FileManager.default.currentDirectoryPath)
        }
        for (index, output) in outputs.enumerated() {
            let own = place(output)
            for input in inputs where own.wouldReplace(place(input)) {
                throw FileFault(output, "is what is read, \(input); expected another output")
            }
            for other in outputs.prefix(index) where own.isPart(of: place(other)) || place(other).isPart(of: own) {
                throw FileFault(output, "is the place of two outputs")
            }
            try checkPlace(of: output, replaces: replaces)
        }
    }

    /// What is known of a file beside its voxels.
    struct Facts {
        var voxelSize: VoxelSize?
        var position: ZYX<Double>?
        var frame: VolumeFrame?

        /// - Throws: `FileFault` where the file states none.
        func knownVoxelSize(of file: String) throws -> VoxelSize {
            guard let voxelSize else { throw FileFault(file, "has no voxel size; give it with --voxel-size") }
            return voxelSize
        }
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
        try WorkerOrder.ingest(ingest, folder: place, threads: threads).run(
            by: executable, title: file, shouldStop: shouldStop)
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
