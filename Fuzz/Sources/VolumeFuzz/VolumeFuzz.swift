import Foundation

/// Damages valid files at random and reads them, in child processes with limits of time and memory.
///
///     VolumeFuzz DATA [--count 20000] [--seed 1] [--only K] [--jobs N]
///
/// Trial K of a seed is always the same: `--only K` repeats it alone and leaves its files in place.
@main
struct VolumeFuzz {
    static func main() throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        func number(_ name: String) -> Int? {
            guard let place = arguments.firstIndex(of: name), place + 1 < arguments.count else { return nil }
            defer { arguments.removeSubrange(place...place + 1) }
            return Int(arguments[place + 1])
        }
        let seed = number("--seed") ?? 1
        let only = number("--only")
        let count = number("--count") ?? 20_000
        let jobs = number("--jobs") ?? ProcessInfo.processInfo.activeProcessorCount
        let child = (first: number("--from"), last: number("--to"))
        guard let data = arguments.first else {
            fatalError("usage: VolumeFuzz DATA [--count N] [--seed N] [--only K]")
        }
        let samples = try Sample.all(in: data)
        if let first = child.first, let last = child.last, arguments.count == 2 {
            TrialChild(samples: samples, seed: seed, folder: arguments[1]).run(first..<last)
            return
        }
        let runner = Runner(data: data, seed: seed, samples: samples, jobs: max(1, jobs))
        let isClean = try only.map { try runner.repeatTrial($0) } ?? runner.run(count: count)
        exit(isClean ? 0 : 1)
    }
}
