/// The numbers of the sections of a series, as their names have them, which say whether two series belong together.
public struct SectionNumbers: Codable, Sendable, Equatable {
    /// In the order of the sections.
    public var numbers: [Int]

    /// - Parameter names: In natural order; nil where they do not count one thing.
    init?(_ names: [String]) {
        guard let numbers = SliceNumbering.numbers(names) else { return nil }
        self.numbers = numbers
    }

    /// What is wrong with a series that belongs to another section by section; nil where nothing is, or one is no series.
    ///
    /// The same sections may be counted from another number, and a part of them be annotated; but what one leaves out the
    /// other must leave out too.
    ///
    /// - Parameter name: The other's, for example `its image raw/`.
    public static func problem(_ own: SectionNumbers?, like other: SectionNumbers?, of name: String) -> String? {
        guard let own = own?.numbers, let other = other?.numbers, own.count > 1 else { return nil }
        if own.count == other.count {
            if own.map({ $0 - own[0] }) == other.map({ $0 - other[0] }) { return nil }
        } else if let start = other.firstIndex(of: own[0]), own == Array(other.dropFirst(start).prefix(own.count)) {
            return nil
        } else if zip(own.dropFirst(), own).allSatisfy({ $0 - $1 == own[1] - own[0] }) {
            // A part that is counted by itself.
            return nil
        }
        let (here, there) = (Set(own).subtracting(other), Set(other).subtracting(own))
        func list(_ numbers: Set<Int>) -> String {
            let shown = numbers.sorted().prefix(5).map(String.init).joined(separator: ", ")
            return numbers.isEmpty ? "none" : shown + (numbers.count > 5 ? ", …" : "")
        }
        return
            "has other sections than \(name): only here \(list(here)), only there \(list(there)); each section must be that "
            + "of the same place"
    }
}
