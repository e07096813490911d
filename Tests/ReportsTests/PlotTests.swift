import Foundation
import Reports
import TestSupport
import Testing

private func picture(_ plot: Plot) throws -> Picture {
    let folder = ScratchFolder()
    let path = folder.path("plot.png")
    try plot.png(width: 600, height: 300).write(to: URL(fileURLWithPath: path))
    return try #require(Picture(path: path))
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
                    .init(name: "a, validation", points: [(0, 0.5), (1, 0.5)], stroke: .dashed, colorOf: "a"),
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

    private func flat(_ name: String, _ y: Double, _ stroke: Stroke) -> Plot.Series {
        Plot.Series(name: name, points: (0...40).map { (Double($0), y) }, stroke: stroke)
    }

    @Test func `of lines that coincide each is seen`() throws {
        // Whatever the order.
        for strokes in [[Stroke.longDashed, .dotted], [.dashed, .solid]] {
            let found = try picture(
                Plot(
                    title: "", xLabel: "", yLabel: "",
                    series: [flat("a", 1, strokes[0]), flat("b", 1, strokes[1]), flat("c", 0, .solid)]))
            // Left of the legend.
            let colors = (100..<500).flatMap { x in (52..<246).map { found.color(x, $0) } }
            #expect(colors.count { $0 == 0x0072b2 } > 60 && colors.count { $0 == 0xd55e00 } > 60)
        }
    }

    @Test func `every stroke is another and single points are seen in all`() throws {
        let pictures = Stroke.allCases.map { stroke in
            Plot(title: "", xLabel: "", yLabel: "", series: [flat("a", 1, stroke)]).png()
        }
        #expect(Set(pictures).count == Stroke.allCases.count)
        for stroke in Stroke.allCases {
            let alone = Plot(
                title: "", xLabel: "", yLabel: "", series: [.init(name: "a", points: [(1, 1)], stroke: stroke)])
            #expect(try picture(alone).count(of: 0x0072b2) > 5)
        }
    }

    @Test func `one line that goes far beyond flattens no others`() throws {
        let small = Plot.Series(name: "small", points: (0...100).map { (Double($0), Double($0) / 100) })
        let huge = Plot.Series(name: "huge", points: [(0, 0.5), (49, 0.5), (50, 1e9), (51, 0.5), (100, 0.5)])
        func rows(_ limit: Double?) throws -> (blue: ClosedRange<Int>, orange: [Int]) {
            let found = try picture(
                Plot(title: "", xLabel: "", yLabel: "loss", yLimit: limit, series: [small, huge]))
            func rows(_ color: UInt32) -> [Int] {
                (0..<300).filter { row in (74..<480).contains { found.color($0, row) == color } }
            }
            let blue = rows(0x0072b2)
            return (try #require(blue.min())...(try #require(blue.max())), rows(0xd55e00))
        }
        let (free, cut) = (try rows(nil), try rows(1))
        #expect(free.blue.count < 10 && cut.blue.count > 150)
        // Nothing is drawn outside the frame, which begins at 52 and ends at 246.
        #expect(cut.orange.allSatisfy { (47...251).contains($0) } && cut.orange.contains(60))
        let low = { (limit: Double?) in
            Plot(title: "", xLabel: "", yLabel: "loss", yLimit: limit, series: [small]).png()
        }
        #expect(low(2) == low(nil))
    }

    @Test func `what is counted has ticks at whole numbers`() throws {
        /// Columns of the ticks below the axis.
        func columns(_ last: Double, offset: Double) throws -> [Int] {
            let points = [(x: offset, y: 0.0), (x: last + offset, y: 1)]
            let found = try picture(
                Plot(title: "", xLabel: "", yLabel: "", series: [.init(name: "a", points: points)]))
            return (60..<590).filter { found.color($0, 249) != 0xffffff && found.color($0 - 1, 249) == 0xffffff }
        }
        #expect(try columns(1, offset: 0).count == 2 && columns(2, offset: 0).count == 3)
        #expect(try columns(1, offset: 0.5).count > 4)
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
