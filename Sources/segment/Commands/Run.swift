import ArgumentParser
import Foundation
import Labeling
import Pipeline
import Volumes

struct Run: NetworkCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a pipeline: train, segment, export; go on from what is cached.",
        discussion: """
            Ctrl-C stops at a safe place and saves; running again goes on from there. A volume that fails does not stop \
            the others. Exit codes: 0 all volumes segmented, 3 some failed, 130 stopped, 1 any other error.

            Example:
              segment run pipelines/demo.yaml
            """)

    @OptionGroup var options: PipelineOptions

    @Option(help: "Stop after this stage: \(Stage.allCases.map(\.rawValue).joined(separator: ", ")).")
    var until: Stage = .report

    func run() throws {
        let interrupt = Interrupt()
        interrupt.listen()
        let pipeline = try options.open()
        let display = ProgressDisplay()
        for line in try pipeline.opening() { Console.complain(line) }
        let outcome = try pipeline.run(until: until, shouldStop: { interrupt.isRequested }, observe: display.show)
        for volume in outcome.volumes { Console.say(describe(volume)) }
        for (advice, volumes) in groups(of: outcome.volumes.filter { $0.advice != nil }, by: { $0.advice! }) {
            Console.say("\(someOf(volumes.map(\.name))): \(advice)")
        }
        if outcome.volumes.contains(where: { ($0.scores?.members.count ?? 0) > 1 }) {
            Console.say("other votes and thresholds beside the truth: segment sweep \(options.pipeline)")
        }
        for doubt in outcome.doubts { Console.say("note: \(doubt)") }
        if let report = outcome.report { Console.say("report: \(report)") }
        guard outcome.failures.isEmpty else {
            var hints = HintsOnce()
            for failure in outcome.failures {
                Console.complain("\(failure.volume)   failed: \(hints.shorten(failure.problem))")
            }
            let all = pipeline.volumeCount
            Console.complain("\(all - outcome.failures.count) of \(all) volumes segmented")
            throw ExitCode(3)
        }
    }

    private func describe(_ volume: PipelineRun.VolumeResult) -> String {
        var text =
            "\(volume.name)   \(grouped(volume.objects)) object\(volume.objects == 1 ? "" : "s")   \(volume.labels)"
        if let scores = volume.scores {
            text +=
                "\n    adapted Rand error \(figure(scores.consensus.adaptedRandError)) against its truth where that is not 0"
                + " (variation of information: split \(figure(scores.consensus.viSplit)),"
                + " merge \(figure(scores.consensus.viMerge)) bits; object F1 \(figure(scores.consensus.objectF1)))"
            text += "\n    each member alone: \(figures(scores.members))"
            if let plain = scores.thresholding {
                text +=
                    "\n    without a network (best global threshold of the smoothed image): "
                    + figures([plain])
            }
        }
        return text
    }

    private func figures(_ scores: [SegmentationScores]) -> String {
        func list(_ value: KeyPath<SegmentationScores, Double>) -> String {
            scores.map { figure($0[keyPath: value]) }.joined(separator: ", ")
        }
        return "\(list(\.adaptedRandError)); object F1 \(list(\.objectF1))"
    }

    private func figure(_ value: Double) -> String { String(format: "%.3f", value) }
}
