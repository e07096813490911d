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

    /// Measures a volume in blocks; all at once where no block is given.
    private func table(
        of labels: Volume<UInt32>, objects: Int, votes: Volume<UInt8>? = nil, members: Int = 0,
        images: [Volume<Double>] = [], voxelSize: VoxelSize? = nil, block: ZYX<Int>? = nil,
        names: [UInt64]? = nil, classes: [UInt32]? = nil
    ) throws -> ObjectTable {
        var measurement = ObjectMeasurement(
            objects: objects, shape: labels.shape, voxelSize: voxelSize ?? size, members: members,
            images: images.indices.map { "image\($0)" })
        for box in Box(labels.shape).cells(of: block ?? labels.shape).reversed() {
            try measurement.add(
                ObjectMeasurement.Block(
                    box: box, labels: labels.cropped(to: measurement.region(around: box)),
                    votes: votes?.cropped(to: box), images: images.map { $0.cropped(to: box) }))
        }
        return measurement.finish(names: names, classes: classes)
    }

    @Test func `rows hold size, place and votes`() throws {
        let rows = try table(of: labels, objects: 3, votes: votes, members: 5).rows
        #expect(rows.map(\.label) == [1, 3])
        #expect(rows.map(\.voxels) == [5, 1])
        #expect(rows.map(\.centroid) == [ZYX(0.2, 0.2, 1.4), ZYX(1, 1, 3)])
        #expect(rows.map(\.box) == [Box(from: .zero, to: ZYX(2, 2, 3)), Box(from: ZYX(1, 1, 3), to: ZYX(2, 2, 4))])
        #expect(
            rows.map(\.agreement) == [
                .init(mean: 4.6, fewest: 4, disputedVoxels: 2), .init(mean: 3, fewest: 3, disputedVoxels: 1),
            ])
    }

    @Test func `the CSV names its columns and gives µm`() throws {
        let image = Volume<Double>(shape: labels.shape, voxels: (0..<16).map(Double.init))
        let lines = try table(of: labels, objects: 3, votes: votes, members: 5, images: [image]).text
            .split(separator: "\n").map(String.init)
        #expect(
            lines[0] == """
                label_id,voxels,volume_um3,centroid_z,centroid_y,centroid_x,centroid_z_um,centroid_y_um,centroid_x_um,\
                bbox_z0,bbox_z1,bbox_y0,bbox_y1,bbox_x0,bbox_x1,\
                bbox_z0_um,bbox_z1_um,bbox_y0_um,bbox_y1_um,bbox_x0_um,bbox_x1_um,\
                mean_votes,fewest_votes,unanimous_fraction,\
                touches_border,surface_area_um2,neighbours,contact_area_um2,\
                axis_1_um,axis_1_z,axis_1_y,axis_1_x,axis_2_um,axis_2_z,axis_2_y,axis_2_x,\
                axis_3_um,axis_3_z,axis_3_y,axis_3_x,\
                image0_mean,image0_sd,image0_min,image0_max,image0_sum
                """)
        #expect(
            lines[1].hasPrefix(
                "1,5,6.4e-06,0.2,0.2,1.4,0.008,0.0016,0.0056,0,2,0,2,0,3,0.0,0.08,0.0,0.016,0.0,0.012,4.6,4,0.6,1,")
        )
        // A single voxel: its sides times 2 √(5/12), and its value.
        #expect(
            lines[2].hasSuffix(
                ",0,0.0,0.05163977795,1.0,0.0,0.0,0.01032795559,0.0,1.0,0.0,0.005163977795,0.0,0.0,1.0,15.0,0.0,15.0,15.0,15.0"
            ))
        #expect(lines.count == 3)
        #expect(Set(lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).count }) == [45])
    }

    @Test func `objects of classes have a column for them, and names take the place of numbers`() throws {
        let named = try table(of: labels, objects: 3, names: [900, 20, 7], classes: [2, 9, 4])
        #expect(named.text.split(separator: "\n").map { $0.split(separator: ",").last } == ["class", "4", "2"])
        #expect(named.rows.map(\.label) == [7, 900])
    }

    @Test(arguments: [ZYX(2, 4, 17), ZYX(6, 1, 64), ZYX(1, 7, 3)])
    func `blocks add up to the whole, in any order`(block: ZYX<Int>) throws {
        let many = randomLabels(ZYX(6, 7, 70), upTo: 20, seed: 4)
        let seen = randomMask(many.shape, density: 1, seed: 5)
        let image = Volume<Double>(
            shape: many.shape, voxels: (0..<many.shape.count).map { Double($0 * 7919 % 251) })
        let whole = try table(of: many, objects: 20, votes: seen, images: [image])
        let parts = try table(of: many, objects: 20, votes: seen, images: [image], block: block)
        #expect(parts.contacts == whole.contacts)
        let digits: (ObjectTable) -> [[Double]] = { table in
            table.text.split(separator: "\n").dropFirst().map { line in
                line.split(separator: ",").map { Double($0) ?? .nan }
            }
        }
        for (part, all) in zip(digits(parts), digits(whole)) {
            #expect(zip(part, all).allSatisfy { abs($0 - $1) <= 1e-8 * max(1, abs($1)) })
        }
        #expect(whole.rows.reduce(0) { $0 + $1.voxels } == many.voxels.count { $0 > 0 })
    }

    /// Faces counted one by one.
    @Test func `contacts are the faces that two objects share`() throws {
        let many = randomLabels(ZYX(5, 6, 67), upTo: 9, seed: 8)
        let areas: [Double] = [32e-6, 160e-6, 320e-6]
        var expected: [[UInt64]: Double] = [:]
        for z in 0..<5 {
            for y in 0..<6 {
                for x in 0..<67 {
                    let after = [ZYX(z + 1, y, x), ZYX(z, y + 1, x), ZYX(z, y, x + 1)]
                    for (axis, next) in after.enumerated()
                    where Box(many.shape).contains(Box(origin: next, shape: ZYX(1, 1, 1))) {
                        let pair = [UInt64(many[z, y, x]), UInt64(many[next.z, next.y, next.x])].sorted()
                        if pair[0] != 0, pair[0] != pair[1] { expected[pair, default: 0] += areas[axis] }
                    }
                }
            }
        }
        let found = try table(of: many, objects: 9, block: ZYX(2, 3, 64))
        #expect(found.contacts.count == expected.count)
        for contact in found.contacts {
            #expect(abs((expected[[contact.first, contact.second]] ?? 0) - contact.area) < 1e-12)
        }
        let row = try #require(found.rows.first { $0.label == 4 })
        let own = expected.filter { $0.key.contains(4) }
        #expect(row.neighbours == own.count)
        #expect(abs(row.contactArea - own.values.reduce(0, +)) < 1e-10)
    }

    /// Ellipsoids with axes along the grid's and across it, whose area and axes are known.
    @Test(arguments: [ZYX(10.0, 10, 10), ZYX(30, 10, 10), ZYX(10, 20, 5)], [false, true])
    func `area and axes of an ellipsoid are its own`(sides: ZYX<Double>, isTurned: Bool) throws {
        let half = [320.0, 200, 200]
        let voxels = sides.map { Int(2 * 340 / $0) }
        let center = voxels.map { Double($0 - 1) / 2 }.zip(sides, *)
        // Of the longest axis.
        let along = isTurned ? ZYX(1 / 3.0, 2 / 3.0, 2 / 3.0) : ZYX(0, 0, 1)
        var labels = Volume<UInt32>(shape: voxels)
        for z in 0..<voxels.z {
            for y in 0..<voxels.y {
                for x in 0..<voxels.x {
                    let p = ZYX(Double(z), Double(y), Double(x)).zip(sides, *) - center
                    let t = p.z * along.z + p.y * along.y + p.x * along.x
                    let rest = p.z * p.z + p.y * p.y + p.x * p.x - t * t
                    if t * t / (half[0] * half[0]) + rest / (half[1] * half[1]) <= 1 { labels[z, y, x] = 1 }
                }
            }
        }
        let row = try #require(
            table(of: labels, objects: 1, voxelSize: VoxelSize(sides, .nanometer), block: ZYX(8, 16, 64)).rows.first
        )
        #expect(!row.touchesBorder)
        for (found, expected) in zip(row.axes.lengths, half) {
            #expect(abs(found * 1000 / (2 * expected) - 1) < 0.01)
        }
        let direction = row.axes.directions[0]
        #expect(abs(direction.z * along.z + direction.y * along.y + direction.x * along.x) > 0.999)
        // Of a prolate spheroid.
        let e = (1 - half[1] * half[1] / (half[0] * half[0])).squareRoot()
        let area = 2 * Double.pi * half[1] * half[1] * (1 + half[0] / (half[1] * e) * asin(e))
        #expect(abs(row.surfaceArea * 1e6 / area - 1) < 0.02, "\(row.surfaceArea * 1e6 / area)")
    }

    /// At the border of a volume an object ends: a box that fills it has the area of one inside.
    @Test func `the border of the volume is surface`() throws {
        let full = try table(of: Volume(shape: ZYX(7, 9, 65), repeating: 1), objects: 1, block: ZYX(3, 4, 64))
        var inner = Volume<UInt32>(shape: ZYX(9, 11, 67))
        for z in 1..<8 { for y in 1..<10 { for x in 1..<66 { inner[z, y, x] = 1 } } }
        let free = try table(of: inner, objects: 1)
        let (one, other) = (try #require(full.rows.first), try #require(free.rows.first))
        #expect(abs(one.surfaceArea / other.surfaceArea - 1) < 1e-9)
        #expect(one.touchesBorder && !other.touchesBorder)
    }

    /// A box of z 1..<3, y 2..<4, x 0..<2 in a volume of 4 × 6 × 8.
    @Test(
        arguments: [
            (nil, false, true), (nil, true, true),
            (Box(from: ZYX(0, 0, 0), to: ZYX(4, 5, 2)), false, true),
            (Box(from: ZYX(1, 1, -1), to: ZYX(4, 5, 3)), false, true),
            (Box(from: ZYX(1, 1, -1), to: ZYX(4, 5, 3)), true, false),
            (Box(from: ZYX(0, 1, -1), to: ZYX(4, 4, 3)), true, true),
            (Box(from: ZYX(0, 1, -1), to: ZYX(4, 5, 3)), false, false),
        ] as [(Box?, Bool, Bool)])
    func `objects are cut by what was segmented`(border: Box?, withinSections: Bool, expected: Bool) throws {
        var labels = Volume<UInt32>(shape: ZYX(4, 6, 8))
        for z in 1..<3 { for y in 2..<4 { for x in 0..<2 { labels[z, y, x] = 1 } } }
        var measurement = ObjectMeasurement(
            objects: 1, shape: labels.shape, border: border, withinSections: withinSections,
            voxelSize: VoxelSize(ZYX(repeating: 1), .micrometer))
        try measurement.add(ObjectMeasurement.Block(box: Box(labels.shape), labels: labels))
        #expect(measurement.finish().rows.map(\.touchesBorder) == [expected])
    }

    /// As a picture of cells is: there is nothing before or behind it to be cut from.
    @Test func `a single section cuts nothing along z`() throws {
        var labels = Volume<UInt32>(shape: ZYX(1, 6, 8))
        for y in 2..<4 { for x in 3..<5 { labels[0, y, x] = 1 } }
        labels[0, 5, 7] = 2
        #expect(try table(of: labels, objects: 2).rows.map(\.touchesBorder) == [false, true])
    }

    @Test func `intensities are those of the object's voxels`() throws {
        let values = (0..<16).map { Double($0 * $0) + 1e9 }
        let row = try #require(
            table(
                of: labels, objects: 3, images: [Volume(shape: labels.shape, voxels: values)], block: ZYX(1, 1, 2)
            )
            .rows.first)
        // Voxels 0, 1, 2, 6 and 10.
        let own = [0.0, 1, 4, 36, 100]
        let mean = own.reduce(0, +) / 5
        let deviation = (own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 5).squareRoot()
        let found = try #require(row.intensities.first)
        #expect(abs(found.mean - 1e9 - mean) < 1e-6)
        #expect(abs(found.deviation - deviation) < 1e-6)
        #expect(found.low == 1e9 && found.high == 1e9 + 100 && found.sum == 5e9 + 141)
    }

    @Test func `without votes the columns are empty`() throws {
        let table = try table(of: labels, objects: 3)
        #expect(table.rows.allSatisfy { $0.agreement == nil })
        #expect(
            table.text.split(separator: "\n").dropFirst().allSatisfy {
                $0.contains(",0.012,,,,1,") || $0.contains(",0.016,,,,1,")
            })
    }

    @Test func `a label without a place and votes of another shape are errors`() {
        var measurement = ObjectMeasurement(objects: 2, shape: labels.shape, voxelSize: size)
        #expect(throws: LabelingFault.labelBeyondObjects(label: 3, objects: 2)) {
            try measurement.add(.init(box: Box(labels.shape), labels: labels))
        }
        #expect(throws: LabelingFault.self) {
            try measurement.add(.init(box: Box(labels.shape), labels: labels, votes: Volume(shape: ZYX(1, 1, 1))))
        }
        #expect(throws: LabelingFault.self) {
            try measurement.add(.init(box: Box(labels.shape), labels: Volume(shape: ZYX(1, 1, 1))))
        }
    }
}

extension ObjectTable {
    fileprivate var text: String {
        var text = ""
        csv { text += $0 }
        return text
    }
}
