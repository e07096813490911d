import Foundation
import Labeling
import Training
import Volumes

/// Chooses the threshold of the votes on the calibration block, which no member has seen: the one whose
/// labelled consensus has the lowest variation of information to the annotation.
struct CalibrateStep: Step {
    let predictions: [PredictStep]
    let data: TrainingData
    let agree: AgreementRule
    let label: LabelSettings
    let ingredients: Ingredients
    let key: String
    let volume: String? = nil

    static let name = "calibration.json"

    init(predictions: [PredictStep], data: TrainingData, agree: AgreementRule, label: LabelSettings) throws {
        self.predictions = predictions
        self.data = data
        self.agree = agree
        self.label = label
        var parameters = try Pipeline.parameters("label", label)
        parameters["consensus.agree"] = agree.description
        parameters["consensus.threshold"] = "auto"
        ingredients = Ingredients(
            stage: .calibrate, version: 10, subject: "the threshold", parameters: parameters,
            inputs: predictions.enumerated().map { $1.input("logits \($0 + 1)") } + data.inputs)
        key = try ingredients.key
    }

    var dependencies: [any Step] { predictions + data.volumes }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let annotation = try context.annotation(data)
        let (volumes, parts) = (annotation.volumes, annotation.split.calibration)
        _ = try largestObject(in: annotation)
        let outputs = try predictions[0].member.outputs(context)
        let blocks = try parts.enumerated().map { index, part in
            CalibrationBlock(
                logits: try predictions.map {
                    try $0.calibrationStore(index, context).logits(in: Box(part.box.shape), context.threads)
                },
                truth: try volumes[part.volume].objects(
                    in: part.box, of: outputs.head, connectivity: label.connectivity, threads: context.threads))
        }
        let making = ObjectMaking(
            outputs: outputs, settings: label, voxelSize: volumes[0].voxelSize,
            threads: context.threads)
        let search = ThresholdSearch(making: making, shouldStop: context.shouldStop)
        let consensus = try search.best(for: agree, blocks) { context.report(StepProgress(fraction: $0 / 2)) }
        let members = try predictions.indices.map { member in
            let alone = blocks.map { CalibrationBlock(logits: [$0.logits[member]], truth: $0.truth) }
            context.report(StepProgress(fraction: 0.5 + 0.5 * Double(member) / Double(predictions.count)))
            return try search.best(for: .all, alone) { _ in }
        }
        let calibration = Calibration(consensus: consensus, members: members)
        if let note = consensus.doubt { context.report(StepProgress(fraction: 1, note: note)) }
        try AtomicFile.write(try readableJSON(calibration), to: folder + "/" + CalibrateStep.name)
        return nil
    }

    /// Refuses, before anything is trained, annotation whose calibration block says nothing.
    ///
    /// - Returns: what people should know of it, in a clause each.
    func check(_ context: StepContext) throws -> [String] {
        let largest = try largestObject(in: context.annotation(data))
        let least = [("label.min_voxels", label.minimumVoxels), ("label.regrow.seeds", label.regrow?.seeds ?? 0)]
        return least.filter { $0.1 > largest }.map { name, value in
            "what is kept of the annotation for the threshold holds \(grouped(largest)) voxels of an object at most, "
                + "fewer than \(name) = \(grouped(value)), so that no threshold may leave one; lower it, or give "
                + "consensus.threshold a value"
        }
    }

    /// - Returns: the voxels that the calibration block has of the object of which it has most.
    /// - Throws: `FileFault` where it has none.
    private func largestObject(in annotation: Annotation) throws -> Int {
        let parts = annotation.split.calibration
        let largest = parts.compactMap { part in
            let labels = annotation.volumes[part.volume].countedLabels(in: part.box)
            let whole = Box(labels.shape)
            return LabelCensus.count(labels, in: whole, of: labels.shape).values.map(\.voxels).max()
        }.max()
        if let largest { return largest }
        guard let part = parts.first else { return 0 }
        throw FileFault(
            data.parts[part.volume].labels.subject,
            "what is kept of it for the threshold, \(part.box.shape) voxels from \(part.box.origin) on, holds no object; "
                + "give consensus.threshold a value, or change ensemble.calibration")
    }

    func calibration(_ context: StepContext) throws -> Calibration {
        try context.cache.output(of: self).json(Calibration.self, CalibrateStep.name)
    }
}

extension ThresholdCurve {
    /// Why the threshold may not be a good one; nil for no reason.
    var doubt: String? {
        if points.isEmpty {
            return
                "no threshold gives an object on the calibration block, and \(threshold) is taken: train longer, or "
                + "lower label.min_voxels and label.regrow.seeds, or give consensus.threshold a value"
        }
        switch best.logit {
        case ThresholdSearch.logits.first:
            return
                "the best threshold is the lowest, \(threshold): members agree on little yet; train longer, or see "
                + "what fewer votes give"
        case ThresholdSearch.logits.last:
            return "the best threshold is the highest of those that are tried, \(threshold), and one beyond may be "
                + "better: train longer, or give consensus.threshold a value"
        default: return nil
        }
    }
}

/// The thresholds that were chosen, and how the score depends on them.
struct Calibration: Codable {
    var consensus: ThresholdCurve
    /// Each member alone, for comparison.
    var members: [ThresholdCurve]

    /// - Parameter member: nil for the consensus.
    func curve(ofMember member: Int?) -> ThresholdCurve { member.map { members[$0] } ?? consensus }
}
