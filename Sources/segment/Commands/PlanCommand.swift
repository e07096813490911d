import ArgumentParser
import Pipeline

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say what a run would do, and why, without doing it.",
        discussion: """
            Example:
              segment plan pipelines/demo.yaml
            """)

    @OptionGroup var options: PipelineOptions

    func run() throws {
        let pipeline = try options.open()
        for line in try pipeline.opening() { Console.say(line) }
        StateTable(pipeline.states()).print()
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
