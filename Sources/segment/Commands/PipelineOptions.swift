import ArgumentParser
import Foundation
import Pipeline
import Tensors

/// What every command on a pipeline file takes.
struct PipelineOptions: ParsableArguments {
    @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"]))
    var pipeline: String

    @Option(
        help: ArgumentHelp("The folder for cached stages (default: work/NAME beside the file).", valueName: "dir"))
    var work: String?

    @Option(help: "The device: auto, cpu or cuda (over the file's execution.device).")
    var device: Device.Choice?

    @OptionGroup var resources: ResourceOptions

    var runOptions: RunOptions {
        RunOptions(
            workFolder: work, device: device, threads: resources.threads, memory: resources.bytes,
            executable: thisProgram)
    }

    func open() throws -> PipelineRun {
        try PipelineRun(pipeline, options: runOptions)
    }
}

extension PipelineRun {
    /// What a plan and a run begin with, a line each; what is the same of many volumes takes one.
    func opening() throws -> [String] {
        try introduction()
            + groups(of: notes, by: \.text).map { text, notes in
                "note: \(someOf(notes.map(\.subject))): \(text)"
            }
    }
}

/// The path of the running program, for the processes it starts.
var thisProgram: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
}

extension Device.Choice: ExpressibleByArgument {}
extension Stage: ExpressibleByArgument {}
