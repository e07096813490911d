import Foundation
import Volumes

#if canImport(Glibc)
    import Glibc
#endif

/// Runs work on outside files in a process of its own, with limits of memory and of the time without progress:
/// what a damaged file makes of the library that reads it ends there, as one line.
public enum ChildProcess {
    /// So long, in seconds, a child may neither move a byte nor say that it gets on: a slow disk does, a dead one does not.
    package static let patience = 300.0

    /// What the child says on its standard output when the work failed.
    public struct Fault: Codable {
        public var file: String
        public var problem: String

        public init(_ fault: FileFault) {
            file = fault.file
            problem = fault.problem
        }
    }

    /// Runs `executable` with `arguments` until it ends.
    ///
    /// - Parameters:
    ///   - title: the file that is named where the child ends without a word.
    ///   - patience: see ``patience``.
    ///   - report: what ``say(progress:)`` says in the child.
    /// - Returns: What the child wrote on its standard output.
    /// - Throws: The child's `FileFault`, or one that says how the child ended.
    @discardableResult
    package static func run(
        _ executable: String, _ arguments: [String], title: String, patience: Double = patience,
        shouldStop: @escaping () -> Bool = { false }, report: @escaping (Double) -> Void = { _ in }
    ) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(["SWIFT_BACKTRACE": "enable=no"]) { _, new in new }
        let output = Pipe()
        process.standardOutput = output
        let progress = ProgressPipe()
        process.standardError = progress.pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        var watch = Watch(process.processIdentifier)
        // What it says is shorter than a pipe holds, so it can be read when it has ended.
        while process.isRunning {
            if shouldStop() {
                stop(process)
                throw Interruption()
            }
            let fraction = progress.latest()
            fraction.map(report)
            if watch.idleSeconds(hasProgressed: fraction != nil) > patience {
                stop(process)
                throw FileFault(
                    title,
                    "reading it stood still for \(Int(patience)) s, and was given up; is its disk still there?")
            }
            usleep(5_000)
        }
        let said = output.fileHandleForReading.readDataToEndOfFile()
        if process.terminationReason == .uncaughtSignal {
            throw FileFault(title, ending(bySignal: process.terminationStatus))
        }
        guard process.terminationStatus == 0 else {
            if let fault = try? JSONDecoder().decode(Fault.self, from: said) {
                throw FileFault(fault.file, fault.problem)
            }
            throw FileFault(title, "reading it failed without a reason (exit code \(process.terminationStatus))")
        }
        return said
    }

    /// Says in a child how far its work is, from 0 to 1.
    public static func say(progress: Double) {
        let line = Array("\(ProgressPipe.mark)\(progress)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// Gives the child time to remove what it has half written.
    private static func stop(_ process: Process) {
        process.terminate()
        for _ in 0..<400 where process.isRunning { usleep(5_000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private static func ending(bySignal signal: Int32) -> String {
        switch signal {
        case SIGXCPU: "reading it got nowhere for minutes of processor time; it may be damaged"
        case SIGKILL: "reading it was ended from outside, as happens where memory runs out"
        default:
            "reading it crashed (signal \(signal)); the file is damaged, or too large for this machine's memory"
        }
    }

    /// Limits this process, as the child's first act.
    ///
    /// - Parameter bytes: of address space beyond what is mapped now.
    static func limitMemory(bytes: Int) {
        var core = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core)
        let mapped = mappedBytes()
        var memory = rlimit(rlim_cur: rlim_t(mapped + bytes), rlim_max: rlim_t(mapped + bytes))
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &memory)
    }

    /// Gives this process so many seconds of processor time from now on; called anew whenever it has got on.
    static func limitTime(seconds: Int) {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let used = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        var time = rlimit(rlim_cur: rlim_t(used + seconds), rlim_max: rlim_t.max)
        setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &time)
    }

    private static func mappedBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// How long a process has neither moved a byte nor said that it got on.
private struct Watch {
    private let path: String
    private var moved = ""
    private var last = ContinuousClock.now
    private var looked = ContinuousClock.now

    init(_ process: Int32) { path = "/proc/\(process)/io" }

    /// Looks once a second.
    mutating func idleSeconds(hasProgressed: Bool) -> Double {
        let now = ContinuousClock.now
        if hasProgressed { last = now }
        if now - looked > .seconds(1) {
            looked = now
            let counts = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            if counts != moved { last = now }
            moved = counts
        }
        return (now - last) / .seconds(1)
    }
}

/// What a child says of its progress; all else that the libraries in it say is left out.
private final class ProgressPipe {
    static let mark = "progress "
    let pipe = Pipe()
    private var pending = ""

    init() {
        let descriptor = pipe.fileHandleForReading.fileDescriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// The last figure said since the last call.
    func latest() -> Double? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(pipe.fileHandleForReading.fileDescriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            pending += String(decoding: buffer[..<count], as: UTF8.self)
        }
        let lines = pending.split(separator: "\n", omittingEmptySubsequences: false)
        pending = String((lines.last ?? "").suffix(4096))
        let figures = lines.dropLast().filter { $0.hasPrefix(Self.mark) }
        return figures.last.flatMap { Double($0.dropFirst(Self.mark.count)) }
    }
}

/// The user asked to stop: everything computed is saved.
public struct Interruption: Error, CustomStringConvertible {
    /// What was saved, for example `step 1240 of member 3`; nil where there is nothing special to say.
    public var place: String?

    public init(place: String? = nil) { self.place = place }

    public var description: String { "stopped" }
}
