import Foundation

/// A child process that runs trials.
final class Child {
    enum Event {
        case line(String)
        /// Nothing was heard for as long as was allowed.
        case silence
        case end
    }

    private let process = Process()
    private let output = Pipe()
    private let errors: String
    private var pending: [UInt8] = []

    init(data: String, seed: Int, trials: Range<Int>, in folder: String) throws {
        errors = folder + "/stderr"
        try Data().write(to: URL(fileURLWithPath: errors))
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [
            data, folder + "/files", "--seed", "\(seed)", "--from", "\(trials.lowerBound)", "--to",
            "\(trials.upperBound)",
        ]
        var environment = ProcessInfo.processInfo.environment
        // Every crash shows its stack, and memory freed is kept for a while only, so that it does not count long.
        environment["ASAN_OPTIONS"] =
            "detect_leaks=0:handle_sigill=1:handle_abort=1:allocator_may_return_null=1:max_allocation_size_mb=8192:"
            + "quarantine_size_mb=8:hard_rss_limit_mb=3072:detect_stack_use_after_return=0"
        environment["SWIFT_BACKTRACE"] = "enable=yes,color=no,interactive=no,threads=crashed,images=none"
        process.environment = environment
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try? output.fileHandleForWriting.close()
    }

    func nextLine(within seconds: Int) -> Event {
        while true {
            if let end = pending.firstIndex(of: 10) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                return .line(line)
            }
            let descriptor = output.fileHandleForReading.fileDescriptor
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = Foundation.poll(&poll, 1, Int32(seconds * 1000))
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else { return .silence }
            var buffer = [UInt8](repeating: 0, count: 1 << 14)
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count <= 0 { return .end }
            pending += buffer[..<count]
        }
    }

    /// Ends a process that hangs, so that it shows where.
    func abort() -> String {
        kill(process.processIdentifier, SIGABRT)
        for _ in 0..<50 where process.isRunning { usleep(100_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        return wait()
    }

    /// - Returns: What the process wrote to standard error.
    func wait() -> String {
        process.waitUntilExit()
        let words = FileManager.default.contents(atPath: errors) ?? Data()
        return String(decoding: words.prefix(1 << 16), as: UTF8.self)
    }
}
