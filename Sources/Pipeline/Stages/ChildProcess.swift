import Foundation
import Volumes

#if canImport(Glibc)
    import Glibc
#endif

/// Work that a process of its own does, with limits of memory and of the time without progress: what a damaged file makes of
/// the library that reads it ends there, as one line.
public final class ChildProcess {
    /// So long, in seconds, a child may neither move a byte nor say that it gets on: a slow disk does, a dead one does not.
    package static let patience = 300.0

    private let process = Process()
    private let output = Pipe()
    private let messages = MessagePipe()
    private let title: String
    private let isReading: Bool
    private let patience: Double
    private var watch: Watch

    /// Starts `executable` with `arguments`.
    ///
    /// - Parameters:
    ///   - title: the file, or the step, that is named where the child ends without a word.
    ///   - isReading: whether it reads a file that may be damaged.
    ///   - environment: beside this process's own.
    init(
        _ executable: String, _ arguments: [String], title: String, isReading: Bool = true,
        patience: Double = patience, environment: [String: String] = [:]
    ) throws {
        self.title = title
        self.isReading = isReading
        self.patience = patience
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { _, new in new }) { _, new in new }
        process.standardOutput = output
        process.standardError = messages.pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        watch = Watch(process.processIdentifier)
    }

    /// Runs `executable` with `arguments` until it ends.
    ///
    /// - Returns: What the child wrote on its standard output.
    /// - Throws: What the child failed with, or a `FileFault` that says how it ended; `Interruption`.
    @discardableResult
    package static func run(
        _ executable: String, _ arguments: [String], title: String, patience: Double = patience,
        shouldStop: () -> Bool = { false }, report: (StepProgress) -> Void = { _ in }
    ) throws -> Data {
        let child = try ChildProcess(executable, arguments, title: title, patience: patience)
        do {
            while true {
                if shouldStop() {
                    child.askToStop()
                    throw child.stopped(within: 2)
                }
                if let answer = try child.answer(report: report) { return answer }
                usleep(5_000)
            }
        } catch let failure as WorkFailure {
            throw FileFault(title, failure.description)
        }
    }

    /// What the child wrote on its standard output, once it has ended.
    ///
    /// - Parameter report: what ``say(_:)`` said in the child since the last call.
    /// - Throws: What the child failed with, or a `FileFault` that says how it ended.
    func answer(report: (StepProgress) -> Void) throws -> Data? {
        let isRunning = process.isRunning
        let news = messages.news()
        news.forEach(report)
        if isRunning {
            if watch.idleSeconds(hasProgressed: !news.isEmpty) > patience {
                askToStop()
                _ = stopped(within: 2)
                throw FileFault(
                    title,
                    "reading it stood still for \(Int(patience)) s, and was given up; is its disk still there?")
            }
            return nil
        }
        // What it says is shorter than a pipe holds, so it can be read when it has ended.
        let said = output.fileHandleForReading.readDataToEndOfFile()
        if process.terminationReason == .uncaughtSignal {
            throw FileFault(title, ending(bySignal: process.terminationStatus))
        }
        guard process.terminationStatus == 0 else {
            if let failure = try? JSONDecoder().decode(Failure.self, from: said) { throw failure.error }
            let what = isReading ? "reading it failed" : "it failed"
            throw FileFault(title, "\(what) without a reason (exit code \(process.terminationStatus))")
        }
        return said
    }

    /// Asks the child to save what it can and end.
    func askToStop() { process.terminate() }

    /// Waits for a child that was asked to stop, and ends it where it takes longer than so many seconds.
    ///
    /// - Returns: What was saved, where it said so.
    func stopped(within seconds: Int) -> Interruption {
        for _ in 0..<(200 * seconds) where process.isRunning { usleep(5_000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let failure = try? JSONDecoder().decode(Failure.self, from: said)
        return failure?.error as? Interruption ?? Interruption()
    }

    /// Says in a child how far its work is.
    public static func say(_ progress: StepProgress) {
        let text = Array(MessagePipe.text(of: progress).utf8)
        _ = write(STDERR_FILENO, text, text.count)
    }

    private func ending(bySignal signal: Int32) -> String {
        guard isReading else {
            return signal == SIGKILL
                ? "it was ended from outside, as happens where memory runs out"
                : "it crashed (signal \(signal)), as happens where memory runs out"
        }
        return switch signal {
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
private final class MessagePipe {
    private static let mark = "progress "
    private static let note = "note "
    let pipe = Pipe()
    private var pending = ""

    init() {
        let descriptor = pipe.fileHandleForReading.fileDescriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// A line for the note, if there is one, and one for the rest.
    static func text(of progress: StepProgress) -> String {
        (progress.note.map { "\(note)\($0)\n" } ?? "") + "\(mark)\(progress.fraction) \(progress.detail)\n"
    }

    /// What was said since the last call.
    func news() -> [StepProgress] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(pipe.fileHandleForReading.fileDescriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            pending += String(decoding: buffer[..<count], as: UTF8.self)
        }
        let lines = pending.split(separator: "\n", omittingEmptySubsequences: false)
        pending = String((lines.last ?? "").suffix(4096))
        var note: String?
        var news: [StepProgress] = []
        for line in lines.dropLast() {
            if line.hasPrefix(Self.note) { note = String(line.dropFirst(Self.note.count)) }
            guard line.hasPrefix(Self.mark) else { continue }
            let words = line.dropFirst(Self.mark.count).split(separator: " ", maxSplits: 1)
            guard let fraction = words.first.flatMap({ Double($0) }) else { continue }
            news.append(
                StepProgress(fraction: fraction, detail: words.count > 1 ? String(words[1]) : "", note: note))
            note = nil
        }
        return news
    }
}

/// The user asked to stop: everything computed is saved.
public struct Interruption: Error, CustomStringConvertible {
    /// What was saved, for example `step 1240 of member 3`; nil where there is nothing special to say.
    public var place: String?
    /// Whether the same command would go on from what is done.
    public var isResumable: Bool

    public init(place: String? = nil, isResumable: Bool = true) {
        (self.place, self.isResumable) = (place, isResumable)
    }

    public var description: String { "stopped" }
}
