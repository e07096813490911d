import Foundation
import Yams

/// One value of a YAML file with its place, read strictly: every misfit is a `PipelineFault` with its line.
struct YAMLValue {
    let node: Node
    /// The dotted name, for example `consensus.agree`; empty for the whole file.
    let name: String
    let file: String
    /// The line it stands in; a mapping's value starts where its key does.
    let line: Int?

    /// The document of a file.
    static func document(of text: String, file: String) throws -> YAMLValue {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw PipelineFault(
                    file: file, problem: "the file is empty; expected at least 'train' and 'segment'")
            }
            return YAMLValue(node: node, name: "", file: file, line: node.mark?.line)
        } catch let error as YamlError {
            throw fault(of: error, in: text, file: file)
        }
    }

    private static func fault(of error: YamlError, in text: String, file: String) -> PipelineFault {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            PipelineFault(
                file: file, line: mark.line,
                problem: "not valid YAML: \(problem)" + hint(problem, at: mark.line, of: text))
        case .reader(let problem, _, _, _):
            PipelineFault(file: file, problem: "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            PipelineFault(
                file: file, line: context.mark.line,
                problem:
                    "the key '\(duplicates.joined(separator: "', '"))' is given twice in one mapping"
            )
        default:
            PipelineFault(file: file, problem: "not valid YAML")
        }
    }

    /// What usually is behind the parser's words.
    private static func hint(_ problem: String, at line: Int, of text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isIndentedByTab =
            lines.indices.contains(line - 1) && lines[line - 1].prefix { $0 == " " || $0 == "\t" }.contains("\t")
        if isIndentedByTab { return "; lines are indented by spaces, not by tabs" }
        if problem.hasPrefix("mapping values are not allowed") {
            let before = lines.prefix(max(0, line - 1)).last { !$0.allSatisfy(\.isWhitespace) }
            guard before?.drop(while: \.isWhitespace).hasPrefix("- ") == true else {
                return "; is the line indented farther than those beside it?"
            }
            return "; an item that is to have keys begins with one, as in '- image: FILE'"
        }
        if problem.hasSuffix("expected '-' indicator") {
            return "; the keys of an item stand below its first key, not below the '-'"
        }
        if problem.hasSuffix("',' or '}'") || problem.hasSuffix("',' or ']'") {
            return "; a bracket of a line before it may be left open"
        }
        return ""
    }

    func fault(_ problem: String) -> PipelineFault {
        PipelineFault(file: file, line: line, problem: problem, key: name)
    }

    func misfit(_ expected: String) -> PipelineFault {
        fault("\(name.isEmpty ? "the file" : name) must be \(expected), found \(found)")
    }

    /// A misfit of a name, with the nearest of those that are meant.
    func misfit(_ expected: String, among names: [String]) -> PipelineFault {
        let hint = node.string.flatMap { nearest(to: $0, among: names) }.map { "; did you mean '\($0)'?" } ?? ""
        return fault(misfit(expected).problem + hint)
    }

    private var found: String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "'\(scalar.string)'"
        case .mapping: "a mapping"
        case .sequence: flow.count < 60 ? flow : "a list"
        case .alias: "an alias"
        }
    }

    /// As it may be written in one line: `[[1, 3, 3], [3, 3, 3]]`.
    var flow: String { Self.flow(node) }

    private static func flow(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): scalar.string
        case .sequence(let sequence): "[\(sequence.map(flow).joined(separator: ", "))]"
        case .mapping(let mapping):
            "{\(mapping.map { "\(flow($0.key)): \(flow($0.value))" }.joined(separator: ", "))}"
        case .alias: "an alias"
        }
    }

    // MARK: Mappings and lists

    /// The values of a mapping by key; a key that is not among `known` is refused with the nearest one.
    func mapping(of known: [String]) throws -> [String: YAMLValue] {
        guard case .mapping(let mapping) = node else {
            throw misfit("a mapping of \(known.joined(separator: ", "))")
        }
        var values: [String: YAMLValue] = [:]
        for (key, value) in mapping {
            let line = key.mark?.line ?? self.line
            guard let key = key.string, known.contains(key) else {
                throw PipelineFault(
                    file: file, line: line, problem: unknown(key.string ?? "?", known), key: key.string.map(below))
            }
            values[key] = YAMLValue(node: value, name: below(key), file: file, line: line)
        }
        return values
    }

    /// The dotted name of a key of this mapping.
    func below(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    private func unknown(_ key: String, _ known: [String]) -> String {
        let place = name.isEmpty ? "" : " in '\(name)'"
        guard let nearest = nearest(to: key, among: known) else {
            return "unknown key '\(key)'\(place); known are \(known.joined(separator: ", "))"
        }
        return "unknown key '\(key)'\(place); did you mean '\(nearest)'?"
    }

    /// The value of one key of a mapping.
    func value(of key: String) -> YAMLValue? {
        guard case .mapping(let mapping) = node,
            let pair = mapping.first(where: { $0.key.string == key })
        else { return nil }
        return YAMLValue(
            node: pair.value, name: "\(name).\(key)", file: file, line: pair.key.mark?.line ?? line)
    }

    /// The elements of a list; a single value is a list of one.
    func elements() throws -> [YAMLValue] {
        guard case .sequence(let sequence) = node else { return [self] }
        return sequence.enumerated().map { index, element in
            YAMLValue(node: element, name: "\(name)[\(index)]", file: file, line: element.mark?.line ?? line)
        }
    }

    var isMapping: Bool { if case .mapping = node { true } else { false } }
    var isList: Bool { if case .sequence = node { true } else { false } }

    // MARK: Scalars

    func text() throws -> String {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else { throw misfit("text") }
        return scalar.string
    }

    func integer(atLeast minimum: Int, atMost maximum: Int = .max) throws -> Int {
        guard case .scalar(let scalar) = node, let value = Int(scalar.string) else {
            throw misfit("a whole number of at least \(minimum)")
        }
        guard value >= minimum else { throw fault("\(name) must be at least \(minimum), found \(value)") }
        guard value <= maximum else { throw fault("\(name) must be at most \(maximum), found \(value)") }
        return value
    }

    /// A number within `range`; a fraction such as `1/6` is one too.
    func number(in range: ClosedRange<Double>) throws -> Double {
        guard case .scalar(let scalar) = node, let value = fraction(scalar.string), value.isFinite else {
            throw misfit("a number")
        }
        guard range.contains(value) else {
            if range.lowerBound == .leastNonzeroMagnitude {
                let top = range.upperBound == .greatestFiniteMagnitude ? "" : " and at most \(range.upperBound)"
                throw fault("\(name) must be more than 0\(top), found \(scalar.string)")
            }
            let limits =
                range.upperBound == .greatestFiniteMagnitude
                ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            throw fault("\(name) must be \(limits), found \(scalar.string)")
        }
        return value
    }

    private func fraction(_ text: String) -> Double? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return Double(text) }
        guard let over = Double(parts[0].trimmingCharacters(in: .whitespaces)),
            let under = Double(parts[1].trimmingCharacters(in: .whitespaces)), under != 0
        else { return nil }
        return over / under
    }

    func boolean() throws -> Bool {
        switch try text() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: throw misfit("true or false")
        }
    }

    /// One of an enumeration's names, which are what the file may say.
    func choice<Choice: RawRepresentable & CaseIterable>(_ type: Choice.Type) throws -> Choice
    where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        guard let choice = Choice(rawValue: try text()) else {
            throw misfit(names.joined(separator: ", "), among: names)
        }
        return choice
    }

    /// Three whole numbers, z, y, x: `[32, 96, 96]`.
    func triple(atLeast minimum: Int, atMost maximum: Int) throws -> [Int] {
        guard case .sequence(let sequence) = node, sequence.count == 3 else {
            throw misfit("three whole numbers [z, y, x]")
        }
        return try elements().map { try $0.integer(atLeast: minimum, atMost: maximum) }
    }
}

/// The known word that is nearest to `word` in edits, if it is near enough to be meant.
package func nearest(to word: String, among known: [String]) -> String? {
    let candidates = known.map { (word: $0, distance: editDistance(word.lowercased(), $0)) }
    guard let best = candidates.min(by: { $0.distance < $1.distance }),
        best.distance <= max(2, best.word.count / 3)
    else { return nil }
    return best.word
}

/// Levenshtein's distance.
private func editDistance(_ first: String, _ second: String) -> Int {
    let (first, second) = (Array(first), Array(second))
    var row = Array(0...second.count)
    for (i, a) in first.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in second.enumerated() {
            let substitution = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, diagonal + 1)
        }
    }
    return row[second.count]
}
