import Foundation
import Labeling
import Testing
import Volumes

private struct WatershedCase: Decodable {
    let shape: [Int]
    let logits, seeds, mask, grown, squares: Int
}

@Suite struct RegrowthTests {
    @Test func `seeds grow as in scikit-image`() throws {
        let raw = try reference("watershed.raw")
        for item in try json("watershed.json", as: [WatershedCase].self) {
            let shape = ZYX(item.shape)
            let grown = try seededWatershed(
                from: raw.volume8(at: item.seeds, shape).map(UInt32.init),
                over: raw.volume16(at: item.logits, shape).map { Int16(bitPattern: UInt16($0)) },
                within: raw.volume8(at: item.mask, shape))
            #expect(grown == raw.volume8(at: item.grown, shape).map(UInt32.init), "\(shape)")
        }
    }

    @Test(arguments: [1, 3])
    func `distances are those of scipy`(threads: Int) throws {
        let raw = try reference("watershed.raw")
        for item in try json("watershed.json", as: [WatershedCase].self) {
            let shape = ZYX(item.shape)
            let squares = squaredDistances(
                toVoxelsOf: raw.volume8(at: item.seeds, shape), spacing: ZYX(5, 2, 1), threads: threads)
            #expect(squares.map { UInt32($0.rounded()) } == raw.volume16(at: item.squares, shape), "\(shape)")
        }
    }

    @Test func `distances to nothing are infinite`() {
        let squares = squaredDistances(toVoxelsOf: Volume<UInt8>(shape: ZYX(2, 3, 4)), spacing: ZYX(1, 1, 1))
        #expect(squares.voxels.allSatisfy { $0 == .infinity })
    }

    @Test func `the higher way wins, and of equals the region that came first`() throws {
        let seeds = Volume<UInt32>(shape: ZYX(1, 1, 7), voxels: [7, 0, 0, 0, 0, 0, 9])
        func grown(_ logits: [Int16]) throws -> [UInt32] {
            try seededWatershed(from: seeds, over: Volume(shape: seeds.shape, voxels: logits)).voxels
        }
        // The left seed comes first, climbs to 1 and reaches the low wall at 2 long before it is its turn.
        #expect(try grown([0, 5, -9, 5, 5, 5, 0]) == [7, 7, 7, 9, 9, 9, 9])
        #expect(try grown([0, 0, 0, 0, 0, 0, 0]) == [7, 7, 7, 7, 9, 9, 9])
    }

    @Test func `what is within a distance is measured in nanometres`() {
        var seeds = Volume<UInt32>(shape: ZYX(3, 1, 9))
        seeds[1, 0, 0] = 4
        let near = voxels(within: 24, ofSeeds: seeds, voxelSize: VoxelSize(ZYX(40, 8, 8), .nanometer))
        #expect(
            near.voxels == [0, 0, 0, 0, 0, 0, 0, 0, 0] + [1, 1, 1, 1, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0, 0])
        // √(40² + 24²) = 46.6
        let far = voxels(within: 47, ofSeeds: seeds, voxelSize: VoxelSize(ZYX(40, 8, 8), .nanometer))
        #expect(far.voxels.prefix(9) == [1, 1, 1, 1, 0, 0, 0, 0, 0])
    }

    /// Seeds on a grid, and logits that fall with the distance to them.
    private static func hills(_ shape: ZYX<Int>) -> (seeds: Volume<UInt32>, logits: Volume<Int16>) {
        var seeds = Volume<UInt32>(shape: shape)
        for (number, cell) in Box(shape).cells(of: ZYX(9, 11, 13)).enumerated() {
            let middle = cell.origin + cell.shape.map { $0 / 2 }
            seeds[middle.z, middle.y, middle.x] = UInt32(number + 1)
        }
        let squares = squaredDistances(toVoxelsOf: seeds, spacing: ZYX(1, 1, 1))
        return (seeds, squares.map { Int16(-$0) })
    }

    @Test(arguments: [ZYX(180, 30, 30), ZYX(5, 330, 20), ZYX(3, 20, 300)])
    func `windows grow as the whole`(shape: ZYX<Int>) throws {
        let (seeds, logits) = Self.hills(shape)
        let growth = ObjectGrowth(
            reach: 24, floor: Threshold(logit: Double(LogitScale.decode(-30))),
            voxelSize: VoxelSize(ZYX(4, 4, 4), .nanometer))
        var mask = voxels(within: 24, ofSeeds: seeds, voxelSize: growth.voxelSize)
        for voxel in mask.voxels.indices where logits.voxels[voxel] < -30 { mask.voxels[voxel] = 0 }
        #expect(try grown(growth, seeds, logits) == seededWatershed(from: seeds, over: logits, within: mask))
        #expect(growth.windows(of: shape).count == 2)
        #expect(mask.voxels.contains(0))
    }

    @Test func `sections grow by themselves, over the borders of windows`() throws {
        let shape = ZYX(2, 600, 24)
        let (seeds, logits) = Self.hills(shape)
        let growth = ObjectGrowth(
            reach: 30, voxelSize: VoxelSize(ZYX(1, 5, 5), .nanometer), withinSections: true)
        var expected = Volume<UInt32>(shape: shape)
        for section in Box(shape).cells(of: ZYX(1, 600, 24)) {
            let own = seeds.cropped(to: section)
            expected.replace(
                at: section.origin,
                with: try seededWatershed(
                    from: own, over: logits.cropped(to: section),
                    within: voxels(within: 30, ofSeeds: own, voxelSize: growth.voxelSize)))
        }
        #expect(try grown(growth, seeds, logits) == expected)
        #expect(growth.windows(of: shape).count == 2)
        #expect(expected.voxels.prefix(shape.y * shape.x).allSatisfy { $0 == 0 }, "no seed is in the first section")
    }

    private func grown(
        _ growth: ObjectGrowth, _ seeds: Volume<UInt32>, _ logits: Volume<Int16>
    ) throws -> Volume<UInt32> {
        let shape = seeds.shape
        var result = Volume<UInt32>(shape: shape)
        for window in growth.windows(of: shape) {
            let region = growth.surroundings(of: window, in: shape)
            #expect(region != Box(shape))
            result.replace(
                at: window.origin,
                with: try growth.grown(
                    window, of: shape, seeds: seeds.cropped(to: region), over: logits.cropped(to: region)))
        }
        return result
    }

    @Test func `what does not fit is refused`() {
        let (one, two) = (ZYX(1, 1, 2), ZYX(1, 2, 2))
        #expect(throws: LabelingFault.shapesDiffer("seeds", one, "logits", two)) {
            try seededWatershed(from: Volume(shape: one), over: Volume(shape: two))
        }
        #expect(throws: LabelingFault.shapesDiffer("seeds", one, "mask", two)) {
            try seededWatershed(from: Volume(shape: one), over: Volume(shape: one), within: Volume(shape: two))
        }
    }
}
