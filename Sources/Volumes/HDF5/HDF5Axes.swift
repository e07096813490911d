/// Which of a dataset's axes are z, y and x, and which count channels and time points; each is the axis's index.
struct HDF5Axes: Sendable {
    /// Nil where the dataset is a single plane.
    let z: Int?
    let y: Int
    let x: Int
    let channel: Int?
    let time: Int?
    let dimensions: [Int]
    /// What axes without names are taken as, and how to name them; nil where they have names or are z, y and x alone.
    let guess: String?

    /// More than this along an axis without a name are not taken for channels.
    private static let mostChannels = 16

    /// - Parameter letters: What the file calls the axes, one letter each (`t`, `c`, `z`, `y`, `x` or another); nil where
    ///   it does not say. Then three axes are z, y, x, a fourth is of channels, before or after them, and shorter
    ///   than the axis at the other end, unless that may be colours; a fifth, before all, is of times; and axes of length 1 before three others
    ///   do not count.
    /// - Throws: `HDF5Refusal` where that makes no volume.
    init(_ dimensions: [Int], letters: [Character]?) throws {
        let isStated = letters != nil
        let letters = letters ?? Self.usualLetters(dimensions)
        guard let letters, letters.count == dimensions.count else {
            throw Self.refusal(dimensions, letters ?? Self.lastLetters(dimensions.count))
        }
        let named = zip(letters, dimensions.indices).filter { "tczyx".contains($0.0) || dimensions[$0.1] != 1 }
        let places = Dictionary(named) { first, _ in first }
        let isKnown = named.allSatisfy { "tczyx".contains($0.0) } && places.count == named.count
        guard isKnown, let y = places["y"], let x = places["x"], dimensions.allSatisfy({ $0 > 0 }),
            Self.fits(dimensions)
        else { throw Self.refusal(dimensions, letters) }
        (z, self.y, self.x, channel, time) = (places["z"], y, x, places["c"], places["t"])
        self.dimensions = dimensions
        guess =
            isStated || (channel ?? time) == nil
            ? nil
            : "its axes have no names and are taken as \(Self.lettered(dimensions, letters)); where they are others, name "
                + "them by dimension labels, as h5py does by dataset.dims[0].label = \"z\""
    }

    var shape: ZYX<Int> { ZYX(z.map { dimensions[$0] } ?? 1, dimensions[y], dimensions[x]) }
    var channels: Int { channel.map { dimensions[$0] } ?? 1 }
    var times: Int { time.map { dimensions[$0] } ?? 1 }

    /// The values, one for each of the dataset's axes, of z, y and x; `missing` where the dataset has no z.
    func spatial<Value>(of values: [Value], missing: Value) -> ZYX<Value> {
        ZYX(z.map { values[$0] } ?? missing, values[y], values[x])
    }

    /// One value for each of the dataset's axes: those of `spatial`, and of `others` along the rest.
    func expanded<Value>(_ spatial: ZYX<Value>, _ others: [Value]) -> [Value] {
        var values = others
        if let z { values[z] = spatial.z }
        values[y] = spatial.y
        values[x] = spatial.x
        return values
    }

    /// The lengths with the axes' letters: `c 2 × z 30 × y 40 × x 50`.
    static func lettered<Length: BinaryInteger>(_ dimensions: [Length], _ letters: [Character]? = nil) -> String {
        if dimensions.isEmpty { return "a single value" }
        let letters = letters ?? usualLetters(dimensions.map { Int(clamping: $0) }) ?? lastLetters(dimensions.count)
        return zip(letters, dimensions).map { "\($0) \($1)" }.joined(separator: " × ")
    }

    private static func usualLetters(_ dimensions: [Int]) -> [Character]? {
        let counted = dimensions.count
        let ones = min(dimensions.prefix { $0 == 1 }.count, max(0, counted - 3))
        let rest = dimensions.dropFirst(ones)
        let letters: String? =
            switch rest.count {
            case 2: "yx"
            case 3: "zyx"
            case 4: withChannels(rest)
            case 5: withChannels(rest.dropFirst()).map { "t" + $0 }
            default: nil
            }
        return letters.map { [Character](repeating: "_", count: ones) + Array($0) }
    }

    private static func withChannels(_ dimensions: ArraySlice<Int>) -> String? {
        guard let first = dimensions.first, let last = dimensions.last, min(first, last) <= mostChannels else {
            return nil
        }
        // Two sections in colour or two channels of three columns: the file must say.
        if first == last || first <= 4 && (3...4).contains(last) { return nil }
        return first < last ? "czyx" : "zyxc"
    }

    private static func lastLetters(_ count: Int) -> [Character] {
        [Character](repeating: "?", count: max(0, count - 5)) + Array("tczyx".suffix(count))
    }

    /// A value has up to 8 bytes, and their number must be an Int.
    private static func fits(_ dimensions: [Int]) -> Bool {
        var count = 8
        return dimensions.allSatisfy { length in
            let (product, overflows) = count.multipliedReportingOverflow(by: length)
            count = product
            return !overflows
        }
    }

    private static func refusal(_ dimensions: [Int], _ letters: [Character]) -> HDF5Refusal {
        let isFourth = dimensions.count > 3 && dimensions.count < 6
        return HDF5Refusal(
            "has the shape \(lettered(dimensions, letters)); expected z, y, x, each at least 1"
                + (isFourth ? ", and which axis counts channels stated by axistags or dimension labels" : ""))
    }
}
