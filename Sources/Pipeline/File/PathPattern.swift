import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A path with wildcards: `*` stands for any part of a name, `?` for a character, `[a-c]` for one of several.
struct PathPattern {
    /// As it was written.
    let text: String
    private let absolute: String
    /// How much of the absolute path is meant as it is, whatever characters it has.
    private let literal: Int

    init(_ text: String, relativeTo folder: String) {
        self.text = text
        absolute = SourceLocation.absolute(text, relativeTo: folder)
        // What a relative path shares with the folder it starts from was not written as a pattern.
        let isRelative = !text.hasPrefix("/") && !text.hasPrefix("~")
        let shared = absolute.commonPrefix(with: folder + "/")
        literal = isRelative ? shared.prefix(through: shared.lastIndex(of: "/") ?? shared.startIndex).count : 0
    }

    static func isPattern(_ text: String) -> Bool { text.contains { "*?[".contains($0) } }

    /// The folder above the first component that has a wildcard, without a slash at its end.
    var base: String {
        let fixed = absolute.dropFirst(literal).split(separator: "/", omittingEmptySubsequences: false)
            .prefix { !Self.isPattern(String($0)) }
        let base = absolute.prefix(literal) + fixed.joined(separator: "/")
        return String(base.hasSuffix("/") ? base.dropLast() : base)
    }

    /// As the shell's absolute pattern, in which what is not meant as one is escaped.
    var escaped: String {
        absolute.prefix(literal).map { "*?[\\".contains($0) ? "\\\($0)" : String($0) }.joined()
            + absolute.dropFirst(literal)
    }

    /// What ``escaped`` was made of.
    static func unescaped(_ path: String) -> String {
        "*?[\\".reduce(path) { $0.replacingOccurrences(of: "\\\($1)", with: "\($1)") }
    }

    /// The absolute paths that match, in natural order.
    var matches: [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(escaped, 0, nil, &result) == 0 else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }
            .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    }

    /// What each `*` stands for in an absolute path that matches.
    func captures(in path: String) -> [String]? {
        guard let regex = try? NSRegularExpression(pattern: expression),
            let match = regex.firstMatch(in: path, range: NSRange(path.startIndex..., in: path))
        else { return nil }
        return (1..<match.numberOfRanges).compactMap {
            Range(match.range(at: $0), in: path).map { String(path[$0]) }
        }
    }

    private var expression: String {
        var result = "^" + NSRegularExpression.escapedPattern(for: String(absolute.prefix(literal)))
        var rest = absolute.dropFirst(literal)
        while let character = rest.popFirst() {
            switch character {
            case "*": result += "([^/]*)"
            case "?": result += "[^/]"
            case "[":
                // A bracket right after the opening one is a member of the set.
                let negated = rest.first == "!" || rest.first == "^"
                let members = rest.dropFirst(negated ? 1 : 0)
                guard let end = members.dropFirst().firstIndex(of: "]") else {
                    result += "\\["
                    continue
                }
                let escaped = members[..<end].map { "\\[]^&".contains($0) ? "\\\($0)" : String($0) }.joined()
                result += "[\(negated ? "^" : "")\(escaped)]"
                rest = members[members.index(after: end)...]
            default: result += NSRegularExpression.escapedPattern(for: String(character))
            }
        }
        return result + "$"
    }

    /// `template` with each `*` replaced, in order; nil where there are too few captures.
    static func fill(_ template: String, with captures: [String]) -> String? {
        guard template.count(where: { $0 == "*" }) <= captures.count else { return nil }
        var rest = captures[...]
        return template.map { $0 == "*" ? rest.popFirst() ?? "" : String($0) }.joined()
    }
}
