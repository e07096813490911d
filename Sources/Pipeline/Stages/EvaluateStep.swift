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
    static let thresholdsNames = [ThresholdComparison.curvesName, ThresholdComparison.pictureName]
    static let names = [scoresName, comparisonName] + thresholdsNames

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
            stage: .evaluate, version: 9, subject: name, parameters: parameters,
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
        let truth = try truthObjects(in: folder, context)
        let imageRecord = try image.record(context)
        let scored = try labels.segmented(context)
        let labelled = try context.cache.output(of: labels).store(LabelStep.storeName)
        let members = try members(against: truth, in: folder, context)
        let scores = VolumeScores(
            consensus: try SegmentationScores(
                LabelValues(file: name, store: labelled).contingency(
                    truth: truth.values(of: name), within: scored, threads: context.shardsAtOnce(truth.store.layout)
                )),
            members: members.scores, thresholding: try thresholding(against: truth, imageRecord, context))
        let json = try readableJSON(scores)
        try AtomicFile.write(json, to: folder + "/" + EvaluateStep.scoresName)
        let root = results + "/" + name
        try AtomicFile.write(json, to: root + "/" + EvaluateStep.scoresName)
        try AtomicFile.write(
            try picture(of: members.section, scores, truth, context).png(),
            to: root + "/" + EvaluateStep.comparisonName)
        if settings.thresholds {
            let (search, block) = try search(against: truth, context)
            let comparison = try ThresholdComparison(search, block) {
                context.report(StepProgress(fraction: 0.5 + 0.5 * $0))
            }
            try AtomicFile.write(try readableJSON(comparison), to: root + "/" + ThresholdComparison.curvesName)
            try AtomicFile.write(
                comparison.plot(of: name).png(width: 900, height: 700),
                to: root + "/" + ThresholdComparison.pictureName)
        } else {
            // Those of an earlier evaluation are of other labels.
            for name in EvaluateStep.thresholdsNames {
                try? FileManager.default.removeItem(atPath: root + "/" + name)
            }
        }
        if truth.isMade { try FileManager.default.removeItem(atPath: truth.store.path) }
        return Results(
            root: root,
            files: EvaluateStep.names.filter {
                settings.thresholds || !EvaluateStep.thresholdsNames.contains($0)
            })
    }

    private var connectivity: Connectivity { labels.settings.connectivity }

    /// Each member labelled alone, at its own calibrated threshold where the threshold is automatic.
    ///
    /// - Returns: the scores, and the first member's objects in the middle section.
    private func members(
        against truth: TruthObjects, in folder: String, _ context: StepContext
    ) throws -> (scores: [SegmentationScores], section: [UInt32]) {
        let consensus = labels.consensus
        let grid = try labels.grid(context)
        let scratch = folder + "/member"
        var objectsInSection: [UInt32] = []
        let scores = try consensus.predictions.indices.map { member in
            if context.shouldStop() { throw Interruption() }
            context.report(StepProgress(fraction: 0.5 * Double(member) / Double(consensus.predictions.count)))
            try AtomicFile.makeFolder(scratch)
            let objects = try consensus.making(labels.settings, ofMember: member, context).objects(
                inBlocksOf: consensus.predictions[member].store(context),
                threshold: consensus.threshold.threshold(ofMember: member, context), folder: scratch, context)
            let store = try grid.write(objects, to: scratch + "/" + LabelStep.storeName, context).store
            if member == 0 { objectsInSection = try MiddlePlane(.z, of: store.layout.shape).labels(of: store) }
            let contingency = try LabelValues(file: name, store: store).contingency(
                truth: truth.values(of: name), within: labels.segmented(context),
                threads: context.shardsAtOnce(truth.store.layout))
            try FileManager.default.removeItem(atPath: scratch)
            return try SegmentationScores(contingency)
        }
        return (scores, objectsInSection)
    }

    private func thresholding(
        against truth: TruthObjects, _ record: IngestedVolume, _ context: StepContext
    ) throws -> SegmentationScores? {
        let scored = try labels.segmented(context)
        var block = ThresholdBaseline.block(of: scored.shape)
        block.origin = block.origin + scored.origin
        return try ThresholdBaseline(
            connectivity: connectivity, minimumVoxels: labels.settings.minimumVoxels, threads: context.threads
        ).best(
            of: record.normalization.apply(image.store(context).read(block)),
            truth: compactLabels(truth.store.read(block)))
    }

    /// A search for thresholds, on the middle of a large volume.
    private func search(
        against truth: TruthObjects, _ context: StepContext
    ) throws -> (ThresholdSearch, CalibrationBlock) {
        let grid = try labels.grid(context)
        let box = try labels.segmented(context).middle(ThresholdComparison.largest)
        let sources = grid.sources(of: box)
        let search = ThresholdSearch(
            making: try labels.consensus.making(labels.settings, context), shouldStop: context.shouldStop,
            onGrid: { grid.labels($0, in: box) })
        let block = CalibrationBlock(
            logits: try labels.consensus.predictions.map {
                try $0.store(context).logits(in: sources, context.threads)
            },
            truth: try truth.pieces(in: box, connectivity, threads: context.threads))
        return (search, block)
    }

    /// The errors by number of votes, from one to all members, and by threshold.
    ///
    /// - Parameter folder: where a truth that is not of objects is made into some.
    func sweep(in folder: String, _ context: StepContext) throws -> [ThresholdCurve] {
        let truth = try truthObjects(in: folder, context)
        let (search, block) = try search(against: truth, context)
        let members = block.logits.count
        return try (1...members).map { votes in
            try search.best(for: .atLeast(votes), [block]) {
                context.report(StepProgress(fraction: (Double(votes - 1) + $0) / Double(members)))
            }
        }
    }

    private func truthObjects(in folder: String, _ context: StepContext) throws -> TruthObjects {
        let head = try labels.consensus.predictions[0].member.outputs(context).head
        return try TruthObjects(
            truth.store(context), of: head, connectivity, writtenTo: folder + "/truth.zarr", context)
    }

    /// The objects of the first member beside those of the consensus and the truth, in the middle section.
    private func picture(
        of member: [UInt32], _ scores: VolumeScores, _ truth: TruthObjects, _ context: StepContext
    ) throws -> Comparison {
        func caption(_ scores: SegmentationScores) -> String {
            String(
                format: "VI %.2f split + %.2f merge, adapted Rand error %.3f", scores.viSplit, scores.viMerge,
                scores.adaptedRandError)
        }
        let labelled = try context.cache.output(of: labels).store(LabelStep.storeName)
        let pictures = PlanePictures(
            image: try image.store(context), votes: try labels.votes(context), labels: labelled)
        let section = MiddlePlane(.z, of: labelled.layout.shape)
        return Comparison(
            title: name, plane: try pictures.picture(of: section),
            panels: [
                Comparison.Panel(name: "Member 1", caption: caption(scores.members[0]), labels: member),
                Comparison.Panel(
                    name: "Consensus (\(labels.consensus.agree))", caption: caption(scores.consensus),
                    labels: try section.labels(of: labelled)),
                Comparison.Panel(name: "Truth", caption: "", labels: try section.labels(of: truth.store)),
            ])
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
