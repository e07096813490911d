import Foundation

/// The built `segment`, run as a user would.
enum Program {
    struct Ending {
        var code: Int32
        var output: String
        var complaints: String
        /// Everything it said.
        var words: String { output + complaints }
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
        let process = try start(arguments, in: folder)
        return try wait(for: process)
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
