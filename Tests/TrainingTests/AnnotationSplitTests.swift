import Testing
import Training
import Volumes

@Suite struct AnnotationSplitTests {
    @Test(arguments: [1, 2, 5, 13])
    func blocksOfOneVolumeAreDisjointAndInStatedShares(members: Int) throws {
        let shape = ZYX(125, 250, 240)
        let split = try AnnotationSplit(shapes: [shape], calibration: 1.0 / 6, members: members)
        #expect(split.calibration.map(\.box) == [Box(from: ZYX(0, 208, 0), to: ZYX(125, 250, 240))])
        #expect(split.validation.count == members)
        let boxes = split.calibration.map(\.box) + split.validation.flatMap { $0.map(\.box) }
        for (place, box) in boxes.enumerated() {
            #expect(Box(shape).contains(box))
            for other in boxes[(place + 1)...] { #expect(box.intersection(other).isEmpty) }
        }
        let expected = Double(208) / Double(max(10, members))
        for block in split.validation {
            #expect(block.count == 1 && abs(Double(block[0].box.shape.y) - expected) <= 1)
        }
    }

    @Test func eachMemberKeepsATenthOfWhatSeveralVolumesHaveBesideCalibration() throws {
        let shapes = [ZYX(20, 30, 40), ZYX(60, 50, 40), ZYX(10, 64, 64)]
        let split = try AnnotationSplit(shapes: shapes, calibration: 0.2, members: 4)
        let total = shapes.reduce(0) { $0 + $1.count }
        #expect(split.calibration.map(\.volume) == [1])
        let calibration = split.calibration[0].box.count
        #expect(abs(Double(calibration) / Double(total) - 0.2) < 0.01)
        for block in split.validation {
            let size = block.reduce(0) { $0 + $1.box.count }
            #expect(abs(size - (total - calibration) / 10) < 5_000)
        }
    }

    @Test func calibrationTakesHalfAVolumeAtMost() throws {
        let shape = ZYX(10, 20, 30)
        let split = try AnnotationSplit(
            shapes: Array(repeating: shape, count: 6), calibration: 1.0 / 6, members: 5)
        #expect(split.calibration.map(\.volume) == [0, 1])
        #expect(split.calibration.map(\.box) == Array(repeating: Box(from: ZYX(0, 0, 15), to: shape), count: 2))
        let held = split.validation.flatMap { $0 }.reduce(0) { $0 + $1.box.count }
        #expect(held == 5 * shape.count / 2)
    }

    /// Annotation in every fourth section of one half, and in all of the other: each block has as much.
    @Test func blocksHaveEquallyManyAnnotatedVoxels() throws {
        let shape = ZYX(80, 4, 4)
        var labels = Volume<UInt32>(shape: shape)
        for z in 0..<80 where z >= 40 || z % 4 == 0 {
            for y in 0..<4 { for x in 0..<4 { labels[z, y, x] = 1 } }
        }
        let volume = try annotated(labels, unlabelledZero: true)
        let split = try AnnotationSplit(
            annotations: [AnnotatedSections(volume)], calibration: 0, members: 5)
        let sizes = split.validation.map { parts in
            parts.reduce(0) { $0 + volume.countedLabels(in: $1.box).voxels.count { $0 != 0 } }
        }
        #expect(sizes == Array(repeating: 80, count: 5))
    }

    /// Few objects, away from the end that usually is kept: a slab of them is, as a sixth of their voxels takes.
    @Test(arguments: [false, true]) func whatIsKeptForTheThresholdHoldsObjects(sliver: Bool) throws {
        let shape = ZYX(4, 60, 10)
        var labels = Volume<UInt32>(shape: shape)
        labels.replace(at: ZYX(0, 6, 0), with: Volume(shape: ZYX(4, 6, 10), repeating: 1))
        labels.replace(at: ZYX(0, 24, 0), with: Volume(shape: ZYX(4, 6, 10), repeating: 2))
        // A corner of an object at the far end is as good as none.
        if sliver { labels[0, 59, 0] = 3 }
        let empty = try annotated(Volume<UInt32>(shape: ZYX(4, 90, 10)))
        let split = try AnnotationSplit(
            annotations: [AnnotatedSections(empty), AnnotatedSections(annotated(labels))], calibration: 1.0 / 6,
            members: 5)
        #expect(split.calibration.map(\.volume) == [1])
        #expect(split.calibration.map(\.box) == [Box(from: ZYX(0, 28, 0), to: shape)])
        for block in split.validation.flatMap({ $0 }) where block.volume == 1 { #expect(block.box.end.y <= 28) }
    }

    @Test func calibrationZeroKeepsNothing() throws {
        let split = try AnnotationSplit(shapes: [ZYX(8, 8, 32)], calibration: 0, members: 2)
        #expect(split.calibration.isEmpty)
        #expect(split.heldBack(from: 1, volume: 0) == [Box(from: ZYX(0, 0, 16), to: ZYX(8, 8, 19))])
    }

    /// Objects of sections: whole sections are kept, though rows are longer.
    @Test func theAxisMayBeGiven() throws {
        let split = try AnnotationSplit(
            annotations: [Box(ZYX(12, 64, 64))], across: 0, calibration: 1.0 / 6, members: 5)
        #expect(split.calibration.map(\.box) == [Box(from: ZYX(10, 0, 0), to: ZYX(12, 64, 64))])
        #expect(split.validation.map { $0.map(\.box.shape) } == Array(repeating: [ZYX(1, 64, 64)], count: 5))
    }

    /// Five sections are not enough for ten blocks.
    @Test func ofLittleAnnotationMembersKeepMore() throws {
        let split = try AnnotationSplit(shapes: [ZYX(3, 3, 5)], calibration: 0, members: 5)
        #expect(split.validation.map { $0.map(\.box.origin.x) } == [[0], [1], [2], [3], [4]])
    }

    @Test func tooLittleAnnotationIsAnError() {
        #expect(throws: AnnotationError.self) {
            try AnnotationSplit(shapes: [ZYX(4, 4, 4)], calibration: 1.0 / 6, members: 5)
        }
        #expect(throws: AnnotationError.self) {
            try AnnotationSplit(annotations: [Box(.zero)], calibration: 0, members: 1)
        }
    }
}
