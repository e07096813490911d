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
        let sum = try read(path).bytes.reduce(0) { $0 + Int($1) }
        let seconds = try (0..<repetitions).map { _ in
            try ContinuousClock().measure { _ = try read(path) } / .seconds(1)
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

    /// The process's largest resident memory so far, MiB.
    static func peakMemory() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss / 1024
    }
}
