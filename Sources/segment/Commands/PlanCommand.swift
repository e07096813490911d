import ArgumentParser
import Foundation
import Pipeline

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say what a run would do, why, and what that takes, without doing it.",
        discussion: """
            Of the stages with something to do it says what they take at their peak of memory, of the disk at most, and of \
            time about: a few pieces of the work are done to find out, which takes seconds.

            Example:
              segment plan pipelines/demo.yaml
            """)

    @OptionGroup var options: PipelineOptions

    func run() throws {
        let pipeline = try options.open()
        for line in try pipeline.opening() { Console.say(line) }
        StateTable(pipeline.states()).print()
        let interrupt = Interrupt()
        interrupt.listen()
        let isShown = Console.isTerminal
        let forecast: [StageForecast]
        do {
            forecast = try pipeline.forecast(
                shouldStop: { interrupt.isRequested },
                report: { done in
                    if isShown {
                        Console.write(
                            "\r\u{1B}[2Ktiming pieces of the work: \(Int(100 * done)) %", to: STDERR_FILENO)
                    }
                })
        } catch is Interruption {
            throw Interruption(isResumable: false)
        }
        if isShown { Console.write("\r\u{1B}[2K", to: STDERR_FILENO) }
        guard !forecast.isEmpty else { return }
        Console.say("\nstage      memory      disk        time")
        for stage in forecast {
            Console.say(
                stage.stage.rawValue.padded(to: 11) + (stage.memory.map(Bytes.format) ?? "").padded(to: 12)
                    + (stage.disk > 0 ? Bytes.format(stage.disk) : "").padded(to: 12)
                    + (stage.seconds.map(Console.duration) ?? ""))
        }
        let (memory, disk) = (forecast.compactMap(\.memory).max() ?? 0, forecast.reduce(0) { $0 + $1.disk })
        let seconds = forecast.compactMap(\.seconds).reduce(0, +)
        Console.say(
            "at most \(Bytes.format(memory)) of the \(Bytes.format(pipeline.memory)) of memory given, up to "
                + "\(Bytes.format(disk)) of the disk (\(Bytes.format(pipeline.freeDisk)) free), about "
                + "\(Console.duration(seconds))")
        try pipeline.check(forecast)
    }
}

/// The states of all steps, stage by stage; steps of a stage that share a state share a line.
struct StateTable {
    private let states: [PipelineRun.StepState]

    init(_ states: [PipelineRun.StepState]) {
        self.states = states
    }

    func print() {
        for stage in Stage.allCases {
            let steps = states.filter { $0.stage == stage }
            for (_, group) in groups(of: steps, by: \.reason) {
                let subjects = group.count == steps.count && steps.count > 1 ? "all \(steps.count)" : names(group)
                Console.say(stage.rawValue.padded(to: 11) + subjects.padded(to: 30) + group[0].reason)
            }
        }
        let open = states.filter { !$0.isKept }
        Console.say(open.isEmpty ? "everything is kept; a run would do nothing" : summary(of: open))
    }

    private func names(_ steps: [PipelineRun.StepState]) -> String {
        let names = steps.map(\.subject).joined(separator: ", ")
        return steps.count == 1 || names.count < 30 ? names : "\(steps.count) of them"
    }

    private func summary(of open: [PipelineRun.StepState]) -> String {
        let stages = Stage.allCases.filter { stage in open.contains { $0.stage == stage } }
        return "\(open.count) step\(open.count == 1 ? "" : "s") to do: "
            + stages.map(\.rawValue).joined(separator: ", ")
    }
}
