import Labeling
import Testing
import Volumes

private func row(_ logits: [Float]) -> Volume<Int16> {
    Volume(shape: ZYX(1, 1, logits.count), voxels: logits.map(LogitScale.encode))
}

@Suite struct ObjectSourceTests {
    private let nearest: [OutputChannel] = [
        .affinity(ZYX(-1, 0, 0)), .affinity(ZYX(0, -1, 0)), .affinity(ZYX(0, 0, -1)),
    ]

    @Test func `one channel is a mask`() throws {
        for channel in [OutputChannel.foreground, .interior] {
            let found = try ObjectSource([channel]).components(
                in: [row([5, 3, 5, 5, 3.9, 4])], threshold: Threshold(logit: 4))
            #expect(found.labels.voxels == [1, 0, 2, 2, 0, 3])
            #expect(found.classes == nil)
        }
    }

    @Test func `affinities are edges, of sections in a plane`() throws {
        let none = row([-9, -9, -9, -9, -9])
        let x = row([9, 9, -9, 9, 9])
        let far = OutputChannel.affinity(ZYX(0, 0, -4))
        for head in [[far] + nearest, Array(nearest.dropFirst())] {
            let logits = head.map { $0 == nearest[2] ? x : none }
            let found = try ObjectSource(head).components(in: logits, threshold: Threshold(logit: 0))
            #expect(found.labels.voxels == [1, 1, 2, 2, 2])
        }
    }

    @Test func `of three classes the highest has the voxel, and objects know their class`() throws {
        let logits = [
            row([5, 5, 1, -9, -9, 6, 2]), row([-9, 6, 6, -9, 3, -9, 2]), row([-9, -9, -9, -9, 4, 4, -9]),
        ]
        let found = try ObjectSource([.label(10), .label(20), .label(30)]).components(
            in: logits, threshold: Threshold(logit: 2))
        #expect(found.labels.voxels == [1, 2, 2, 0, 3, 4, 4])
        #expect(found.classes == [10, 20, 30, 10])
        let large = try ObjectSource([.label(10), .label(20), .label(30)]).components(
            in: logits, threshold: Threshold(logit: 2), minimumVoxels: 2)
        #expect(large.labels.voxels == [0, 1, 1, 0, 0, 2, 2])
        #expect(large.classes == [20, 10])
    }

    @Test func `channels that make no objects are refused`() {
        #expect(throws: LabelingFault.noObjects(of: [nearest[0]])) { try ObjectSource([nearest[0]]) }
        #expect(throws: LabelingFault.noObjects(of: [.foreground, .label(1)])) {
            try ObjectSource([.foreground, .label(1)])
        }
    }
}
