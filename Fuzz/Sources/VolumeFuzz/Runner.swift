import Foundation
import Synchronization

/// Runs trials in child processes of this program, many in one, and goes on behind each that fails.
final class Runner: Sendable {
    static let secondsAllowed = 10
    static let bytesAllowed = 1 << 30
    private static let trialsInChild = 500

    let data: String
    let seed: Int
    let samples: [Sample]
    let jobs: Int
    private let folder = NSTemporaryDirectory() + "volume-fuzz-" + UUID().uuidString
    private let report: Mutex<Report>

    init(data: String, seed: Int, samples: [Sample], jobs: Int) {
        (self.data, self.seed, self.samples, self.jobs) = (data, seed, samples, jobs)
        report = Mutex(Report(seed: seed))
    }

    /// - Returns: Whether no trial failed but inside libhdf5.
    func run(count: Int) throws -> Bool {
        say("\(count) trials, \(samples.count) samples, address sanitizer \(Sanitizer.isOn ? "on" : "off")")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: jobs) { job in
            while true {
                let first = next.add(Self.trialsInChild, ordering: .relaxed).oldValue
                guard first < count else { return }
                run(first..<min(count, first + Self.trialsInChild), in: "\(folder)/\(job)")
            }
        }
        return report.withLock { $0.finish() }
    }

    /// Repeats one trial, shows all of it, and leaves its files.
    func repeatTrial(_ number: Int) throws -> Bool {
        let trial = try Trial(number, seed: seed, of: samples)
        say("trial \(number) of seed \(seed): \(trial.sample.kind)/\(trial.file): \(trial.damage)")
        run(number..<number + 1, in: folder)
        say("its files are in \(folder)/files")
        if let words = try? String(contentsOfFile: folder + "/stderr", encoding: .utf8) { say(words) }
        return report.withLock { $0.finish() }
    }

    private func run(_ trials: Range<Int>, in folder: String) {
        var first = trials.lowerBound
        while first < trials.upperBound {
            first = runChild(first..<trials.upperBound, in: folder)
        }
    }

    /// - Returns: The trial to go on with.
    private func runChild(_ trials: Range<Int>, in folder: String) -> Int {
        let child: Child
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            child = try Child(data: data, seed: seed, trials: trials, in: folder)
        } catch {
            fatalError("no child process can be started: \(error)")
        }
        var current = trials.lowerBound
        while true {
            switch child.nextLine(within: Self.secondsAllowed + 2) {
            case .line(let line):
                let words = line.split(separator: " ", maxSplits: 4)
                guard words.count > 1, let number = Int(words[1]) else { continue }
                current = number
                if words[0] == "end", words.count >= 4 {
                    record(
                        number, outcome: String(words[2]), peak: Int(words[3]) ?? 0, words.count > 4 ? words[4] : ""
                    )
                    current += 1
                }
            case .silence:
                fail(current, .hang, child.abort())
                return current + 1
            case .end:
                let words = child.wait()
                if current < trials.upperBound { fail(current, .trap, words) }
                return current + (current < trials.upperBound ? 1 : 0)
            }
        }
    }

    private func record(_ number: Int, outcome: String, peak: Int, _ message: Substring) {
        let outcome = Trial.Outcome(rawValue: outcome) ?? .wrongError
        if peak > Self.bytesAllowed {
            fail(number, .memory, "\(peak >> 20) MiB")
        } else if outcome == .wrongError {
            fail(number, .wrongError, String(message))
        } else {
            report.withLock { $0.count(sample(of: number)?.kind ?? "", outcome) }
        }
    }

    private func fail(_ number: Int, _ failure: Report.Failure, _ words: String) {
        guard let trial = try? Trial(number, seed: seed, of: samples) else { return }
        report.withLock { $0.count(number, trial, failure, words) }
    }

    private func sample(of number: Int) -> Sample? { try? Trial(number, seed: seed, of: samples).sample }
}
