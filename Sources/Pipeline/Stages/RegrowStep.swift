import Foundation
import Labeling
import Volumes

/// Grows the components of the consensus back into the voxels it dropped, and measures the faces between them where
/// they are to be merged: another threshold of merging re-runs nothing before it.
struct RegrowStep: Step {
    let name: String
    let consensus: ConsensusStep
    let settings: LabelSettings
    let ingredients: Ingredients
    let key: String

    static let storeName = "regions.zarr"
    static let graphName = "faces.csv"

    init(
        name: String, consensus: ConsensusStep, regrow: LabelSettings.Regrowth, settings: LabelSettings
    ) throws {
        self.name = name
        self.consensus = consensus
        self.settings = settings
        var parameters = try Pipeline.parameters("label.regrow", regrow)
        parameters["label.connectivity"] = "\(settings.connectivity.rawValue)"
        parameters["label.merge"] = settings.merge == nil ? "no" : "yes"
        ingredients = Ingredients(
            stage: .regrow, version: 3, subject: name, parameters: parameters,
            inputs: [consensus.input("consensus")])
        key = try ingredients.key
    }

    var volume: String? { name }
    var dependencies: [any Step] { [consensus] }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let (store, threshold) = try consensus.agreed(context)
        let making = try consensus.making(settings, context)
        let regions = try making.regions(
            inBlocksOf: store, threshold,
            votes: settings.regrow?.votes == nil ? nil : consensus.growthVotes(context),
            to: folder + "/" + RegrowStep.storeName, context
        ) { context.report(StepProgress(fraction: 0.8 * $0)) }
        if settings.merge != nil {
            let graph = try making.graph(ofBlocksOf: regions, store, context) {
                context.report(StepProgress(fraction: 0.8 + 0.2 * $0))
            }
            try AtomicFile.write(Data(graph.csv().utf8), to: folder + "/" + RegrowStep.graphName)
        }
        return nil
    }

    /// The grown regions, and the faces between them where they are to be merged.
    func regions(_ context: StepContext) throws -> (labels: BlockStore, graph: RegionGraph?) {
        let output = try context.cache.output(of: self)
        let labels = try output.store(RegrowStep.storeName)
        guard settings.merge != nil else { return (labels, nil) }
        let path = try output.file(RegrowStep.graphName)
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        guard let graph = RegionGraph(csv: text) else {
            throw DamagedStore(path: path, problem: "is no table of faces")
        }
        return (labels, graph)
    }
}

extension ConsensusStep {
    /// How the consensus, or a member alone, becomes objects: settings with what was calibrated for it.
    func making(
        _ settings: LabelSettings, ofMember member: Int? = nil, _ context: StepContext
    ) throws -> ObjectMaking {
        let votes = try store(ConsensusStep.votesName, context)
        guard let voxelSize = votes.layout.voxelSize else {
            throw DamagedStore(path: votes.path, problem: "has no voxel size")
        }
        return ObjectMaking(
            outputs: try predictions[0].member.outputs(context),
            settings: try threshold.label(settings, ofMember: member, context), voxelSize: voxelSize,
            threads: context.threads)
    }
}
