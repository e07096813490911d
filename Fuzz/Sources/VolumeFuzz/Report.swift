/// What trials came to, by kind of file.
struct Report: Sendable {
    enum Failure: String, CaseIterable {
        case trap, hang, memory, wrongError
    }

    private struct Line {
        var read = 0
        var refused = 0
        var failures: [Failure: Int] = [:]
        var inHDF5 = 0
    }

    let seed: Int
    private var lines: [String: Line] = [:]
    private var done = 0

    init(seed: Int) { self.seed = seed }

    mutating func count(_ kind: String, _ outcome: Trial.Outcome) {
        if outcome == .read {
            lines[kind, default: Line()].read += 1
        } else {
            lines[kind, default: Line()].refused += 1
        }
        step()
    }

    /// Counts a failure and prints it, with what repeats it.
    mutating func count(_ number: Int, _ trial: Trial, _ failure: Failure, _ words: String) {
        let isCrash = failure == .trap || failure == .hang
        let place = isCrash ? Self.place(in: words) : (library: nil, lines: [words])
        let isKnown = place.library == "libhdf5"
        if isKnown {
            lines[trial.sample.kind, default: Line()].inHDF5 += 1
        } else {
            lines[trial.sample.kind, default: Line()].failures[failure, default: 0] += 1
        }
        say(
            "\(failure.rawValue) in \(place.library ?? "our code"): --seed \(seed) --only \(number): "
                + "\(trial.sample.kind)/\(trial.file): \(trial.damage)")
        for line in place.lines { say("    \(line)") }
        step()
    }

    private mutating func step() {
        done += 1
        if done % 2000 == 0 { say("\(done) trials") }
    }

    /// Prints the table.
    ///
    /// - Returns: Whether nothing failed, but inside libhdf5.
    func finish() -> Bool {
        func padded(_ text: String) -> String { String(repeating: " ", count: max(1, 11 - text.count)) + text }
        let heads = ["read", "refused"] + Failure.allCases.map(\.rawValue) + ["in libhdf5"]
        say("kind    " + heads.map(padded).joined(separator: ""))
        for (kind, line) in lines.sorted(by: { $0.key < $1.key }) {
            let counts =
                [line.read, line.refused] + Failure.allCases.map { line.failures[$0] ?? 0 } + [line.inHDF5]
            let name = kind + String(repeating: " ", count: max(1, 8 - kind.count))
            say(name + counts.map { padded("\($0)") }.joined(separator: ""))
        }
        return lines.values.allSatisfy { $0.failures.isEmpty }
    }

    /// The library in which a process failed, by its stack (nil: in this program), and the lines that show it.
    private static func place(in words: String) -> (library: String?, lines: [String]) {
        let lines = words.split(separator: "\n").map(String.init)
        let frames = lines.filter { $0.contains(/^\s*#?\d+ .*0x[0-9a-f]+/) }
        let known = [
            "libhdf5", "libtiff", "libdeflate", "libzstd", "libz.so", "libblosc", "liblzma", "libjpeg", "libsz",
        ]
        // The frame of a fault is the first that is not of the sanitizer, the C library or a signal's handling.
        let passed = ["/asan", "sanitizer", "libc.so", "sysdeps/"]
        let stack = frames.drop { frame in passed.contains { frame.contains($0) } }
        let library = stack.first.flatMap { frame in known.first { frame.contains($0) } }
        let fault = lines.first { $0.contains("ERROR") || $0.contains("Fatal") }
        let names = stack.compactMap {
            $0.firstMatch(of: /0x[0-9a-f]+ (?:in )?(.+?) (?:\+ |\(|\/)/).map { String($0.1) }
        }.prefix(12)
        if names.isEmpty { return (library ?? "an unknown place", Array(lines.prefix(4))) }
        return (library, [fault, names.joined(separator: " < ")].compactMap { $0 })
    }
}
