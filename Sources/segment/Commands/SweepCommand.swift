import ArgumentParser
import Foundation
import Pipeline

struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Compare rules of agreement and thresholds on volumes with a truth, from what is predicted.",
        discussion: """
            Every volume with a truth is labelled and scored for each number of votes that a voxel may need, and at logits \
            from 0 to 8; sweep.csv beside its results has all that leave objects, and of each number of votes the one of the \
            lowest variation of information is printed (which, like the Rand error, leaves out voxels where the truth is 0: \
            the best object F1 may stand in another row). Of more than 16 million voxels the middle is taken. What a truth says is best, it says of itself: choose \
            by volumes that are not the ones to report.

            Example:
              segment sweep pipelines/demo.yaml
            """)

    @OptionGroup var options: PipelineOptions

    func run() throws {
        let interrupt = Interrupt()
        interrupt.listen()
        let isShown = Console.isTerminal
        let sweeps = try options.open().sweep(
            shouldStop: { interrupt.isRequested },
            report: { volume, done in
                if isShown { Console.write("\r\u{1B}[2K\(volume)   \(Int(100 * done)) %", to: STDERR_FILENO) }
            })
        if isShown { Console.write("\r\u{1B}[2K", to: STDERR_FILENO) }
        for sweep in sweeps {
            Console.say("\(sweep.volume)   lowest VI of each number of votes; all are in \(sweep.table)")
            Console.say("  votes   probability   VI split   VI merge   adapted Rand error   object F1")
            for (index, curve) in sweep.curves.enumerated() {
                guard let best = curve.points.min(by: { $0.variationOfInformation < $1.variationOfInformation })
                else { continue }
                Console.say(
                    "  " + "\(index + 1) of \(sweep.curves.count)".padded(to: 8)
                        + String(
                            format: "%11.4f %10.3f %10.3f %20.3f %11.3f", best.threshold.probability, best.viSplit,
                            best.viMerge, best.adaptedRandError, best.objectF1 ?? .nan))
            }
        }
    }
}
