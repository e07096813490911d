import Foundation
import Reports
import Testing

private func picture(_ plot: Plot) throws -> Picture {
    try withScratchFolder { folder in
        let path = folder + "/plot.png"
        try plot.png(width: 600, height: 300).write(to: URL(fileURLWithPath: path))
        return try #require(Picture(path: path))
    }
}

@Suite struct PlotTests {
    @Test func `a rising line goes from the lower left to the upper right`() throws {
        let found = try picture(
            Plot(
                title: "loss", xLabel: "step", yLabel: "loss",
                series: [.init(name: "member 1", points: (0...100).map { (Double($0), Double($0)) })]))
        #expect(found.width == 600 && found.height == 300)
        let blue = { (x: Range<Int>, y: Range<Int>) in found.colors(x: x, y: y).contains(0x0072b2) }
        #expect(blue(74..<120, 200..<246))
        #expect(blue(520..<576, 52..<100))
        #expect(!blue(74..<120, 52..<150))
        #expect(!blue(520..<576, 150..<246))
    }

    @Test func `every series has a colour, or that of its partner`() throws {
        let points = [(x: 0.0, y: 0.0), (x: 1, y: 1)]
        let found = try picture(
            Plot(
                title: "", xLabel: "", yLabel: "",
                series: [
                    .init(name: "a", points: points), .init(name: "b", points: [(0, 1), (1, 0)]),
                    .init(name: "a, validation", points: [(0, 0.5), (1, 0.5)], isDashed: true, colorOf: "a"),
                ]))
        #expect(found.count(of: 0x0072b2) > 100 && found.count(of: 0xd55e00) > 100)
        #expect(found.count(of: 0x009e73) == 0)
    }

    @Test func `what is not finite and what is empty draw too`() throws {
        let odd = Plot(
            title: "odd", xLabel: "x", yLabel: "y",
            series: [.init(name: "a", points: [(0, .nan), (1, .infinity), (2, 3)])],
            mark: .init(x: .nan, label: "chosen"))
        #expect(try picture(odd).count(of: 0x0072b2) > 0)
        let empty = Plot(title: "empty", xLabel: "x", yLabel: "y", series: [])
        #expect(try picture(empty).width == 600)
    }

    /// Where the only dots of the first series' colour are, left to right.
    private func dots(_ found: Picture) -> [(x: Double, y: Double)] {
        var dots: [[(x: Int, y: Int)]] = []
        for x in 0..<found.width {
            for y in 0..<found.height where found.color(x, y) == 0x0072b2 {
                if let last = dots.last?.last, x - last.x < 8 {
                    dots[dots.count - 1].append((x, y))
                } else {
                    dots.append([(x, y)])
                }
            }
        }
        return dots.map { pixels in
            let count = Double(pixels.count)
            return (Double(pixels.reduce(0) { $0 + $1.x }) / count, Double(pixels.reduce(0) { $0 + $1.y }) / count)
        }
    }

    @Test func `equal ratios are equally far apart on logarithmic axes`() throws {
        // Single points between breaks: dots without lines.
        let values = [1e-6, 1e-3, 1, 1e3]
        let points = values.flatMap { [(x: $0, y: $0), (x: $0, y: .nan)] }
        let found = dots(
            try picture(
                Plot(
                    title: "", xLabel: "", yLabel: "", xScale: .logarithmic, yScale: .logarithmic,
                    series: [.init(name: "a", points: points)])))
        #expect(found.count == 4)
        for (first, second) in zip(zip(found, found.dropFirst()), zip(found.dropFirst(), found.dropFirst(2))) {
            #expect(abs((first.1.x - first.0.x) - (second.1.x - second.0.x)) < 1.5)
            #expect(abs((first.1.y - first.0.y) - (second.1.y - second.0.y)) < 1.5)
        }
        #expect(found[0].y > found[3].y + 100)
    }

    @Test func `what has no logarithm breaks the line and moves no axis`() throws {
        func plot(_ extra: [(x: Double, y: Double)]) -> Plot {
            Plot(
                title: "", xLabel: "", yLabel: "", yScale: .logarithmic,
                series: [.init(name: "a", points: [(0, 1), (1, 10)] + extra + [(3, 100)])])
        }
        #expect(plot([(2, 0), (2.5, -7)]).png() == plot([(2, .nan), (2.5, .nan)]).png())
        #expect(plot([(2, 0), (2.5, -7)]).png() != plot([(2, 10), (2.5, 10)]).png())
        let empty = Plot(
            title: "", xLabel: "", yLabel: "", xScale: .logarithmic, yScale: .logarithmic,
            series: [.init(name: "a", points: [(0, 0), (-1, .infinity)])], mark: .init(x: 0, label: "none"))
        #expect(try picture(empty).count(of: 0x0072b2) == 0)
    }

    @Test func `a logarithmic axis is ruled at powers of ten`() throws {
        // No line, for the dots are far apart, so that a column crosses the grid alone.
        let found = try picture(
            Plot(
                title: "", xLabel: "", yLabel: "", yScale: .logarithmic,
                series: [.init(name: "a", points: [(0, 1e-4), (1, .nan), (2, 1)])]))
        let rows = (52..<242).filter { found.color(300, $0) != 0xffffff }
        let lines = rows.filter { !rows.contains($0 - 1) }
        #expect(lines.count == 5)
        let gaps = zip(lines, lines.dropFirst()).map { $1 - $0 }
        #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 1)
    }
}
