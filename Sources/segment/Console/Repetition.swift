/// What is the same for many files is said once.

/// Elements by what they have in common, in the order that each first appears.
func groups<Element, Key: Hashable>(
    of elements: [Element], by key: (Element) -> Key
) -> [(key: Key, elements: [Element])] {
    var order: [Key] = []
    var groups: [Key: [Element]] = [:]
    for element in elements {
        let key = key(element)
        if groups[key] == nil { order.append(key) }
        groups[key, default: []].append(element)
    }
    return order.map { ($0, groups[$0] ?? []) }
}

/// `a, b, c and 9 more`.
func someOf(_ names: [String]) -> String {
    let shown = names.count > 4 ? 3 : names.count
    return names.prefix(shown).joined(separator: ", ")
        + (shown < names.count ? " and \(names.count - shown) more" : "")
}

/// Leaves out of a fault what to do about it, which stands after the first semicolon, where that was said before.
struct HintsOnce {
    private var said: Set<Substring> = []

    mutating func shorten(_ problem: String) -> String {
        guard let end = problem.firstRange(of: "; ") else { return problem }
        return said.insert(problem[end.upperBound...]).inserted ? problem : String(problem[..<end.lowerBound])
    }
}
