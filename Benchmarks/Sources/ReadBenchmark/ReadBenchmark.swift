import Foundation
import Volumes

/// Times reading a whole volume into memory, from opening its file on, and prints it as one line of JSON under the names
/// that `Benchmarks/read.py` has.
///
///     ReadBenchmark FILE [repetitions]
@main
struct ReadBenchmark {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 1 else { fatalError("usage: ReadBenchmark FILE [repetitions]") }
        let repetitions = arguments.count > 2 ? Int(arguments[2]) ?? 3 : 3
        let path = arguments[1]
        // The first run warms up, and says what was read.
        let sum = sum(try read(path).bytes)
        let seconds = try (0..<repetitions).map { _ in
            // Freed after the clock has stopped, as in read.py.
            var volume: VoxelBuffer?
            defer { withExtendedLifetime(volume) {} }
            return try ContinuousClock().measure { volume = try read(path) } / .seconds(1)
        }
        print(
            """
            {"name": "segment", "file": "\((path as NSString).lastPathComponent)", "seconds": \(seconds), \
            "mib": \(peakMemory()), "sum": \(sum)}
            """)
    }

    static func read(_ path: String) throws -> VoxelBuffer {
        let reader = try VolumeFile.open(path)
        return try reader.read(Box(reader.info.shape))
    }

    private nonisolated static func sum(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { $0 + Int($1) } }

    /// The process's largest resident memory so far, MiB.
    static func peakMemory() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss / 1024
    }
}
