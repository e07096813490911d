import Foundation
import Reports
import TestSupport
import Testing

@Suite struct ComparisonTests {
    /// Panels are 400 pixels wide, at x 28, 446 and 864, and begin at y 120.
    private func colors(ofPanel panel: Int, in picture: Picture, at columns: [Int]) -> [UInt32] {
        columns.map { picture.color(28 + 418 * panel + $0 * 10 + 5, 125) }
    }

    @Test func `objects have the colours of those of the truth`() throws {
        // The first object of the truth is split in two, of which the larger is 7; the second and the third are merged.
        let width = 40
        let row = { (label: (Int) -> UInt32) in (0..<width).map(label) }
        let labels = row { $0 < 8 ? 7 : $0 < 12 ? 3 : $0 < 20 ? 0 : 900 }
        let truth = row { $0 < 12 ? 1 : $0 < 20 ? 0 : $0 < 32 ? .max : 900 }
        let plane = OverviewPlane(
            axis: .z, position: 0, width: width, height: 1, gray: row { _ in 0 }.map(Float.init),
            votes: row { _ in 0 }.map(UInt8.init), labels: row { _ in 0 }, pixelSize: (1, 1))
        let png = Comparison(
            title: "", plane: plane,
            panels: [
                .init(name: "Consensus", caption: "", labels: labels),
                .init(name: "Truth", caption: "", labels: truth),
            ]
        ).png()
        let folder = ScratchFolder()
        try png.write(to: URL(fileURLWithPath: folder.path("members.png")))
        let picture = try #require(Picture(path: folder.path("members.png")))
        let found = colors(ofPanel: 1, in: picture, at: [2, 10, 16, 25, 35])
        let expected = colors(ofPanel: 2, in: picture, at: [2, 10, 16, 25, 35])
        #expect(found[0] == expected[0] && found[2] == expected[2] && found[3] == expected[3])
        #expect(found[1] != expected[1] && found[4] != expected[4])
        #expect(!expected.contains(found[1]))
    }

    /// Far apart, so that no colour is far enough from another by itself.
    @Test func `objects of one picture have colours of their own`() throws {
        let width = 800
        let labels = (0..<width).map { (x: Int) -> UInt32 in x % 40 < 8 ? UInt32(x / 40) * 36 + 5 : 0 }
        let plane = OverviewPlane(
            axis: .z, position: 0, width: width, height: 1, gray: labels.map { _ in 0 },
            votes: labels.map { _ in 0 },
            labels: labels, pixelSize: (1, 1))
        let folder = ScratchFolder()
        try Comparison(title: "", plane: plane, panels: [.init(name: "Truth", caption: "", labels: labels)]).png()
            .write(to: URL(fileURLWithPath: folder.path("colors.png")))
        let picture = try #require(Picture(path: folder.path("colors.png")))
        let colors = (0..<20).map { picture.color(28 + 418 + 20 * $0 + 2, 120) }
        #expect(Set(colors).count == 20, "\(colors)")
    }
}
