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
            limit: .voxels(maximum))
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
            limit: .voxels(120 * 240 * 256))
        #expect(plan.tiles.map(\.input) == [Box(ZYX(120, 240, 256))])
        #expect(plan.tiles.map(\.output) == [Box(volume)])
    }

    @Test func cutsAlongOneAxisWhereThatIsEnough() throws {
        let volume = ZYX(64, 256, 512)
        let plan = try TilePlan(
            volume: volume, region: Box(volume),
            geometry: TileGeometry(stride: ZYX(repeating: 8), halo: ZYX(repeating: 48)),
            limit: .voxels(64 * 256 * 312))
        #expect(plan.tiles.map(\.output.shape) == [ZYX(64, 256, 256), ZYX(64, 256, 256)])
        #expect(plan.tiles.map(\.input.shape.x) == [304, 304])
        #expect(plan.redundancy == 304.0 / 256)
    }

    @Test func tilesConsistOfWholeUnits() throws {
        let volume = ZYX(130, 400, 500)
        let unit = ZYX(64, 128, 128)
        let plan = try TilePlan(
            volume: volume, region: Box(volume),
            geometry: TileGeometry(stride: ZYX(repeating: 8), halo: ZYX(repeating: 40)), limit: .voxels(5_000_000),
            unit: unit)
        for shard in Box(volume).cells(of: unit) {
            #expect(plan.tiles.count { $0.output.contains(shard) } == 1)
        }
    }

    @Test func aTileThatCannotFitIsAnError() {
        let error = #expect(throws: TileTooLarge.self) {
            try TilePlan(
                volume: ZYX(200, 200, 200), region: Box(ZYX(200, 200, 200)),
                geometry: TileGeometry(stride: ZYX(repeating: 8), halo: ZYX(repeating: 48)), limit: .voxels(100_000)
            )
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
            try TilePlan(volume: volume, region: Box(volume), geometry: geometry, limit: .voxels(voxels))
        }
        let voxels = least.input.count
        #expect(try plan(voxels).tiles.allSatisfy { $0.input.count <= voxels })
        let error = #expect(throws: TileTooLarge.self) { try plan(voxels - 1) }
        #expect(error?.needed == least.input.shape)
    }

    @Test(arguments: [2, 3], [3, 5])
    func `the small tile that memory is checked by is one that the network takes`(dimensions: Int, levels: Int)
        throws
    {
        for padding in ConvolutionPadding.allCases {
            let network = try NetworkConfiguration("unet") {
                ($0.dimensions, $0.levels, $0.padding) = (dimensions, levels, padding)
            }.graph()
            let geometry = try TileGeometry(network, patch: ZYX(repeating: 64))
            let cost = TileCost(network, geometry, precision: .f32, members: 1, channels: 1)
            #expect((1 << 20...1 << 34).contains(cost.bytes(of: geometry.smallTile)))
        }
    }

    @Test func memoryGrowsWithFeaturesAndHalvesInBf16() throws {
        let input = ZYX(repeating: 160)
        func bytes(_ features: Int, _ precision: Precision, _ kept: Box) throws -> Double {
            let network = try NetworkConfiguration("unet") { $0.features = features }.graph()
            let cost = TileCost(
                network, try TileGeometry(network, patch: ZYX(repeating: 64)), precision: precision, members: 5,
                channels: 1)
            // Of a volume that is one tile, or a tile of a large volume.
            let plan = try TilePlan(
                volume: kept.end + (kept.origin == .zero ? .zero : ZYX(repeating: 60)), region: kept,
                geometry: TileGeometry(network, patch: ZYX(repeating: 64)), limit: .none)
            return try Double(cost.bytes(of: #require(plan.tiles.first)))
        }
        let whole = Box(input)
        let narrow = try bytes(16, .f32, whole)
        // 16 channels of the skip connection, 16 that come from below, and both put together.
        #expect((64 * 4 * 4_096_000...1.5 * 64 * 4 * 4_096_000).contains(narrow))
        let wide = try bytes(32, .f32, whole)
        #expect(wide > 1.7 * narrow && wide < 2 * narrow)
        #expect(try bytes(32, .bf16, whole) < 0.6 * wide)
        // Of a tile most of which is halo, the first two layers take the most: 32 channels.
        let part = Box(origin: ZYX(repeating: 64), shape: ZYX(repeating: 40))
        #expect(try bytes(16, .f32, part) < 0.7 * narrow)
    }

    @Test func tilesStayWithinTheirMemoryAndHaloCostsLessThanItsVoxels() throws {
        let network = try NetworkConfiguration("unet") { $0.levels = 3 }.graph()
        let geometry = try TileGeometry(network, patch: ZYX(repeating: 64))
        let cost = TileCost(network, geometry, precision: .f32, members: 1, channels: 1)
        let volume = ZYX(100, 300, 400)
        func plan(_ limit: TileLimit) throws -> TilePlan {
            try TilePlan(volume: volume, region: Box(volume), geometry: geometry, limit: limit)
        }
        let bytes = 400 << 20
        let tiles = try plan(.memory(bytes, cost)).tiles
        #expect(tiles.count > 1 && tiles.allSatisfy { cost.bytes(of: $0) <= bytes })
        let inputs = tiles.reduce(0.0) { $0 + Double($1.input.count) }
        let computed = tiles.reduce(0.0) { $0 + cost.computedVoxels(of: $1) }
        #expect(computed > Double(volume.count) && computed < 0.8 * inputs)

        let least = cost.bytes(of: geometry.leastTile(of: volume))
        #expect(try plan(.memory(least, cost)).tiles.allSatisfy { cost.bytes(of: $0) <= least })
        #expect(throws: TileTooLarge.self) { try plan(.memory(least * 9 / 10, cost)) }
    }
}
