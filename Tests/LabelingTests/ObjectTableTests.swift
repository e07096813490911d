import Foundation
import Labeling
import Testing
import Volumes

@Suite struct ObjectTableTests {
    /// Object 1 is an L of five voxels in sections 0 and 1, object 3 one voxel; there is no object 2.
    private let labels = Volume<UInt32>(
        shape: ZYX(2, 2, 4),
        voxels: [1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 3])
    private let votes = Volume<UInt8>(
        shape: ZYX(2, 2, 4),
        voxels: [5, 5, 4, 0, 0, 0, 5, 0, 0, 0, 4, 1, 0, 0, 0, 3])
    private let size = VoxelSize(ZYX(40, 8, 4), .nanometer)

    @Test func `rows hold size, place and votes`() throws {
        var accumulator = ObjectTable.Accumulator(objects: 3, members: 5)
        try accumulator.add(labels, votes: votes)
        let rows = accumulator.finish(voxelSize: size).rows
        #expect(
            rows == [
                .init(
                    label: 1, voxels: 5, centroid: ZYX(0.2, 0.2, 1.4),
                    box: Box(from: .zero, to: ZYX(2, 2, 3)), meanVotes: 4.6, disputedVoxels: 2),
                .init(
                    label: 3, voxels: 1, centroid: ZYX(1, 1, 3),
                    box: Box(from: ZYX(1, 1, 3), to: ZYX(2, 2, 4)), meanVotes: 3, disputedVoxels: 1),
            ])
    }

    @Test func `the CSV names its columns and gives µm`() throws {
        var accumulator = ObjectTable.Accumulator(objects: 3, members: 5)
        try accumulator.add(labels, votes: votes, at: ZYX(10, 0, 0))
        let lines = accumulator.finish(voxelSize: size).csv().split(separator: "\n")
        #expect(
            lines[0] == """
                label_id,voxels,volume_um3,centroid_z,centroid_y,centroid_x,centroid_z_um,centroid_y_um,centroid_x_um,\
                bbox_z0,bbox_z1,bbox_y0,bbox_y1,bbox_x0,bbox_x1,\
                bbox_z0_um,bbox_z1_um,bbox_y0_um,bbox_y1_um,bbox_x0_um,bbox_x1_um,mean_votes,unanimous_fraction
                """)
        #expect(
            lines[1] == "1,5,6.4e-06,10.2,0.2,1.4,0.408,0.0016,0.0056,"
                + "10,12,0,2,0,3,0.4,0.48,0.0,0.016,0.0,0.012,4.6,0.6")
        #expect(
            lines[2] == "3,1,1.28e-06,11.0,1.0,3.0,0.44,0.008,0.012,"
                + "11,12,1,2,3,4,0.44,0.48,0.008,0.016,0.012,0.016,3.0,0.0")
        #expect(lines.count == 3)
    }

    @Test func `objects of classes have a column for them`() throws {
        var accumulator = ObjectTable.Accumulator(objects: 3, members: 5)
        try accumulator.add(labels, votes: votes)
        let lines = accumulator.finish(voxelSize: size, classes: [2, 9, 7]).csv().split(separator: "\n")
        #expect(lines.map { $0.split(separator: ",").last } == ["class", "2", "7"])
    }

    @Test func `blocks add up to the whole, in any order`() throws {
        let many = randomLabels(ZYX(6, 7, 50), upTo: 20, seed: 4)
        let seen = randomMask(ZYX(6, 7, 50), density: 1, seed: 5)
        var whole = ObjectTable.Accumulator(objects: 20)
        try whole.add(many, votes: seen)
        var parts = ObjectTable.Accumulator(objects: 20)
        for box in Box(many.shape).cells(of: ZYX(2, 4, 17)).reversed() {
            try parts.add(many.cropped(to: box), votes: seen.cropped(to: box), at: box.origin)
        }
        #expect(parts.finish(voxelSize: size) == whole.finish(voxelSize: size))
        #expect(whole.finish(voxelSize: size).rows.reduce(0) { $0 + $1.voxels } == many.voxels.count { $0 > 0 })
    }

    @Test func `without votes the column is empty`() throws {
        var accumulator = ObjectTable.Accumulator(objects: 3)
        try accumulator.add(labels, votes: nil)
        let table = accumulator.finish(voxelSize: size)
        #expect(table.rows.allSatisfy { $0.meanVotes == nil })
        #expect(table.csv().split(separator: "\n").dropFirst().allSatisfy { $0.hasSuffix(",") })
    }

    @Test func `a label without a place and votes of another shape are errors`() {
        var accumulator = ObjectTable.Accumulator(objects: 2)
        #expect(throws: LabelingFault.labelBeyondObjects(label: 3, objects: 2)) {
            try accumulator.add(labels, votes: votes)
        }
        #expect(throws: LabelingFault.self) {
            try accumulator.add(labels, votes: Volume(shape: ZYX(1, 1, 1)))
        }
    }
}
