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

    @Test func gapAcrossAFaceIsOneVoxelOfTheLargerObject() {
        var labels = Volume<UInt32>(shape: ZYX(3, 4, 12), repeating: 900)
        for z in 0..<3 { for y in 0..<4 { for x in 0..<5 { labels[z, y, x] = 7 } } }
        let target = ForegroundTarget.volume(labels: labels, threads: 1)
        for z in 0..<3 {
            for y in 0..<4 {
                #expect((0..<12).map { target[z, y, $0] } == [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1])
            }
        }
    }

    @Test func objectsThatDoNotTouchKeepAllVoxels() {
        var labels = Volume<UInt32>(shape: ZYX(1, 1, 5))
        labels.voxels = [1, 1, 0, 2, 2]
        #expect(ForegroundTarget.volume(labels: labels, threads: 1).voxels == [1, 1, 0, 1, 1])
    }
}

private func neighbours(_ z: Int, _ y: Int, _ x: Int, _ shape: ZYX<Int>) -> [ZYX<Int>] {
    let near = Box(origin: ZYX(z - 1, y - 1, x - 1), shape: ZYX(repeating: 3)).intersection(Box(shape))
    return near.cells(of: ZYX(repeating: 1)).map(\.origin).filter { $0 != ZYX(z, y, x) }
}
