import ArgumentParser
import Pipeline

/// How much of the machine a command may take.
struct ResourceOptions: ParsableArguments {
    @Option(help: "Threads on the processor (default: as many as it has).")
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "The memory that all may take, such as 4G (default: that of the pipeline file, or half of what is free).",
            valueName: "bytes"))
    var memory: String?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, found \(threads)") }
        if let memory, Bytes.parse(memory) == nil {
            throw ValidationError("--memory must be a number of bytes such as 4G or 500 MiB, found '\(memory)'")
        }
    }

    var bytes: Int? { memory.flatMap(Bytes.parse) }

    func volumes(_ reading: ReadingOptions) -> OutsideVolumes {
        OutsideVolumes(
            executable: thisProgram, allowsExternalLinks: reading.allowExternalLinks, threads: threads,
            memory: bytes)
    }
}
