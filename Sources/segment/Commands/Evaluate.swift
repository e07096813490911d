import ArgumentParser
import Foundation
import Labeling
import Pipeline
import Volumes

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score a labelled volume against the truth.",
        discussion: """
            Voxels whose truth is 0 are ignored (--ignore none counts them); label 0 counts as one segment. \
            The figures are those of scikit-image's adapted_rand_error and variation_of_information.

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

    @OptionGroup var reading: ReadingOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let files = OutsideVolumes(executable: thisProgram, allowsExternalLinks: reading.allowExternalLinks)
        defer { files.remove() }
        let scores = try files.scores(labels: labels, truth: truth, ignoringTruthZero: ignore == .zero)
        if json {
            return Console.say(String(decoding: try readableJSON(scores), as: UTF8.self))
        }
        func row(_ name: String, _ value: Double, _ meaning: String) {
            Console.say(name.padded(to: 21) + String(format: "%.4f", value).padded(to: 9) + meaning)
        }
        row(
            "adapted Rand error", scores.adaptedRandError,
            "1 - the harmonic mean of precision and recall; 0 is best")
        row("Rand precision", scores.randPrecision, "pairs joined in both / joined in the labels")
        row("Rand recall", scores.randRecall, "pairs joined in both / joined in the truth")
        row("VI split", scores.viSplit, "bits; H(labels | truth)")
        row("VI merge", scores.viMerge, "bits; H(truth | labels)")
        row("coverage", scores.coverage, "of the scored voxels are labelled")
        row("Dice", scores.dice, "of the foreground")
        row("IoU", scores.iou, "of the foreground")
        row(
            "object F1", scores.objectF1, "of objects that share at least half of their union with one of the truth"
        )
        Console.say("ignored".padded(to: 21) + scores.ignored)
    }
}
