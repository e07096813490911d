import Labeling
import Synchronization
import Volumes

/// What the objects are made of that `OutsideVolumes.label` finds.
public enum LabelledContents: Sendable {
    /// The connected voxels that are not 0.
    case mask(String)
    /// The connected voxels of one label each; numbers may be up to 64 bits long.
    case labels(String)
    /// The graph of edges between a voxel and the one before it, along z, y and x: those that are not 0.
    case edges(ZYX<String>)

    var files: [String] {
        switch self {
        case .mask(let file), .labels(let file): [file]
        case .edges(let files): files.array
        }
    }
}

extension OutsideVolumes {
    /// Labels the connected components of volumes into the file `output`.
    ///
    /// - Parameters:
    ///   - connectivity: of edges it is that of faces.
    ///   - finish: what is done to the objects then, as `label:` of a pipeline does.
    ///   - exclusion: a volume: objects with a voxel where it is not 0 are dropped.
    ///   - voxelSize: nil: that of the file.
    ///   - replaces: whether what lies at the output's place makes way.
    /// - Returns: How many objects there are, and how many there were before `finish` and `exclusion`.
    /// - Throws: `FileFault`, before any work where something lies at the output's place; `Interruption`.
    public func label(
        _ contents: LabelledContents, to output: String, connectivity: Connectivity, minimumVoxels: Int,
        finish: LabelSettings.Finish, exclusion: String?, voxelSize: VoxelSize?, replaces: Bool
    ) throws -> (count: Int, found: Int) {
        let file = contents.files[0]
        try checkOutputs([output], of: contents.files + [exclusion].compactMap(\.self), replaces: replaces)
        let (store, facts, read) = try open(contents)
        let excluded = try exclusion.map { name in
            let found = try ingest(name)
            try check(name, found, fits: (store, facts), of: file)
            return found.0
        }
        let voxelSize = voxelSize ?? facts.voxelSize
        if finish.smoothing != nil || finish.minimumVolume != nil {
            try ObjectFinishing.checkSmoothing(
                finish, as: "--smooth", of: file, voxelSize ?? facts.knownVoxelSize(of: file))
        }
        let threads = try shardsAtOnce(store.layout, of: file)
        let components = try BlockComponents(
            shape: store.layout.shape, block: store.layout.shard, connectivity: connectivity,
            minimumVoxels: minimumVoxels, threads: threads,
            progress: { _ in try goOn(with: file) }, read: read)
        var layout = store.layout.of(.uint32)
        layout.voxelSize = voxelSize
        let labels = try BlockStore.create(at: folder + "/labels.zarr", layout)
        try labels.fill(threads: threads, shouldStop: shouldStop) { place, _ in
            try components.labels(ofBlock: place)
        }
        var objects = StoredObjects(store: labels, count: components.count, classes: nil)
        if finish != LabelSettings.Finish() || excluded != nil {
            let finishing = ObjectFinishing(
                settings: finish, exclusion: excluded, segmented: Box(layout.shape),
                withinSections: connectivity.isWithinSections,
                // What needs a size has been refused without one.
                voxelSize: voxelSize ?? VoxelSize(ZYX(repeating: 1), .micrometer),
                work: BlockWork(threads: self.threads, memory: memory, shouldStop: shouldStop))
            objects = try finishing.write(objects, to: folder + "/finished.zarr") { _ in }
            try goOn(with: file)
        }
        try writeLabels(
            of: layout.shape, upTo: UInt64(objects.count), to: output, replaces: replaces,
            voxelSize: voxelSize, position: facts.position, frame: facts.frame
        ) { write in try objects.store.forEachSlab(threads: threads, shouldStop: shouldStop, write) }
        return (objects.count, components.count)
    }

    /// A store of the shape that objects have, and what reads their contents.
    private func open(
        _ contents: LabelledContents
    ) throws -> (BlockStore, Facts, @Sendable (Box) throws -> BlockContents) {
        switch contents {
        case .mask(let file):
            let (store, facts) = try ingest(file)
            return (store, facts, { .mask(try store.read($0).isNonzero()) })
        case .labels(let file):
            let (store, facts) = try ingest(file, as: .labels)
            let values = LabelValues(file: file, store: store)
            // Which number a label gets does not matter, only that it keeps it.
            let numbers = Mutex(LabelNumbers())
            return (
                store, facts,
                { box in
                    let labels = try values.labels(in: box)
                    return .labels(try numbers.withLock { try $0.number(labels) })
                }
            )
        case .edges(let files):
            let stores = try files.map { try ingest($0) }
            for (file, found) in zip(files.array, stores.array).dropFirst() {
                try check(file, found, fits: stores.z, of: files.z)
            }
            let edges = stores.map { $0.0 }
            return (stores.z.0, stores.z.1, { box in .edges(try edges.map { try $0.read(box).isNonzero() }) })
        }
    }
}

extension VoxelBuffer {
    /// 1 where a voxel is not 0.
    fileprivate func isNonzero() throws -> Volume<UInt8> { try elementType.visit(Nonzero(voxels: self)) }
}

private struct Nonzero: VoxelTypeVisitor {
    let voxels: VoxelBuffer

    func visit<Element: VoxelElement>(_ type: Element.Type) throws(any Error) -> Volume<UInt8> {
        voxels.volume(of: type).map { $0 == .zero ? 0 : 1 }
    }
}
