import Foundation
import Labeling
import Volumes

/// Times a task of `Benchmarks/label.py` on the same volumes, from voxels in memory to labels in memory, and prints it as one
/// line of JSON under the same names.
///
///     LabelBenchmark FOLDER TASK [threads] [repetitions]
@main
struct LabelBenchmark {
    static let shape = ZYX(repeating: 512)

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 2 else { fatalError("usage: LabelBenchmark FOLDER TASK [threads] [repetitions]") }
        let (folder, task) = (arguments[1], arguments[2])
        let threads = arguments.count > 3 ? Int(arguments[3]) ?? 1 : 1
        let repetitions = arguments.count > 4 ? Int(arguments[4]) ?? 3 : 3
        let work = try work(task, folder, threads)
        let answer = try work()
        let seconds = try (0..<repetitions).map { _ in
            try ContinuousClock().measure { _ = try work() } / .seconds(1)
        }
        print(
            """
            {"name": "segment", "task": "\(task)", "threads": \(threads), "seconds": \(seconds), "answer": \(answer), \
            "mib": \(peakMemory())}
            """)
    }

    static func work(_ task: String, _ folder: String, _ threads: Int) throws -> () throws -> Double {
        func load<Element: VoxelElement>(_ name: String, as type: Element.Type) throws -> Volume<Element> {
            let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).raw"), options: .alwaysMapped)
            return Volume(shape: shape, voxels: data.withUnsafeBytes { Array($0.bindMemory(to: Element.self)) })
        }
        if task == "scores" {
            let (truth, found) = (try load("labels", as: UInt32.self), try load("found", as: UInt32.self))
            return {
                let scores = try SegmentationScores.evaluate(labels: found, truth: truth, threads: threads)
                return scores.adaptedRandError + scores.variationOfInformation
            }
        }
        let parts = task.split(separator: "-")
        guard parts.count == 2, let connectivity = Int(parts[1]).flatMap(Connectivity.init) else {
            fatalError("unknown task \(task)")
        }
        if parts[0] == "labels" {
            let labels = try load("labels", as: UInt32.self)
            return {
                Double(
                    try connectedComponents(ofLabels: labels, connectivity: connectivity, threads: threads).count)
            }
        }
        let mask = try load(String(parts[0]), as: UInt8.self)
        return { Double(try connectedComponents(of: mask, connectivity: connectivity, threads: threads).count) }
    }

    /// The process's largest resident memory so far, MiB.
    static func peakMemory() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss / 1024
    }
}
