import Labeling
import Testing
import Volumes

@Suite struct HoleFillingTests {
    private func filled(
        _ labels: Volume<UInt32>, block: ZYX<Int>, threads: Int = 1, withinSections: Bool = false
    ) throws -> (labels: Volume<UInt32>, count: Int) {
        let filling = try HoleFilling(
            shape: labels.shape, block: block, withinSections: withinSections, threads: threads
        ) { labels.cropped(to: $0) }
        var result = labels
        for (index, box) in Box(labels.shape).cells(of: block).enumerated() {
            result.replace(at: box.origin, with: try filling.labels(ofBlock: index))
        }
        return (result, filling.count)
    }

    /// A shell around a hole; a cup, open at the border; a shell of two objects; a shell around another object.
    @Test(arguments: [ZYX(40, 40, 40), ZYX(3, 4, 5), ZYX(1, 40, 2)])
    func `holes of one object are filled, and nothing else`(block: ZYX<Int>) throws {
        var labels = Volume<UInt32>(shape: ZYX(7, 7, 31))
        func box(_ label: UInt32, from low: ZYX<Int>, to high: ZYX<Int>) {
            for z in low.z..<high.z {
                for y in low.y..<high.y { for x in low.x..<high.x { labels[z, y, x] = label } }
            }
        }
        box(1, from: ZYX(1, 1, 1), to: ZYX(6, 6, 6))
        box(0, from: ZYX(2, 2, 2), to: ZYX(5, 5, 5))
        box(2, from: ZYX(1, 1, 8), to: ZYX(7, 6, 13))
        box(0, from: ZYX(2, 2, 9), to: ZYX(7, 5, 12))
        box(3, from: ZYX(1, 1, 15), to: ZYX(6, 6, 20))
        box(4, from: ZYX(1, 1, 18), to: ZYX(6, 6, 20))
        box(0, from: ZYX(2, 2, 16), to: ZYX(5, 5, 19))
        box(5, from: ZYX(1, 1, 22), to: ZYX(6, 6, 29))
        box(0, from: ZYX(2, 2, 23), to: ZYX(5, 5, 28))
        box(6, from: ZYX(3, 3, 25), to: ZYX(4, 4, 26))
        var expected = labels
        for z in 2..<5 { for y in 2..<5 { for x in 2..<5 { expected[z, y, x] = 1 } } }
        let found = try filled(labels, block: block, threads: 2)
        #expect(found.labels == expected)
        #expect(found.count == 1)
    }

    /// In sections a cup is a ring around a hole.
    @Test func `sections have holes of their own`() throws {
        var labels = Volume<UInt32>(shape: ZYX(3, 6, 6))
        for z in 0..<3 { for y in 1..<5 { for x in 1..<5 { labels[z, y, x] = UInt32(z + 1) } } }
        let whole = labels
        for z in 0..<3 { for y in 2..<4 { for x in 2..<4 { labels[z, y, x] = 0 } } }
        #expect(try filled(labels, block: ZYX(2, 3, 3)).labels == labels)
        #expect(try filled(labels, block: ZYX(2, 3, 3), withinSections: true).labels == whole)
    }

    /// Against a flood fill from the border, of a mask, whose regions all touch one object.
    @Test(arguments: [0.5, 0.7, 0.9])
    func `of a mask all that no way leads to is filled`(density: Double) throws {
        let mask = randomMask(ZYX(11, 13, 70), density: density, seed: 3).map { UInt32($0 == 0 ? 0 : 7) }
        let inside = Box(from: ZYX(0, 0, 0), to: mask.shape)
        var reached = Volume<UInt8>(shape: mask.shape)
        var waiting: [ZYX<Int>] = []
        func reach(_ z: Int, _ y: Int, _ x: Int) {
            let isIn = inside.contains(Box(origin: ZYX(z, y, x), shape: ZYX(1, 1, 1)))
            guard isIn, mask[z, y, x] == 0, reached[z, y, x] == 0 else { return }
            reached[z, y, x] = 1
            waiting.append(ZYX(z, y, x))
        }
        for z in 0..<11 {
            for y in 0..<13 {
                for x in 0..<70 where z % 10 == 0 || y % 12 == 0 || x % 69 == 0 { reach(z, y, x) }
            }
        }
        while let place = waiting.popLast() {
            for (dz, dy, dx) in [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)] {
                reach(place.z + dz, place.y + dy, place.x + dx)
            }
        }
        let expected = reached.map { UInt32($0 == 0 ? 7 : 0) }
        for block in [mask.shape, ZYX(4, 5, 64)] {
            #expect(try filled(mask, block: block, threads: 2).labels == expected)
        }
    }
}
