import Foundation

/// The built `segment`, run as a user would.
enum Program {
    struct Ending {
        var code: Int32
        var output: String
        var complaints: String
        /// Everything it said.
        var words: String { output + complaints }

        /// The stages of which something was done, in that order, each once in a row.
        var stages: [String] {
            var stages: [String] = []
            for line in complaints.split(separator: "\n") where line.contains(" done in ") {
                let stage = String(line.split(separator: " ")[0])
                if stages.last != stage { stages.append(stage) }
            }
            return stages
        }
    }

    /// Beside the tests' own bundle.
    private static let executable: URL = {
        let build = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        return build.appendingPathComponent("segment")
    }()

    static func start(_ arguments: [String], in folder: String) throws -> Process {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = Pipe()
        process.standardError = Pipe()
        try process.run()
        return process
    }

    @discardableResult
    static func run(_ arguments: String..., in folder: String) throws -> Ending {
        try run(arguments, in: folder)
    }

    static func run(_ arguments: [String], in folder: String) throws -> Ending {
        try wait(for: start(arguments, in: folder))
    }

    /// Waits until a started one has had so many seconds of processor time, all threads together: unlike time by the
    /// clock, that says how far it is also where other tests run beside it.
    static func wait(for process: Process, toCompute seconds: Double) throws {
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let path = "/proc/\(process.processIdentifier)/stat"
        while process.isRunning, let text = try? String(contentsOfFile: path, encoding: .utf8) {
            // Times in user and in system mode are fields 14 and 15; the second, the name, may hold spaces.
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return }
            if user + system >= seconds * ticks { return }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    static func wait(for process: Process) throws -> Ending {
        guard let output = process.standardOutput as? Pipe, let complaints = process.standardError as? Pipe else {
            return Ending(code: -1, output: "", complaints: "")
        }
        // Both are short, so neither pipe fills while the other is read.
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complained = complaints.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Ending(
            code: process.terminationStatus, output: String(decoding: said, as: UTF8.self),
            complaints: String(decoding: complained, as: UTF8.self))
    }
}
