import Inference
import Networks
import Tensors
import Testing
import Volumes

@Suite struct TilePlanTests {
    static let regions = [
        Box(ZYX(125, 250, 250)), Box(ZYX(1, 300, 77)), Box(from: ZYX(13, 100, 0), to: ZYX(60, 201, 130)),
    ]

    @Test(arguments: regions, [200_000, 1_200_000, 100_000_000])
    func outputsPartitionTheRegionAndInputsReachFarEnough(region: Box, maximum: Int) throws {
        let volume = ZYX(125, 300, 250)
        let stride = ZYX(4, 8, 8)
        let halo = ZYX(11, 22, 22)
        let plan = try TilePlan(
            volume: volume, region: region, geometry: TileGeometry(stride: stride, halo: halo),
            maximumVoxels: maximum)
        #expect(plan.tiles.reduce(0) { $0 + $1.output.count } == region.count)
        let far = stride.cells(covering: volume).zip(stride, *)
        for (place, tile) in plan.tiles.enumerated() {
            #expect(region.contains(tile.output) && tile.input.count <= maximum)
            for other in plan.tiles[(place + 1)...] { #expect(tile.output.intersection(other.output).isEmpty) }
            for (low, (size, step)) in zip(tile.input.origin.array, zip(tile.input.shape.array, stride.array)) {
                #expect(low % step == 0 && size % step == 0)
            }
            let needed = tile.output.grown(by: halo).intersection(Box(far))
            #expect(Box(far).contains(tile.input) && tile.input.contains(needed))
        }
    }

    @Test func withEnoughMemoryTheVolumeIsOneTile() throws {
        let volume = ZYX(120, 240, 250)
        let plan = try TilePlan(
            volume: volume, region: Box(volume),
            geometry: TileGeometry(stride: ZYX(repeating: 8), halo: ZYX(repeating: 48)),
            maximumVoxels: 120 * 240 * 256)
        #expect(plan.tiles.map(\.input) == [Box(ZYX(120, 240, 256))])
        #expect(plan.tiles.map(\.output) == [Box(volume)])
    }

    @Test func cutsAlongOneAxisWhereThatIsEnough() throws {
        let volume = ZYX(64, 256, 512)
        let plan = try TilePlan(
            volume: volume, region: Box(volume),
            geometry: TileGeometry(stride: ZYX(repeating: 8), halo: ZYX(repeating: 48)),
            maximumVoxels: 64 * 256 * 312)
        #expect(plan.tiles.map(\.output.shape) == [ZYX(64, 256, 256), ZYX(64, 256, 256)])
        #expect(plan.tiles.map(\.input.shape.x) == [304, 304])
        #expect(plan.redundancy == 304.0 / 256)
    }

    @Test func tilesConsistOfWholeUnits() throws {
        let volume = ZYX(130, 400, 500)
        let unit = ZYX(64, 128, 128)
        let plan = try TilePlan(
            volume: volume, region: Box(volume),
            geometry: TileGeometry(stride: ZYX(repeating: 8), halo: ZYX(repeating: 40)), maximumVoxels: 5_000_000,
            unit: unit)
        for shard in Box(volume).cells(of: unit) {
            #expect(plan.tiles.count { $0.output.contains(shard) } == 1)
        }
    }

    @Test func aTileThatCannotFitIsAnError() {
        let error = #expect(throws: TileTooLarge.self) {
            try TilePlan(
                volume: ZYX(200, 200, 200), region: Box(ZYX(200, 200, 200)),
                geometry: TileGeometry(stride: ZYX(repeating: 8), halo: ZYX(repeating: 48)), maximumVoxels: 100_000)
        }
        #expect(error?.needed == ZYX(repeating: 104))
    }

    @Test(
        arguments: [
            TileGeometry(stride: ZYX(repeating: 8), halo: ZYX(repeating: 50)),
            TileGeometry(stride: ZYX(1, 4, 8), halo: ZYX(0, 22, 44)),
            TileGeometry(
                stride: ZYX(repeating: 4), halo: .zero, margin: ZYX(repeating: 20), smallest: ZYX(repeating: 44)),
        ], [ZYX(400, 401, 399), ZYX(30, 500, 64)])
    func `the least tile is what memory must allow`(geometry: TileGeometry, volume: ZYX<Int>) throws {
        let least = geometry.leastTile(of: volume)
        func plan(_ voxels: Int) throws -> TilePlan {
            try TilePlan(volume: volume, region: Box(volume), geometry: geometry, maximumVoxels: voxels)
        }
        #expect(try plan(least.count).tiles.allSatisfy { $0.input.count <= least.count })
        let error = #expect(throws: TileTooLarge.self) { try plan(least.count - 1) }
        #expect(error?.needed == least)
    }

    @Test func memoryGrowsWithFeaturesAndHalvesInBf16() throws {
        let memory = 1 << 30
        func voxels(_ features: Int, _ precision: Precision) throws -> Int {
            let network = try NetworkConfiguration("unet") { $0.features = features }.graph()
            return TileMemory(
                network, try TileGeometry(network, patch: ZYX(repeating: 64)), precision: precision, members: 5,
                channels: 1
            ).maximumVoxels(in: memory)
        }
        let (narrow, wide) = (try voxels(16, .f32), try voxels(32, .f32))
        #expect((1_500_000...5_000_000).contains(narrow))
        #expect(wide < narrow && 2 * wide > narrow)
        #expect(try voxels(32, .bf16) > wide * 3 / 2)
    }
}
