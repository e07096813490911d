import Foundation
import Labeling
import Reports
import Tensors
import Training
import Volumes

/// Writes the run's report and its provenance beside the results.
struct ReportStep: Step {
    let plan: Plan
    /// The volumes whose results there are.
    let volumes: [Plan.PlannedVolume]
    let failures: [VolumeFailure]
    let ingredients: Ingredients
    let key: String
    let volume: String? = nil
    var resultsFolder: String? { plan.file.resultsFolder }

    static let reportName = "report.html"
    static let provenanceName = "provenance.json"

    init(_ plan: Plan, volumes: [Plan.PlannedVolume], failures: [VolumeFailure]) throws {
        self.plan = plan
        self.volumes = volumes
        self.failures = failures
        var inputs: [Ingredients.Input] = plan.members.enumerated().map { $1.input("weights \($0 + 1)") }
        inputs += plan.threshold.step.map { [$0.input("threshold")] } ?? []
        inputs += volumes.flatMap { volume in
            [volume.export.input("results of \(volume.entry.name)")]
                + (volume.evaluate.map { [$0.input("scores of \(volume.entry.name)")] } ?? [])
        }
        var parameters = ["results": plan.file.name]
        for failure in failures { parameters[Ingredients.failure(of: failure.volume)] = failure.problem }
        ingredients = Ingredients(
            stage: .report, version: 3, subject: "the run", parameters: parameters, inputs: inputs)
        key = try ingredients.key
    }

    var dependencies: [any Step] {
        plan.members + (plan.threshold.step.map { [$0] } ?? []) + volumes.map(\.export)
            + volumes.compactMap(\.evaluate)
    }

    func run(in _: String, _ context: StepContext) throws -> Results? {
        let folder = plan.file.resultsFolder
        try AtomicFile.makeFolder(folder)
        try report(context).write(to: folder + "/" + ReportStep.reportName)
        let provenance = try Provenance(plan, context)
        try AtomicFile.write(try readableJSON(provenance), to: folder + "/" + ReportStep.provenanceName)
        return Results(root: folder, files: [ReportStep.reportName, ReportStep.provenanceName])
    }

    private func report(_ context: StepContext) throws -> RunReport {
        let curves = try plan.trains.map { try $0.curve(context) }
        let members =
            plan.file.learns
            ? try curves.map { try ModelDescription.Member($0, of: plan.file) }
            : plan.file.model?.description.members ?? []
        let calibration = try plan.threshold.calibration(context)
        let disagreement = try memberDisagreement(context)
        return RunReport(
            title: plan.file.name, summary: summary(context), doubts: try plan.doubts(context),
            segmentations: try segmentations(context),
            members: members.enumerated().map { index, member in
                RunReport.Member(
                    number: index + 1, steps: member.steps,
                    ending: member.ending?.rawValue, validationLoss: member.validation?.loss,
                    dice: member.validation.flatMap { $0.foundNothing ? nil : $0.dice },
                    randError: member.validation?.adaptedRandError,
                    disagreement: disagreement?[index])
            },
            trainingCurve: curves.isEmpty ? nil : trainingPlot(curves),
            threshold: try plan.threshold.threshold(context),
            thresholdCurve: calibration.flatMap { $0.consensus.points.isEmpty ? nil : thresholdPlot($0.consensus) },
            stages: stages(context),
            parameters: (try? String(contentsOfFile: plan.file.path, encoding: .utf8)) ?? "")
    }

    private func summary(_ context: StepContext) -> [RunReport.Fact] {
        [
            RunReport.Fact("pipeline file", plan.file.path)
        ] + origin + [
            RunReport.Fact(
                "members",
                "\(plan.file.ensemble.members), which agree by the rule '\(plan.file.consensus.agree)'" + growth
                    + (plan.file.learns ? "; drawn and trained from seed \(plan.file.training.seed)" : "")),
            RunReport.Fact(
                "computed on",
                "\(context.device.rawValue), \(context.threads) threads, \(context.precision.rawValue), "
                    + "libtorch \(Libtorch.version)"),
        ]
    }

    private var growth: String {
        guard let regrow = plan.file.label.regrow else { return "" }
        guard let votes = regrow.votes else { return "; what they agree on grows back into voxels around it" }
        let what = regrow.above.map { "reach \($0)" } ?? "vote"
        return "; what they agree on grows back to where \(votes) of them \(what)"
    }

    /// What the members learnt from.
    private var origin: [RunReport.Fact] {
        let annotated = RunReport.Fact(
            "annotated volumes", plan.file.train.map(\.image.title).joined(separator: ", "))
        let model = plan.file.model.map { model in
            RunReport.Fact(
                plan.file.learns ? "training went on from" : "model",
                "\(model.title): \(model.description.name), \(model.description.summary), "
                    + "SHA-256 \(model.digest)")
        }
        return (plan.file.learns ? [annotated] : []) + (model.map { [$0] } ?? [])
    }

    private func segmentations(_ context: StepContext) throws -> [RunReport.Segmentation] {
        let whole = try volumes.map { volume in
            let record = try volume.labels.record(context)
            let voxels = try volume.image.record(context).shape.count
            return RunReport.Segmentation(
                name: volume.entry.name, path: volume.entry.name + "/", objects: record.objects,
                coverage: Double(record.labelledVoxels) / Double(max(1, voxels)),
                scores: try volume.evaluate?.scores(context).consensus,
                overview: FileManager.default.contents(atPath: volume.export.folder + "/overview.png"),
                comparison: volume.evaluate == nil
                    ? nil
                    : FileManager.default.contents(
                        atPath: volume.export.folder + "/" + EvaluateStep.comparisonName))
        }
        return whole
            + failures.map {
                RunReport.Segmentation(name: $0.volume, path: "", failure: $0.problem)
            }
    }

    /// The share of its votes in which each member differs from the majority, over all volumes.
    private func memberDisagreement(_ context: StepContext) throws -> [Double]? {
        var counts = [Int](repeating: 0, count: plan.members.count)
        var ballots = 0
        for volume in volumes {
            let record = try volume.consensus.record(context)
            counts = zip(counts, record.againstMajority).map(+)
            ballots += record.ballots
        }
        return ballots > 0 ? counts.map { Double($0) / Double(ballots) } : nil
    }

    private func trainingPlot(_ curves: [TrainingCurve]) -> Plot {
        let series = curves.enumerated().flatMap { index, curve in
            let name = "member \(index + 1)"
            return [
                Plot.Series(name: name, points: curve.points.map { (Double($0.step), $0.trainingLoss) }),
                Plot.Series(
                    name: "\(name), validation",
                    points: curve.points.compactMap { point in
                        point.validation.map { (Double(point.step), $0.loss) }
                    }, stroke: .dashed, colorOf: name),
            ]
        }
        return Plot(title: "Training", xLabel: "step", yLabel: "loss", series: series)
    }

    private func thresholdPlot(_ curve: ThresholdCurve) -> Plot {
        Plot(
            title: "Threshold on the calibration block", xLabel: "threshold (logit)",
            yLabel: "variation of information (bits)",
            series: [
                Plot.Series(
                    name: "split + merge", points: curve.points.map { ($0.logit, $0.variationOfInformation) })
            ],
            mark: Plot.Mark(
                x: curve.best.logit,
                label: curve.threshold.description
                    + (curve.best.mergeAbove.map { String(format: ", merging above %.2f", $0) } ?? "")))
    }

    /// Seconds and peak memory by stage, from the records of its steps.
    private func stages(_ context: StepContext) -> [RunReport.Stage] {
        Stage.allCases.compactMap { stage in
            let records = plan.steps.filter { $0.stage == stage }.compactMap { context.cache.record(of: $0) }
            guard !records.isEmpty else { return nil }
            return RunReport.Stage(
                name: stage.rawValue, state: "\(records.count) step\(records.count == 1 ? "" : "s")",
                seconds: records.reduce(0) { $0 + $1.seconds }, peakBytes: records.map(\.peakMemory).max())
        }
    }
}

/// A volume that could not be segmented, and why.
public struct VolumeFailure: Sendable {
    public var volume: String
    public var problem: String
}
