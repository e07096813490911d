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

    @Option(help: "Threads on the processor (default: as many as it has).")
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "The memory that all may take, such as 4G (over the file's execution.memory; default: half of what is free).",
            valueName: "bytes"))
    var memory: String?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, found \(threads)") }
        if let memory, Bytes.parse(memory) == nil {
            throw ValidationError("--memory must be a number of bytes such as 4G or 500 MiB, found '\(memory)'")
        }
    }

    var runOptions: RunOptions {
        RunOptions(
            workFolder: work, device: device, threads: threads, memory: memory.flatMap(Bytes.parse),
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
