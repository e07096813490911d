import Foundation
import Labeling
import Volumes

/// Makes the objects of the consensus, or of what has grown from it, and measures them.
///
/// The logits of one volume and its labels are in memory at once.
struct LabelStep: Step {
    let name: String
    let consensus: ConsensusStep
    /// nil where objects are the components of the consensus.
    let regrow: RegrowStep?
    let settings: LabelSettings
    let ingredients: Ingredients
    let key: String

    static let storeName = "labels.zarr"
    /// The objects of the consensus alone, where others were grown from them.
    static let consensusName = "labels-consensus.zarr"
    static let tableName = "objects.csv"
    static let recordName = "label.json"

    init(name: String, consensus: ConsensusStep, regrow: RegrowStep?, settings: LabelSettings) throws {
        self.name = name
        self.consensus = consensus
        self.regrow = regrow
        self.settings = settings
        ingredients = Ingredients(
            stage: .label, version: 2, subject: name, parameters: try Pipeline.parameters("label", settings),
            inputs: [consensus.input("consensus")] + (regrow.map { [$0.input("regions")] } ?? []))
        key = try ingredients.key
    }

    var volume: String? { name }
    var dependencies: [any Step] { [consensus] + (regrow.map { [$0] } ?? []) }

    struct Record: Codable {
        var objects: Int
        var labelledVoxels: Int
        /// Those of the consensus alone.
        var consensusObjects: Int
        /// The labelled voxels that not all members voted for.
        var disputedVoxels: Int
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let (store, threshold) = try consensus.agreed(context)
        let making = try consensus.making(settings, context)
        let logits = try store.logits(
            in: Box(store.layout.shape), first: making.outputs.head.count, context.threads)
        let components = try making.components(in: logits, threshold)
        context.report(StepProgress(fraction: 0.4))
        var objects = components
        if let regrow {
            try store.writeLabels(components.labels, to: folder + "/" + LabelStep.consensusName)
            let (regions, graph) = try regrow.regions(context)
            objects = ClassifiedComponents(try making.merged(regions, graph))
        }
        context.report(StepProgress(fraction: 0.6))
        try store.writeLabels(objects.labels, to: folder + "/" + LabelStep.storeName)
        let table = try table(of: objects, making, context)
        try AtomicFile.write(Data(table.csv().utf8), to: folder + "/" + LabelStep.tableName)
        let record = Record(
            objects: objects.components.count, labelledVoxels: objects.components.sizes.reduce(0, +),
            consensusObjects: components.components.count,
            disputedVoxels: table.rows.reduce(0) { $0 + $1.disputedVoxels })
        try AtomicFile.write(try readableJSON(record), to: folder + "/" + LabelStep.recordName)
        return nil
    }

    private func table(
        of objects: ClassifiedComponents, _ making: ObjectMaking, _ context: StepContext
    ) throws -> ObjectTable {
        let votes = try consensus.store(ConsensusStep.votesName, context)
        var measures = ObjectTable.Accumulator(
            objects: objects.components.count, members: consensus.predictions.count)
        for slab in votes.slabs {
            try measures.add(
                slab: objects.labels.cropped(to: slab), votes: try votes.read(slab).volume(of: UInt8.self),
                atZ: slab.origin.z)
        }
        return measures.finish(voxelSize: making.voxelSize, classes: objects.classes)
    }

    func record(_ context: StepContext) throws -> Record {
        try context.cache.output(of: self).json(Record.self, LabelStep.recordName)
    }
}
