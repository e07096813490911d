import Pipeline
import Reports
import TestSupport
import Testing
import Volumes

@Suite struct MiddlePlaneTests {
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
        let plane = MiddlePlane(axis, of: shape)
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
}
