/// Whether a name comes before another as people count: `slice2` before `slice10`.
func isBeforeNaturally(_ first: String, _ second: String) -> Bool {
    let left = nameParts(first)
    let right = nameParts(second)
    for (a, b) in zip(left, right) where a != b {
        switch (a, b) {
        case (.number(let a), .number(let b)):
            let (x, y) = (a.drop { $0 == "0" }, b.drop { $0 == "0" })
            if x.count != y.count { return x.count < y.count }
            if x != y { return x < y }
        case (.text(let a), .text(let b)): return a < b
        case (.number, .text): return true
        case (.text, .number): return false
        }
    }
    if left.count != right.count { return left.count < right.count }
    // Numbers that differ in leading zeros alone.
    return first < second
}

enum NamePart: Hashable {
    case text(Substring)
    /// Decimal digits.
    case number(Substring)
}

/// A name's digits and what is between them.
func nameParts(_ name: String) -> [NamePart] {
    var parts: [NamePart] = []
    var rest = name[...]
    while let first = rest.first {
        let isNumber = isDigit(first)
        let part = rest.prefix { isDigit($0) == isNumber }
        parts.append(isNumber ? .number(part) : .text(part))
        rest = rest[part.endIndex...]
    }
    return parts
}

private func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }
