/// What is odd about the numbers in the names of a series of slices.
enum SliceNumbering {
    /// Notes on names in natural order; empty where they count evenly.
    static func notes(_ names: [String]) -> [String] {
        let parts = names.map(nameParts)
        guard names.count > 1, let first = parts.first else { return [] }
        let pattern = template(first)
        if let odd = parts.firstIndex(where: { template($0) != pattern }) {
            return [
                "the slices' names follow no one pattern (\(names[0]), \(names[odd])); they are in natural order"
            ]
        }
        let fields = varying(parts)
        guard let numbers = fields.first(where: { Set($0).count == names.count }) else {
            return ["the slices' names count more than one thing (\(names[0]) to \(names[names.count - 1]))"]
        }
        return gaps(numbers).map { [$0] } ?? []
    }

    /// The one number that tells names apart, of each; nil where there is none.
    static func numbers(_ names: [String]) -> [Int]? {
        countsOneThing(names) ? varying(names.map(nameParts))[0] : nil
    }

    /// Whether names are alike but for one number, which tells them apart.
    static func countsOneThing(_ names: [String]) -> Bool {
        let parts = names.map(nameParts)
        guard names.count > 1, Set(parts.map(template)).count == 1 else { return false }
        let fields = varying(parts)
        return fields.count == 1 && Set(fields[0]).count == names.count
    }

    /// The numbers that are not the same in all names of one template.
    private static func varying(_ names: [[NamePart]]) -> [[Int]] {
        names[0].indices.compactMap { place in
            let numbers = names.compactMap { number($0[place]) }
            return numbers.count == names.count && Set(numbers).count > 1 ? numbers : nil
        }
    }

    /// The name without its numbers.
    private static func template(_ parts: [NamePart]) -> [Substring] {
        parts.map { if case .text(let text) = $0 { text } else { "" } }
    }

    private static func number(_ part: NamePart) -> Int? {
        if case .number(let digits) = part { Int(digits) } else { nil }
    }

    private static func gaps(_ numbers: [Int]) -> String? {
        let sorted = numbers.sorted()
        let steps = zip(sorted.dropFirst(), sorted).map { $0 - $1 }
        let step = usual(steps)
        var missing: [String] = []
        var count = 0
        for (number, distance) in zip(sorted, steps) where distance > step {
            let lost = (distance - 1) / step
            count += lost
            let (low, high) = (number + step, number + lost * step)
            missing.append(low == high ? "\(low)" : "\(low) to \(high)")
        }
        guard !missing.isEmpty, let low = sorted.first, let high = sorted.last else { return nil }
        let shown = missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? ", …" : "")
        return
            "the numbering of the slices, \(low) to \(high)\(step == 1 ? "" : " in steps of \(step)"), has gaps: "
            + "\(grouped(count)) missing (\(shown))"
    }

    /// The most frequent of the steps; 1 where none comes twice.
    private static func usual(_ steps: [Int]) -> Int {
        let counts = Dictionary(steps.map { ($0, 1) }, uniquingKeysWith: +)
        let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
        guard let most, most.value > 1 else { return 1 }
        return most.key
    }
}
