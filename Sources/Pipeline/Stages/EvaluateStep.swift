import Foundation
import Inference
import Labeling
import Volumes

/// Scores a labelled volume against its truth: the consensus, each member alone, and a plain threshold.
struct EvaluateStep: Step {
    let name: String
    let labels: LabelStep
    let truth: IngestStep
    let image: IngestStep
    let results: String
    let ingredients: Ingredients
    let key: String

    static let scoresName = "scores.json"

    init(name: String, labels: LabelStep, truth: IngestStep, image: IngestStep, results: String) throws {
        self.name = name
        self.labels = labels
        self.truth = truth
        self.image = image
        self.results = results
        ingredients = Ingredients(
            stage: .evaluate, version: 2, subject: name,
            parameters: ["results": (results as NSString).lastPathComponent + "/" + name],
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
        let truthLabels = try compactLabels(truth.store(context).read(whole))
        let labelled = try context.cache.output(of: labels).store(LabelStep.storeName).read(whole)
        let scores = VolumeScores(
            consensus: try SegmentationScores.evaluate(
                labels: labelled.volume(of: UInt32.self), truth: truthLabels, threads: context.threads),
            members: try memberScores(whole, truthLabels, context),
            thresholding: try ThresholdBaseline(
                connectivity: labels.settings.connectivity, minimumVoxels: labels.settings.minimumVoxels,
                threads: context.threads
            ).best(of: normalizedImage(whole, imageRecord, context), truth: truthLabels))
        let json = try readableJSON(scores)
        try AtomicFile.write(json, to: folder + "/" + EvaluateStep.scoresName)
        try AtomicFile.write(json, to: results + "/" + name + "/" + EvaluateStep.scoresName)
        return Results(root: results + "/" + name, files: [EvaluateStep.scoresName])
    }

    private func normalizedImage(
        _ whole: Box, _ record: IngestedVolume, _ context: StepContext
    ) throws -> Volume<Float> {
        record.normalization.apply(try image.store(context).read(whole))
    }

    /// Each member labelled alone, at its own calibrated threshold where the threshold is automatic.
    private func memberScores(
        _ whole: Box, _ truth: Volume<UInt32>, _ context: StepContext
    ) throws -> [SegmentationScores] {
        try labels.consensus.predictions.enumerated().map { member, prediction in
            if context.shouldStop() { throw Interruption() }
            let threshold = try labels.consensus.threshold.threshold(ofMember: member, context)
            let logits = try prediction.store(context).logits(in: whole, context.threads)
            let objects = try labels.consensus.making(labels.settings, context)
                .objects(in: logits, threshold: threshold)
            context.report(
                StepProgress(fraction: Double(member + 1) / Double(labels.consensus.predictions.count + 1)))
            return try SegmentationScores.evaluate(
                labels: objects.labels, truth: truth, threads: context.threads)
        }
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
