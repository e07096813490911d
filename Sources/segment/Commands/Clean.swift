import ArgumentParser
import Pipeline

struct Clean: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove cached outputs that the pipeline file no longer asks for.",
        discussion: """
            Results are never removed. Without --force the outputs are only listed.

            Example:
              segment clean pipelines/demo.yaml
            """)

    @OptionGroup var options: PipelineOptions

    @Flag(help: "Every cached output, trained weights too.")
    var all = false

    @Flag(help: "Remove them, instead of only listing them.")
    var force = false

    func run() throws {
        let pipeline = try options.open()
        let outputs = all ? pipeline.outputs() : pipeline.leftovers()
        guard !outputs.isEmpty else { return Console.say("nothing to remove in \(pipeline.workFolder)") }
        for output in outputs { Console.say("\(Bytes.format(output.bytes).padded(to: 12))\(output.path)") }
        let total = Bytes.format(outputs.reduce(0) { $0 + $1.bytes })
        guard force else { return Console.say("\(total) in \(outputs.count) outputs; remove them with --force") }
        try pipeline.remove(outputs.map(\.path))
        Console.say("removed \(total)")
    }
}
