import Labeling
import Testing
import Training
import Volumes

@Suite struct TargetTests {
    private let cube = VoxelSize(ZYX(8, 8, 8), .nanometer)
    private let sections = VoxelSize(ZYX(40, 8, 8), .nanometer)

    @Test func affinitiesAreAtEachDistanceAlongEachAxisOnce() {
        let target = Target([.foreground, .affinities([.voxels(1), .voxels(4), .nanometers(72)])])
        func offsets(_ size: VoxelSize, _ dimensions: Int) -> [[Int]] {
            target.channels(voxelSize: size, dimensions: dimensions)[1].map { channel in
                if case .affinity(let offset) = channel { offset.array } else { [] }
            }
        }
        #expect(target.channels(voxelSize: cube, dimensions: 3)[0] == [.foreground])
        #expect(
            offsets(cube, 3) == [
                [-1, 0, 0], [0, -1, 0], [0, 0, -1], [-4, 0, 0], [0, -4, 0], [0, 0, -4], [-9, 0, 0], [0, -9, 0],
                [0, 0, -9],
            ])
        // 4 · 8 nm are nearest to one section of 40 nm, 72 nm to two.
        #expect(
            offsets(sections, 3) == [
                [-1, 0, 0], [0, -1, 0], [0, 0, -1], [0, -4, 0], [0, 0, -4], [-2, 0, 0], [0, -9, 0], [0, 0, -9],
            ])
        #expect(offsets(cube, 2) == [[0, -1, 0], [0, 0, -1], [0, -4, 0], [0, 0, -4], [0, -9, 0], [0, 0, -9]])
    }

    /// Two objects side by side along x, one row.
    @Test func answersFollowFromTheLabels() throws {
        let labels = Volume<UInt32>(shape: ZYX(1, 1, 8), voxels: [7, 7, 7, 7, 3, 3, 0, 0])
        func answers(
            _ channel: OutputChannel, mask: [UInt8]? = nil, unlabelledZero: Bool = false
        ) throws -> (target: [UInt8], counts: [Bool]) {
            let volume = try annotated(
                labels, mask: mask.map { Volume(shape: labels.shape, voxels: $0) }, unlabelledZero: unlabelledZero)
            let sampler = try PatchSampler(
                volumes: [PreparedVolume(volume, weighting: .none, threads: 1)], outputs: [channel], heldBack: [[]],
                patch: labels.shape, seed: 1, member: 0)
            let answer = sampler.patch(step: 0, index: 0, oversampling: 0, augmentation: .none).answers[0]
            return (answer.target.voxels, answer.weight.voxels.map { $0 > 0 })
        }
        // The thicker object gives the gap.
        #expect(try answers(.foreground).target == [1, 1, 1, 0, 1, 1, 0, 0])
        #expect(try answers(.interior).target == [1, 1, 1, 0, 0, 0, 0, 0])
        // What is not annotated is no border.
        let sparse = try answers(.interior, unlabelledZero: true)
        #expect(sparse.target == [1, 1, 1, 0, 0, 1, 0, 0])
        #expect(sparse.counts == [true, true, true, true, true, true, false, false])
        // Labels that do not count take nothing from those that do.
        #expect(try answers(.foreground, mask: [1, 1, 1, 1, 0, 0, 1, 1]).target == [1, 1, 1, 1, 0, 0, 0, 0])
        #expect(try answers(.label(3)).target == [0, 0, 0, 0, 1, 1, 0, 0])
        let nearest = try answers(.affinity(ZYX(0, 0, -1)))
        #expect(nearest.target == [0, 1, 1, 1, 0, 1, 0, 0])
        #expect(nearest.counts == [false, true, true, true, true, true, true, true])
        let far = try answers(.affinity(ZYX(0, 0, 3)))
        #expect(far.target == [1, 0, 0, 0, 0, 0, 0, 0])
        #expect(far.counts == [true, true, true, true, true, false, false, false])
        // An edge counts only where both of its voxels do.
        let masked = try answers(.affinity(ZYX(0, 0, -1)), mask: [1, 1, 0, 1, 1, 1, 1, 1])
        #expect(masked.counts == [false, true, false, false, true, true, true, true])
    }

    /// Two sections whose objects have nothing to do with each other.
    @Test func toA2DNetworkNeighbouringSectionsSayNothing() throws {
        let labels = Volume<UInt32>(
            shape: ZYX(2, 1, 6), voxels: [1, 1, 1, 2, 2, 0] + [3, 4, 4, 4, 4, 4])
        func targets(dimensions: Int, _ channel: OutputChannel) throws -> [UInt8] {
            let sampler = try PatchSampler(
                volumes: [
                    PreparedVolume(annotated(labels), weighting: .none, dimensions: dimensions, threads: 1)
                ], outputs: [channel], heldBack: [[]], patch: labels.shape, seed: 1, member: 0)
            return sampler.patch(step: 0, index: 0, oversampling: 0, augmentation: .none).answers[0].target.voxels
        }
        // Of objects as thin as these the larger gives the gap: 1 to 2, and 4, if it is that thin, to 3.
        #expect(try targets(dimensions: 2, .foreground) == [1, 1, 0, 1, 1, 0] + [1, 0, 1, 1, 1, 1])
        #expect(try targets(dimensions: 2, .interior) == [1, 1, 0, 0, 0, 0] + [0, 0, 1, 1, 1, 1])
        #expect(try targets(dimensions: 3, .foreground) == [0, 0, 0, 1, 1, 0] + [1, 0, 0, 0, 0, 0])
        #expect(try targets(dimensions: 3, .interior).contains(1) == false)
    }

    @Test func affinitiesTurnWithTheImage() throws {
        // Planes across x that alternate: neighbours along x are apart, along y and z together.
        let shape = ZYX(12, 12, 12)
        var labels = Volume<UInt32>(shape: shape)
        for z in 0..<12 { for y in 0..<12 { for x in 0..<12 { labels[z, y, x] = UInt32(1 + x / 2) } } }
        let sampler = try PatchSampler(
            volumes: [PreparedVolume(annotated(labels), weighting: .none, threads: 1)],
            outputs: [.affinity(ZYX(-1, 0, 0)), .affinity(ZYX(0, -1, 0)), .affinity(ZYX(0, 0, -1))],
            heldBack: [[]], patch: ZYX(8, 8, 8), seed: 3, member: 0)
        var cut: Set<Int> = []
        for step in 0..<40 {
            let patch = sampler.patch(
                step: step, index: 0, oversampling: 0, augmentation: .steady)
            let apart = patch.answers.map { answer in
                zip(answer.target.voxels, answer.weight.voxels).contains { $0 == 0 && $1 > 0 }
            }
            #expect(apart.count { $0 } == 1)
            cut.insert(apart.firstIndex(of: true) ?? 3)
        }
        #expect(cut == [0, 1, 2])
    }
}
