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
    ///   - replaces: whether what lies at the output's place makes way.
    /// - Returns: How many objects there are.
    /// - Throws: `FileFault`, before any work where something lies at the output's place; `Interruption`.
    public func label(
        _ contents: LabelledContents, to output: String, connectivity: Connectivity, minimumVoxels: Int,
        replaces: Bool
    ) throws -> Int {
        try checkOutputs([output], of: contents.files, replaces: replaces)
        let (store, facts, read) = try open(contents)
        let threads = try shardsAtOnce(store.layout, of: contents.files[0])
        let components = try BlockComponents(
            shape: store.layout.shape, block: store.layout.shard, connectivity: connectivity,
            minimumVoxels: minimumVoxels, threads: threads,
            progress: { _ in try goOn(with: contents.files[0]) }, read: read)
        let labels = try BlockStore.create(at: folder + "/labels.zarr", store.layout.of(.uint32))
        try labels.fill(threads: threads, shouldStop: shouldStop) { place, _ in
            try components.labels(ofBlock: place)
        }
        try writeLabels(
            of: labels.layout.shape, upTo: UInt64(components.count), to: output, replaces: replaces,
            voxelSize: store.layout.voxelSize, position: facts.position, frame: facts.frame
        ) { write in try labels.forEachSlab(threads: threads, shouldStop: shouldStop, write) }
        return components.count
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
