import Foundation
import Inference
import Labeling
import Reports
import Training
import Volumes

/// Scores a labelled volume against its truth: the consensus, each member alone, and a plain threshold.
struct EvaluateStep: Step {
    let name: String
    let labels: LabelStep
    let truth: IngestStep
    let image: IngestStep
    let settings: EvaluationSettings
    let results: String
    let ingredients: Ingredients
    let key: String

    static let scoresName = "scores.json"
    static let comparisonName = "members.png"
    /// What `evaluate: {thresholds: true}` adds.
    static let thresholdsNames = [
        ThresholdComparison.curvesName, ThresholdComparison.pictureName, comparisonName,
    ]

    init(
        name: String, labels: LabelStep, truth: IngestStep, image: IngestStep, settings: EvaluationSettings,
        results: String
    ) throws {
        self.name = name
        self.labels = labels
        self.truth = truth
        self.image = image
        self.settings = settings
        self.results = results
        var parameters = try Pipeline.parameters("evaluate", settings)
        parameters["results"] = (results as NSString).lastPathComponent + "/" + name
        ingredients = Ingredients(
            stage: .evaluate, version: 6, subject: name, parameters: parameters,
            inputs: [
                labels.input("labels"), labels.consensus.input("consensus"), truth.input("truth"),
                image.input("image"),
            ])
        key = try ingredients.key
    }

    var volume: String? { name }
    var resultsFolder: String? { results + "/" + name }

    var dependencies: [any Step] {
        [labels, labels.consensus, truth, image] + labels.consensus.dependencies
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let imageRecord = try image.record(context)
        let whole = Box(imageRecord.shape)
        var truthLabels = try compactLabels(truth.store(context).read(whole))
        let connectivity = labels.settings.connectivity
        let head = try labels.consensus.predictions[0].member.outputs(context).head
        if !truthLabels.areObjects(of: head, connectivity) {
            truthLabels = try truthLabels.pieces(connectivity, threads: context.threads)
        }
        let labelled = try context.cache.output(of: labels).store(LabelStep.storeName).read(whole)
        let scores = VolumeScores(
            consensus: try SegmentationScores.evaluate(
                labels: labelled.volume(of: UInt32.self), truth: truthLabels, threads: context.threads),
            members: try memberScores(truthLabels, context),
            thresholding: try ThresholdBaseline(
                connectivity: connectivity, minimumVoxels: labels.settings.minimumVoxels,
                threads: context.threads
            ).best(of: normalizedImage(whole, imageRecord, context), truth: truthLabels))
        let json = try readableJSON(scores)
        try AtomicFile.write(json, to: folder + "/" + EvaluateStep.scoresName)
        let root = results + "/" + name
        try AtomicFile.write(json, to: root + "/" + EvaluateStep.scoresName)
        guard settings.thresholds else {
            // Those of an earlier evaluation are of other labels.
            for name in EvaluateStep.thresholdsNames {
                try? FileManager.default.removeItem(atPath: root + "/" + name)
            }
            return Results(root: root, files: [EvaluateStep.scoresName])
        }
        let comparison = try thresholds(truthLabels, context)
        try AtomicFile.write(try readableJSON(comparison), to: root + "/" + ThresholdComparison.curvesName)
        try AtomicFile.write(
            comparison.plot(of: name).png(width: 900, height: 700), to: root + "/" + ThresholdComparison.pictureName
        )
        try AtomicFile.write(
            try members(beside: labelled.volume(of: UInt32.self), scores, truthLabels, imageRecord, context).png(),
            to: root + "/" + EvaluateStep.comparisonName)
        return Results(root: root, files: [EvaluateStep.scoresName] + EvaluateStep.thresholdsNames)
    }

    private func thresholds(_ truth: Volume<UInt32>, _ context: StepContext) throws -> ThresholdComparison {
        let block = CalibrationBlock(
            logits: try labels.consensus.predictions.indices.map { try logits(ofMember: $0, context) }, truth: truth
        )
        let grid = try labels.grid(context)
        let search = ThresholdSearch(
            making: try labels.consensus.making(labels.settings, context), shouldStop: context.shouldStop,
            onGrid: grid.labels)
        return try ThresholdComparison(search, block) { context.report(StepProgress(fraction: $0)) }
    }

    /// The objects of the first member beside those of the consensus and the truth, in the middle section.
    private func members(
        beside consensus: Volume<UInt32>, _ scores: VolumeScores, _ truth: Volume<UInt32>, _ record: IngestedVolume,
        _ context: StepContext
    ) throws -> Comparison {
        let z = record.shape.z / 2
        func section(_ labels: Volume<UInt32>) -> [UInt32] {
            labels.cropped(to: Box(origin: ZYX(z, 0, 0), shape: ZYX(1, labels.shape.y, labels.shape.x))).voxels
        }
        func caption(_ scores: SegmentationScores) -> String {
            String(
                format: "VI %.2f split + %.2f merge, adapted Rand error %.3f", scores.viSplit, scores.viMerge,
                scores.adaptedRandError)
        }
        let pictures = PlanePictures(
            image: try image.store(context), statistics: record.statistics,
            votes: try labels.votes(context),
            labels: try context.cache.output(of: labels).store(LabelStep.storeName))
        return Comparison(
            title: name, plane: try pictures.middlePlanes()[0],
            panels: [
                Comparison.Panel(
                    name: "Member 1", caption: caption(scores.members[0]),
                    labels: section(try objects(ofMember: 0, context))),
                Comparison.Panel(
                    name: "Consensus (\(labels.consensus.agree))", caption: caption(scores.consensus),
                    labels: section(consensus)),
                Comparison.Panel(name: "Truth", caption: "", labels: section(truth)),
            ])
    }

    private func normalizedImage(
        _ whole: Box, _ record: IngestedVolume, _ context: StepContext
    ) throws -> Volume<Float> {
        record.normalization.apply(try image.store(context).read(whole))
    }

    /// Each member labelled alone, at its own calibrated threshold where the threshold is automatic.
    private func memberScores(_ truth: Volume<UInt32>, _ context: StepContext) throws -> [SegmentationScores] {
        let count = labels.consensus.predictions.count
        return try (0..<count).map { member in
            if context.shouldStop() { throw Interruption() }
            context.report(StepProgress(fraction: Double(member) / Double(count)))
            return try SegmentationScores.evaluate(
                labels: try objects(ofMember: member, context), truth: truth, threads: context.threads)
        }
    }

    /// The objects of one member, on the grid of the results.
    private func objects(ofMember member: Int, _ context: StepContext) throws -> Volume<UInt32> {
        let objects = try labels.consensus.making(labels.settings, ofMember: member, context).objects(
            in: logits(ofMember: member, context),
            threshold: labels.consensus.threshold.threshold(ofMember: member, context))
        return try labels.grid(context).labels(objects.labels)
    }

    private func logits(ofMember member: Int, _ context: StepContext) throws -> [Volume<Int16>] {
        let store = try labels.consensus.predictions[member].store(context)
        return try store.logits(in: Box(store.layout.shape), context.threads)
    }

    func scores(_ context: StepContext) throws -> VolumeScores {
        try context.cache.output(of: self).json(VolumeScores.self, EvaluateStep.scoresName)
    }
}

/// A volume's scores against its truth.
public struct VolumeScores: Codable, Sendable {
    public var consensus: SegmentationScores
    public var members: [SegmentationScores]
    /// What no network is needed for: the best global threshold of the smoothed image.
    public var thresholding: SegmentationScores?
}
