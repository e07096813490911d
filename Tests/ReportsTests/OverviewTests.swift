import Foundation
import Reports
import TestSupport
import Testing
import Volumes

/// A plane whose left half is label 1 seen by all, its right half label 2 seen by none, with a gap between.
private func halves(
    _ axis: OverviewPlane.Axis = .z, width: Int = 46, height: Int = 23,
    pixelSize: (horizontal: Double, vertical: Double) = (8, 8)
) -> OverviewPlane {
    let columns = (0..<width * height).map { $0 % width }
    return OverviewPlane(
        axis: axis, position: 4, width: width, height: height, gray: columns.map { _ in 0.5 },
        votes: columns.map { $0 < width / 2 ? 5 : 0 },
        labels: columns.map { $0 < width / 2 - 1 ? 1 : $0 > width / 2 ? 2 : 0 }, pixelSize: pixelSize)
}

private func draw(_ planes: [OverviewPlane], members: Int = 5) throws -> Picture {
    let folder = ScratchFolder()
    let path = folder.path("overview.png")
    try drawOverview(planes: planes, members: members, title: "volume", to: path)
    #expect(folder.contents == ["overview.png"])
    return try #require(Picture(path: path))
}

@Suite struct OverviewTests {
    // Panels are 460 pixels wide, at x 28, 506 and 984; the first lies at y 130.

    @Test func `image, votes and regions stand side by side`() throws {
        let picture = try draw([halves()])
        #expect(picture.color(60, 150) == 0x808080)
        #expect(picture.color(540, 200) == 0xfde725)
        #expect(picture.color(506 + 430, 200) == 0x440154)
        let (left, right) = (picture.color(1000, 200), picture.color(1400, 200))
        #expect(left != right && left != 0x808080 && right != 0x808080)
    }

    @Test func `voxels keep their aspect`() throws {
        let flat = try draw([halves(pixelSize: (8, 8))])
        let tall = try draw([halves(pixelSize: (8, 16))])
        #expect(tall.height - flat.height == 230)
    }

    @Test func `neighbours differ in colour, and a label keeps its colour in every plane`() throws {
        let width = 40
        let stripes = { (axis: OverviewPlane.Axis) in
            OverviewPlane(
                axis: axis, position: 0, width: width, height: 10, gray: .init(repeating: 0, count: width * 10),
                votes: .init(repeating: 5, count: width * 10),
                labels: (0..<width * 10).map { UInt32($0 % width) * 1000 + 1 }, pixelSize: (10, 10))
        }
        let picture = try draw([stripes(.z), stripes(.y)])
        let row = { (y: Int) in (0..<width).map { picture.color(984 + Int((Double($0) + 0.5) * 11.5), y) } }
        let colors = row(170)
        for (one, next) in zip(colors, colors.dropFirst()) { #expect(one != next) }
        #expect(Set(colors).count > 12)
        #expect(row(104 + 26 + 115 + 18 + 26 + 40) == colors)
    }

    @Test func `a large plane is as wide as a small one`() throws {
        let picture = try draw([halves(width: 5000, height: 2500)])
        #expect(picture.width == 1472)
        #expect(picture.color(540, 200) == 0xfde725)
    }

    @Test func `odd values draw too`() throws {
        let one = OverviewPlane(
            axis: .x, position: 0, width: 1, height: 1, gray: [.nan], votes: [1], labels: [0], pixelSize: (0, 1))
        #expect(try draw([one], members: 1).width == 1472)
        #expect(try draw([], members: 0).width == 1472)
    }

    @Test func `a place that cannot be written is a clear error`() throws {
        let fault = try #require(throws: FileFault.self) {
            try drawOverview(planes: [halves()], members: 5, title: "", to: "/dev/null/overview.png")
        }
        #expect(fault.file.hasPrefix("/dev/null"))
        #expect(fault.problem.hasPrefix("cannot be "))
    }
}
