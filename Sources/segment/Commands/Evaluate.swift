import ArgumentParser
import Foundation
import Labeling
import Pipeline
import Volumes

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score a labelled volume against the truth.",
        discussion: """
            Voxels whose truth is 0 are ignored (--ignore none counts them). What label 0 counts as follows --convention: \
            skimage takes it for one segment, as scikit-image's adapted_rand_error and variation_of_information do; cremi \
            for no segment in the Rand error, as CREMI's evaluation does, with its names and its score; gala leaves it out of the \
            variation of information too.

            Example:
              segment evaluate --labels sample-data/test-labels.h5 \\
                --truth sample-data/test-labels.h5
            """)

    @Option(help: ArgumentHelp("The labelled volume.", valueName: "file"))
    var labels: String

    @Option(help: ArgumentHelp("The true labels.", valueName: "file"))
    var truth: String

    enum Ignored: String, ExpressibleByArgument, CaseIterable {
        case zero = "0"
        case none
    }

    @Option(help: "Truth that is not scored: 0 or none.")
    var ignore: Ignored = .zero

    @Option(help: "Whose figures: skimage, cremi or gala.")
    var convention: SegmentationScores.Convention = .skimage

    @Option(help: "How many of the costliest splits and mergers to name.")
    var worst = 3

    @OptionGroup var reading: ReadingOptions
    @OptionGroup var resources: ResourceOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard worst >= 0 else { throw ValidationError("--worst must be at least 0, found \(worst)") }
    }

    func run() throws {
        let contingency = try resources.withVolumes(reading) { files in
            try files.contingency(labels: labels, truth: truth)
        }
        let scores = try SegmentationScores(
            contingency, ignoringTruthZero: ignore == .zero, convention: convention)
        let errors = WorstErrors(
            contingency, ignoringTruthZero: ignore == .zero, convention: convention, count: worst)
        if json {
            return Console.say(
                String(decoding: try readableJSON(Evaluation(scores: scores, errors: errors)), as: UTF8.self))
        }
        say(scores)
        say("costliest splits", errors.splits, whole: "truth", part: "label")
        say("costliest mergers", errors.merges, whole: "label", part: "truth")
    }

    private func say(_ scores: SegmentationScores) {
        if scores.coverage == 0 {
            Console.say(
                "note: no scored voxel has a label; what label 0 counts as follows --convention, see coverage and Dice"
            )
        }
        func row(_ name: String, _ value: Double?, _ meaning: String) {
            guard let value else { return }
            Console.say(name.padded(to: 21) + String(format: "%.4f", value).padded(to: 9) + meaning)
        }
        let isCREMI = convention == .cremi
        row(
            isCREMI ? "adapted rand" : "adapted Rand error", scores.adaptedRandError,
            "1 - the harmonic mean of precision and recall; 0 is best")
        row("Rand precision", scores.randPrecision, "pairs joined in both / joined in the labels")
        row("Rand recall", scores.randRecall, "pairs joined in both / joined in the truth")
        row(isCREMI ? "voi split" : "VI split", scores.viSplit, "bits; H(labels | truth)")
        row(isCREMI ? "voi merge" : "VI merge", scores.viMerge, "bits; H(truth | labels)")
        if isCREMI {
            row("cremi score", scores.cremiScore, "the geometric mean of VI and adapted Rand error")
        }
        row("coverage", scores.coverage, "of the scored voxels are labelled")
        row("Dice", scores.dice, "of the foreground")
        row("IoU", scores.iou, "of the foreground")
        if let half = scores.objects?.first {
            let meaning = "of objects that share at least half of their union with one of the truth"
            row("object F1", half.f1, meaning)
            row("object precision", half.precision, "matched / labels")
            row("object recall", half.recall, "matched / objects of the truth")
        }
        row(
            "mean AP 0.5-0.95", scores.meanAveragePrecision,
            "matched / all objects, over shares of the union from 0.5 to 0.95")
        Console.say("ignored".padded(to: 21) + scores.ignored)
    }

    private func say(_ title: String, _ errors: [WorstErrors.ObjectError], whole: String, part: String) {
        if errors.isEmpty { return }
        Console.say(title)
        for error in errors {
            let parts = error.parts.prefix(4).map { "\($0.id) (\(grouped(Int($0.voxels))))" }
            let more = error.pieces > 4 ? " and \(grouped(error.pieces - 4)) more" : ""
            Console.say(
                "  \(whole) \(error.id), \(grouped(Int(error.voxels))) voxels".padded(to: 30)
                    + String(format: " %.4f bits  ", error.bits) + "\(part) " + parts.joined(separator: ", ") + more
            )
        }
    }
}

/// What `--json` prints: scores and costliest errors side by side.
private struct Evaluation: Encodable {
    let scores: SegmentationScores
    let errors: WorstErrors

    enum CodingKeys: String, CodingKey {
        case cremiScore = "cremi_score"
        case meanAveragePrecision = "mean_average_precision"
        case splits = "worst_splits"
        case merges = "worst_merges"
    }

    func encode(to encoder: any Encoder) throws {
        try scores.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        if scores.convention == .cremi { try values.encode(scores.cremiScore, forKey: .cremiScore) }
        try values.encode(scores.meanAveragePrecision, forKey: .meanAveragePrecision)
        try values.encode(errors.splits, forKey: .splits)
        try values.encode(errors.merges, forKey: .merges)
    }
}

extension SegmentationScores.Convention: ExpressibleByArgument {}
