import ArgumentParser
import Foundation
import Pipeline
import Volumes

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what is cached and what is not, and why; with --verify, whether it is intact.",
        discussion: """
            Exit code 4 with --verify where anything is damaged; the next run does it again.

            Example:
              segment status pipelines/demo.yaml --verify
            """)

    @OptionGroup var options: PipelineOptions

    @Flag(help: "Read every cached and exported file and compare it with its SHA-256.")
    var verify = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let pipeline = try options.open()
        let states = pipeline.states(verifying: verify)
        if json {
            Console.say(String(decoding: try readableJSON(states), as: UTF8.self))
        } else {
            Console.say(pipeline.headline)
            StateTable(states).print()
            let leftovers = pipeline.leftovers()
            if !leftovers.isEmpty {
                let bytes = leftovers.reduce(0) { $0 + $1.bytes }
                Console.say(
                    "\(leftovers.count) output\(leftovers.count == 1 ? "" : "s") (\(Bytes.format(bytes))) that this "
                        + "file does not ask for; 'segment clean' removes them")
            }
        }
        if verify && states.contains(where: \.isDamaged) { throw ExitCode(4) }
    }
}
