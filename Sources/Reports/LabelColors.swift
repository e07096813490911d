/// Colours for the labels of a picture: the same label has the same colour everywhere, and labels that lie
/// beside each other have colours far apart. No colour is used twice before all others that are far enough are.
struct LabelColors {
    private var colors: [UInt32: Color] = [:]

    /// - Parameter planes: labels row by row with the length of a row.
    init(_ planes: [(labels: [UInt32], width: Int)]) {
        var neighbours: [UInt32: Set<UInt32>] = [:]
        for plane in planes { Self.collect(plane.labels, plane.width, into: &neighbours) }
        var uses = [Int](repeating: 0, count: Self.palette.count)
        for label in neighbours.keys.sorted() {
            let taken = neighbours[label, default: []].compactMap { colors[$0] }
            let choice = Self.choose(label, farFrom: taken, uses)
            uses[choice] += 1
            colors[label] = Self.palette[choice]
        }
    }

    subscript(label: UInt32) -> Color { colors[label] ?? .black }

    /// Notes which labels follow each other along rows and columns, over gaps of a few pixels.
    private static func collect(_ labels: [UInt32], _ width: Int, into neighbours: inout [UInt32: Set<UInt32>]) {
        guard width > 0 else { return }
        let reach = 24
        func scan(count: Int, stride: Int, from start: Int) {
            var last: (label: UInt32, at: Int) = (0, 0)
            for step in 0..<count {
                let label = labels[start + step * stride]
                if label == 0 { continue }
                if label != last.label {
                    if neighbours[label] == nil { neighbours[label] = [] }
                    if last.label != 0, step - last.at <= reach {
                        neighbours[label, default: []].insert(last.label)
                        neighbours[last.label, default: []].insert(label)
                    }
                }
                last = (label, step)
            }
        }
        let height = labels.count / width
        for y in 0..<height { scan(count: width, stride: 1, from: y * width) }
        for x in 0..<width { scan(count: height, stride: width, from: x) }
    }

    /// The colour of the palette that is farthest from those taken; of equals one that is used least, and of these the
    /// first in an order that the label's hash sets.
    private static func choose(_ label: UInt32, farFrom taken: [Color], _ uses: [Int]) -> Int {
        let first = Int((UInt64(label) &* 0x9e37_79b9_7f4a_7c15) >> 40) % palette.count
        var best = first
        var bestDistance = -1.0
        for step in palette.indices {
            let color = (first + step * 7) % palette.count
            // Far enough is as good as farther, so that all colours are used.
            let distance = min(0.75, taken.map { palette[color].distance(to: $0) }.min() ?? .infinity)
            if distance > bestDistance || distance == bestDistance && uses[color] < uses[best] {
                (best, bestDistance) = (color, distance)
            }
        }
        return best
    }

    private static let palette: [Color] = (0..<12).flatMap { hue in
        [(0.68, 0.52), (0.65, 0.72), (0.70, 0.36)].map { saturation, lightness in
            Color(hue: (Double(hue) + 0.3) / 12, saturation: saturation, lightness: lightness)
        }
    }
}
