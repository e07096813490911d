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
}
