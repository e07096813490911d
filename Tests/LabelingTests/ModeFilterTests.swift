import Labeling
import Testing
import Volumes

/// A voxel takes the label that most have around it.
struct ModeFilterTests {
    static let shape = ZYX(7, 9, 11)
    static let labels = Volume<UInt32>(
        shape: shape, voxels: (0..<UInt64(shape.count)).map { UInt32(($0 &* 2_654_435_761 >> 7) % 4) })

    /// From counts of all voxels within the distance, found by trying all.
    private func expected(_ radius: Double, _ sides: ZYX<Double>, withinSections: Bool) -> Volume<UInt32> {
        var result = Self.labels
        let cells = Box(Self.shape).cells(of: ZYX(repeating: 1)).map(\.origin)
        for at in cells {
            var counts: [UInt32: Int] = [:]
            for other in cells where !withinSections || other.z == at.z {
                let offset = (other - at).map { Double($0) }.zip(sides, *)
                if offset.z * offset.z + offset.y * offset.y + offset.x * offset.x <= radius * radius + 1e-3 {
                    counts[Self.labels[other.z, other.y, other.x], default: 0] += 1
                }
            }
            let most = counts.values.max() ?? 0
            let own = Self.labels[at.z, at.y, at.x]
            result[at.z, at.y, at.x] =
                counts[own] == most ? own : counts.filter { $0.value == most }.map(\.key).min() ?? 0
        }
        return result
    }

    @Test(
        arguments: [(10.0, ZYX(10.0, 10, 10)), (20, ZYX(10, 10, 10)), (17, ZYX(30, 8, 8)), (30, ZYX(30, 10, 15))],
        [false, true])
    func itIsTheMostFrequent(kind: (radius: Double, sides: ZYX<Double>), withinSections: Bool) {
        let filter = ModeFilter(
            radius: kind.radius, voxelSize: VoxelSize(kind.sides, .nanometer), withinSections: withinSections)
        let expected = expected(kind.radius, kind.sides, withinSections: withinSections)
        #expect(filter.smoothed(Self.labels, of: Box(Self.shape), in: Box(Self.shape)) == expected)
        // Block by block, with no more than is needed around each.
        var pieces = Volume<UInt32>(shape: Self.shape)
        for block in Box(Self.shape).cells(of: ZYX(3, 4, 5)) {
            let region = block.grown(by: filter.reach).intersection(Box(Self.shape))
            pieces.replace(
                at: block.origin, with: filter.smoothed(Self.labels.cropped(to: region), of: region, in: block))
        }
        #expect(pieces == expected)
    }

    @Test func aSpikeGoesAndAPlaneStays() {
        var labels = Volume<UInt32>(shape: ZYX(1, 9, 9))
        for y in 5..<9 { for x in 0..<9 { labels[0, y, x] = 3 } }
        let flat = labels
        labels[0, 4, 4] = 3
        labels[0, 3, 4] = 3
        let filter = ModeFilter(radius: 2, voxelSize: VoxelSize(ZYX(1, 1, 1), .nanometer))
        #expect(filter.smoothed(labels, of: Box(labels.shape), in: Box(labels.shape)) == flat)
    }
}
