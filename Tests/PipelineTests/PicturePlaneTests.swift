import Pipeline
import Reports
import TestSupport
import Testing
import Volumes

@Suite struct PicturePlaneTests {
    /// Every voxel holds its own place.
    private func store(_ shape: ZYX<Int>, in folder: ScratchFolder) throws -> BlockStore {
        let store = try BlockStore.create(
            at: folder.path("s"),
            BlockStore.Layout(
                shape: shape, elementType: .uint64, shard: ZYX(64, 64, 64), chunk: ZYX(32, 32, 32)))
        let places = Volume<UInt64>(shape: shape, voxels: (0..<shape.count).map { UInt64($0) << 20 })
        for shard in store.shards { try store.writeShard(shard, VoxelBuffer(places.cropped(to: shard))) }
        return store
    }

    @Test(arguments: [
        (OverviewPlane.Axis.z, ZYX(3, 40, 70), 1), (.y, ZYX(3, 40, 70), 1), (.x, ZYX(3, 40, 70), 1),
        (.z, ZYX(2, 2100, 5), 2), (.y, ZYX(2, 3, 4100), 3), (.x, ZYX(3000, 45, 2), 2),
    ])
    func `pixels are the voxels of the plane, of long sides every so many`(
        axis: OverviewPlane.Axis, shape: ZYX<Int>, step: Int
    ) throws {
        let plane = PicturePlane(axis, of: shape)
        let folder = ScratchFolder()
        let store = try store(shape, in: folder)
        func every(_ extent: Int) -> [Int] { Array(stride(from: 0, to: extent, by: step)) }
        func place(_ z: Int, _ y: Int, _ x: Int) -> UInt64 { UInt64((z * shape.y + y) * shape.x + x) << 20 }
        let (rows, columns) =
            axis == .z ? (every(shape.y), every(shape.x)) : (every(shape.z), every(axis == .y ? shape.x : shape.y))
        let expected = rows.flatMap { row in
            columns.map { column in
                switch axis {
                case .z: place(shape.z / 2, row, column)
                case .y: place(row, shape.y / 2, column)
                case .x: place(row, column, shape.x / 2)
                }
            }
        }
        #expect(plane.width == columns.count && plane.height == rows.count)
        let found = try plane.pixels(of: store, as: UInt64.self)
        #expect(found == expected, "differ")
        #expect(
            plane.pixelSize(VoxelSize(ZYX(40, 8, 4), .nanometer)).vertical == Double(step) * (axis == .z ? 8 : 40))
    }

    /// The middle lies at z 4, y 10, x 15.
    @Test(arguments: [
        ("none", nil, [4, 10, 15]), ("through the middle", ZYX(4, 10, 15), [4, 10, 15]),
        ("beside the middle", ZYX(6, 10, 3), [6, 10, 3]), ("at a corner", ZYX(7, 0, 29), [7, 0, 29]),
    ])
    func `planes without an object give way to those through the largest`(
        name: String, largest: ZYX<Int>?, positions: [Int]
    ) throws {
        let folder = ScratchFolder()
        let shape = ZYX(8, 20, 30)
        func store(_ name: String, _ type: ElementType) throws -> BlockStore {
            try BlockStore.create(
                at: folder.path(name),
                BlockStore.Layout(shape: shape, elementType: type, shard: ZYX(32, 32, 32), chunk: ZYX(32, 32, 32)))
        }
        let (image, votes, labels) = (
            try store("image", .uint8), try store("votes", .uint8), try store("labels", .uint32)
        )
        for store in [image, votes] {
            try store.writeShard(store.shards[0], VoxelBuffer(Volume<UInt8>(shape: shape)))
        }
        var objects = Volume<UInt32>(shape: shape)
        if let largest { objects[largest.z, largest.y, largest.x] = 5 }
        try labels.writeShard(labels.shards[0], VoxelBuffer(objects))
        let planes = try PlanePictures(image: image, votes: votes, labels: labels, largest: largest).planes()
        #expect(planes.map(\.position) == positions)
        #expect(planes.allSatisfy { $0.labels.contains { $0 != 0 } == (largest != nil) })
    }
}
