import Foundation
import Labeling
import Volumes

/// Labels the connected components of the consensus and measures them.
///
/// The mask and the labels of one volume are in memory at once: 5 bytes a voxel.
struct LabelStep: Step {
    let name: String
    let consensus: ConsensusStep
    let settings: LabelSettings
    let ingredients: Ingredients
    let key: String

    static let storeName = "labels.zarr"
    static let tableName = "objects.csv"
    static let recordName = "label.json"

    init(name: String, consensus: ConsensusStep, settings: LabelSettings) throws {
        self.name = name
        self.consensus = consensus
        self.settings = settings
        ingredients = Ingredients(
            stage: .label, version: 1, subject: name, parameters: try Pipeline.parameters("label", settings),
            inputs: [consensus.input("consensus")])
        key = try ingredients.key
    }

    var volume: String? { name }
    var dependencies: [any Step] { [consensus] }

    struct Record: Codable {
        var objects: Int
        var labelledVoxels: Int
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let mask = try consensus.store(ConsensusStep.maskName, context)
        let votes = try consensus.store(ConsensusStep.votesName, context)
        let components = try connectedComponents(
            of: mask.read(Box(mask.layout.shape)).volume(of: UInt8.self), connectivity: settings.connectivity,
            minimumVoxels: settings.minimumVoxels, threads: context.threads)
        context.report(StepProgress(fraction: 0.5))
        try write(components.labels, like: mask, to: folder)
        let table = try table(of: components, votes: votes)
        try AtomicFile.write(Data(table.csv().utf8), to: folder + "/" + LabelStep.tableName)
        let record = Record(objects: components.count, labelledVoxels: components.sizes.reduce(0, +))
        try AtomicFile.write(try readableJSON(record), to: folder + "/" + LabelStep.recordName)
        return nil
    }

    private func write(_ labels: Volume<UInt32>, like mask: BlockStore, to folder: String) throws {
        var layout = mask.layout
        layout.elementType = .uint32
        let store = try BlockStore.create(at: folder + "/" + LabelStep.storeName, layout)
        for shard in store.shards {
            try store.writeShard(shard, VoxelBuffer(labels.cropped(to: shard)))
        }
    }

    private func table(of components: Components, votes: BlockStore) throws -> ObjectTable {
        var measures = ObjectTable.Accumulator(objects: components.count)
        for slab in votes.slabs {
            try measures.add(
                slab: components.labels.cropped(to: slab), votes: try votes.read(slab).volume(of: UInt8.self),
                atZ: slab.origin.z)
        }
        guard let voxelSize = votes.layout.voxelSize else {
            throw DamagedStore(path: votes.path, problem: "has no voxel size")
        }
        return measures.finish(voxelSize: voxelSize)
    }

    func record(_ context: StepContext) throws -> Record {
        try context.cache.output(of: self).json(Record.self, LabelStep.recordName)
    }
}
