import Labeling
import Testing
import Training
import Volumes

@Suite struct ForegroundTargetTests {
    @Test(arguments: [1, 2, 3])
    func neighboursInTheTargetBelongToOneObject(seed: UInt64) {
        let labels = foam(ZYX(14, 17, 19), objects: 20, background: 0.2, seed: seed)
        let target = ForegroundTarget.volume(labels: labels, threads: 2)
        let shape = labels.shape
        var gap = 0
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x {
                    var touches = false
                    for n in neighbours(z, y, x, shape) where labels[n.z, n.y, n.x] != labels[z, y, x] {
                        if target[n.z, n.y, n.x] == 1 { #expect(target[z, y, x] == 0) }
                        if labels[n.z, n.y, n.x] != 0 { touches = true }
                    }
                    if labels[z, y, x] == 0 { #expect(target[z, y, x] == 0) }
                    // Only voxels that touch another object are given up.
                    if labels[z, y, x] != 0 && target[z, y, x] == 0 {
                        #expect(touches)
                        gap += 1
                    }
                }
            }
        }
        #expect(gap > 100)
    }

    /// Objects along x by their labels, and where the target is inside.
    @Test(arguments: [
        // A voxel of each side, whichever is the larger.
        ("aaaaabbbbbbb", "xxxx__xxxxxx"), ("bbbbbbbaaaaa", "xxxxxx__xxxx"), ("aaaaabbbbccccc", "xxxx__xx__xxxx"),
        // What is up to three voxels thick keeps them.
        ("aaaaabccccc", "xxxx_x_xxxx"), ("aaaaabbccccc", "xxxx_xx_xxxx"), ("aaaaabbbccccc", "xxxx_xxx_xxxx"),
        // Of such the smaller; what has a smaller one beside it keeps nothing.
        ("aaaabbccdddd", "xxx_x_xx_xxx"), ("aaaaabbcccdeeeee", "xxxx_xx_x_x_xxxx"),
        ("aaaaabcdeeeee", "xxxx___x_xxxx"),
        // No other object, no gap.
        ("aa.bb..c", "xx_xx__x"),
    ])
    func gapBetweenObjects(objects: String, inside: String) {
        let row = objects.utf8.map { $0 == UInt8(ascii: ".") ? 0 : UInt32($0) }
        let expected = inside.utf8.map { UInt8($0 == UInt8(ascii: "x") ? 1 : 0) }
        for (dimensions, sections) in [(2, 1), (3, 3)] {
            let labels = Volume(
                shape: ZYX(sections, 4, row.count),
                voxels: Array(repeating: row, count: sections * 4).flatMap { $0 })
            let target = ForegroundTarget.volume(labels: labels, dimensions: dimensions, threads: 1)
            #expect(target.voxels == Array(repeating: expected, count: sections * 4).flatMap { $0 })
        }
    }

    /// A process that turns and tapers within another object stays in one piece, also where corners do not count.
    @Test(arguments: [2, 3], [1, 2, 3, 4, 5, 6])
    func aProcessIsNotCut(dimensions: Int, width: Int) throws {
        let shape = ZYX(dimensions == 3 ? 24 : 1, 40, 48)
        for slope in [0, 0.13, 0.31, 0.5] {
            var labels = Volume<UInt32>(shape: shape, repeating: 2)
            for x in 0..<shape.x {
                // The whole width at the ends, a voxel less every six towards the middle.
                let thick = max(1, width - min(x, shape.x - 1 - x) / 6)
                let y = 4 + Int(slope * Double(x))
                let sections = dimensions == 3 ? 4 + y / 4..<4 + y / 4 + thick : 0..<1
                for z in sections { for y in y..<y + thick { labels[z, y, x] = 1 } }
            }
            let one: Connectivity = dimensions == 3 ? .faces : .sides
            let before = try connectedComponents(of: labels.map { $0 == 1 ? 1 : 0 }, connectivity: one).count
            var target = ForegroundTarget.volume(labels: labels, dimensions: dimensions, threads: 1)
            for voxel in target.voxels.indices where labels.voxels[voxel] == 2 { target.voxels[voxel] = 0 }
            #expect(try connectedComponents(of: target, connectivity: one).count == before)
            for x in 0..<shape.x { #expect(target.column(x).contains(1)) }
        }
    }

    @Test func objectsThatDoNotTouchKeepAllVoxels() {
        var labels = Volume<UInt32>(shape: ZYX(1, 1, 5))
        labels.voxels = [1, 1, 0, 2, 2]
        #expect(ForegroundTarget.volume(labels: labels, threads: 1).voxels == [1, 1, 0, 1, 1])
    }
}

extension Volume {
    /// The voxels of one x.
    fileprivate func column(_ x: Int) -> [Element] {
        stride(from: x, to: shape.count, by: shape.x).map { voxels[$0] }
    }
}

private func neighbours(_ z: Int, _ y: Int, _ x: Int, _ shape: ZYX<Int>) -> [ZYX<Int>] {
    let near = Box(origin: ZYX(z - 1, y - 1, x - 1), shape: ZYX(repeating: 3)).intersection(Box(shape))
    return near.cells(of: ZYX(repeating: 1)).map(\.origin).filter { $0 != ZYX(z, y, x) }
}
