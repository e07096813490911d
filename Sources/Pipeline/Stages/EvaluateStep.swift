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
            stage: .evaluate, version: 10, subject: name, parameters: parameters,
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
        let pictures = try labels.pictures(over: image, context)
        let (plane, objects) = try pictures.plane(across: .z)
        let members = try members(against: truth, drawing: plane, in: folder, context)
        let scores = VolumeScores(
            consensus: try scores(of: pictures.labels, against: truth, context), members: members.map(\.scores),
            thresholding: try thresholding(against: truth, image.record(context), context))
        let json = try readableJSON(scores)
        let root = results + "/" + name
        try AtomicFile.write(json, to: folder + "/" + EvaluateStep.scoresName)
        try AtomicFile.write(json, to: root + "/" + EvaluateStep.scoresName)
        try AtomicFile.write(
            try picture(of: plane, pictures, objects, members.map(\.labels), scores, truth).png(),
            to: root + "/" + EvaluateStep.comparisonName)
        try writeThresholds(to: root, against: truth, context)
        if truth.isMade { try FileManager.default.removeItem(atPath: truth.store.path) }
        return Results(
            root: root,
            files: EvaluateStep.names.filter {
                settings.thresholds || !EvaluateStep.thresholdsNames.contains($0)
            })
    }

    /// Where they are asked for; those of an earlier evaluation are of other labels.
    private func writeThresholds(to root: String, against truth: TruthObjects, _ context: StepContext) throws {
        guard settings.thresholds else {
            for name in EvaluateStep.thresholdsNames {
                try? FileManager.default.removeItem(atPath: root + "/" + name)
            }
            return
        }
        let (search, block) = try search(against: truth, context)
        let comparison = try ThresholdComparison(search, block) {
            context.report(StepProgress(fraction: 0.5 + 0.5 * $0))
        }
        try AtomicFile.write(try readableJSON(comparison), to: root + "/" + ThresholdComparison.curvesName)
        try AtomicFile.write(
            comparison.plot(of: name).png(width: 900, height: 700),
            to: root + "/" + ThresholdComparison.pictureName)
    }

    private func scores(
        of objects: BlockStore, against truth: TruthObjects, _ context: StepContext
    ) throws -> SegmentationScores {
        let contingency = try LabelValues(file: name, store: objects).contingency(
            truth: truth.values(of: name), within: labels.segmented(context),
            threads: context.shardsAtOnce(truth.store.layout))
        return try SegmentationScores(contingency)
    }

    private var connectivity: Connectivity { labels.settings.connectivity }

    /// Each member labelled alone, at its own calibrated threshold where the threshold is automatic.
    ///
    /// - Returns: each one's scores, and its objects in a plane.
    private func members(
        against truth: TruthObjects, drawing plane: PicturePlane, in folder: String, _ context: StepContext
    ) throws -> [(scores: SegmentationScores, labels: [UInt32])] {
        let consensus = labels.consensus
        let grid = try labels.grid(context)
        let scratch = folder + "/member"
        return try consensus.predictions.indices.map { member in
            if context.shouldStop() { throw Interruption() }
            context.report(StepProgress(fraction: 0.5 * Double(member) / Double(consensus.predictions.count)))
            try AtomicFile.makeFolder(scratch)
            let objects = try consensus.making(labels.settings, ofMember: member, context).objects(
                inBlocksOf: consensus.predictions[member].store(context),
                threshold: consensus.threshold.threshold(ofMember: member, context), folder: scratch, context)
            let store = try grid.write(objects, to: scratch + "/" + LabelStep.storeName, context).store
            let result = (
                scores: try self.scores(of: store, against: truth, context), labels: try plane.labels(of: store)
            )
            try FileManager.default.removeItem(atPath: scratch)
            return result
        }
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

    /// The objects of the consensus and the truth, and below them those of each member, in one plane.
    private func picture(
        of plane: PicturePlane, _ pictures: PlanePictures, _ objects: [UInt32], _ members: [[UInt32]],
        _ scores: VolumeScores, _ truth: TruthObjects
    ) throws -> Comparison {
        func panel(_ name: String, _ scores: SegmentationScores, _ labels: [UInt32]) -> Comparison.Panel {
            let caption = String(
                format: "VI %.2f split + %.2f merge, Rand error %.3f, object F1 %.2f", scores.viSplit,
                scores.viMerge, scores.adaptedRandError, scores.objectF1)
            return Comparison.Panel(name: name, caption: caption, labels: labels)
        }
        return Comparison(
            title: name, plane: try pictures.picture(of: plane, objects),
            panels: [
                panel(
                    "Consensus (\(labels.consensus.agree))", scores.consensus, objects
                ),
                Comparison.Panel(name: "Truth", caption: "", labels: try plane.labels(of: truth.store)),
            ],
            members: zip(members, scores.members).enumerated().map { index, member in
                panel("Member \(index + 1) alone", member.1, member.0)
            })
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
