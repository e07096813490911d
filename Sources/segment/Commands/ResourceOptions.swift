import ArgumentParser
import Pipeline

/// How much of the machine a command may take.
struct ResourceOptions: ParsableArguments {
    @Option(help: "Threads on the processor (default: as many as it has).")
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "The memory that all may take, such as 4G (default: that of the pipeline file, if any, or half of what is free).",
            valueName: "bytes"))
    var memory: String?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, found \(threads)") }
        if let memory, Bytes.parse(memory) == nil {
            throw ValidationError("--memory must be a number of bytes such as 4G or 500 MiB, found '\(memory)'")
        }
    }

    var bytes: Int? { memory.flatMap(Bytes.parse) }

    /// Runs `body` on volumes; Ctrl-C ends it with nothing left behind.
    func withVolumes<Result>(_ reading: ReadingOptions, _ body: (OutsideVolumes) throws -> Result) throws -> Result
    {
        let interrupt = Interrupt()
        interrupt.listen()
        let files = try OutsideVolumes(
            executable: thisProgram, allowsExternalLinks: reading.allowExternalLinks, threads: threads,
            memory: bytes, shouldStop: { interrupt.isRequested })
        defer { files.remove() }
        do {
            return try body(files)
        } catch is Interruption {
            throw Interruption(isResumable: false)
        }
    }
}
