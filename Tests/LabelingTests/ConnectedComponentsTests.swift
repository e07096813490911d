import Foundation
import Labeling
import Testing
import Volumes

private struct ReferenceCase: Decodable {
    let shape: [Int]
    let mask: Int
    let labels: [String: Int]
}

private func bothAreFull(_ one: UInt8, _ other: UInt8) -> Bool { one != 0 && other != 0 }

@Suite struct ConnectedComponentsTests {
    @Test(arguments: [Connectivity.faces, .edges, .corners], [1, 3])
    func `components are those of scipy, numbered by first voxel`(connectivity: Connectivity, threads: Int) throws {
        let raw = try reference("components.raw")
        for item in try json("components.json", as: [ReferenceCase].self) {
            let shape = ZYX(item.shape)
            let found = try connectedComponents(
                of: raw.volume8(at: item.mask, shape), connectivity: connectivity, threads: threads)
            let expected = raw.volume16(at: try #require(item.labels["\(connectivity.rawValue)"]), shape)
            #expect(found.labels == expected, "\(shape)")
            #expect(found.count == Int(expected.voxels.max() ?? 0))
            for label in 1...max(1, found.count) where found.count > 0 {
                #expect(found.sizes[label - 1] == expected.voxels.count { $0 == label })
            }
        }
    }

    @Test(arguments: Connectivity.allCases, [0.05, 0.15, 0.3, 0.5, 0.8, 0.97])
    func `components are those of a flood fill, for every number of threads`(
        connectivity: Connectivity, density: Double
    ) throws {
        let mask = randomMask(ZYX(13, 11, 150), density: density, seed: UInt64(density * 100))
        let expected = floodFill(mask, connectivity, alike: bothAreFull)
        let one = try connectedComponents(of: mask, connectivity: connectivity, threads: 1)
        #expect(one.labels == expected)
        for threads in [2, 3, 5, 13, 40] {
            #expect(try connectedComponents(of: mask, connectivity: connectivity, threads: threads) == one)
        }
    }

    @Test(
        arguments: Connectivity.allCases,
        [(UInt32(1), 131), (2, 131), (5, 131), (2, 64), (2, 65), (2, 128), (2, 1)])
    func `labels join where they are equal`(connectivity: Connectivity, labels: (last: UInt32, width: Int)) throws {
        let labels = randomLabels(ZYX(9, 8, labels.width), upTo: labels.last, seed: UInt64(labels.last))
        let expected = floodFill(labels, connectivity, alike: ==)
        for threads in [1, 4] {
            let found = try connectedComponents(ofLabels: labels, connectivity: connectivity, threads: threads)
            #expect(found.labels == expected)
        }
        let wide = labels.map { UInt64($0) << 40 }
        #expect(try connectedComponents(ofLabels: wide, connectivity: connectivity).labels == expected)
    }

    @Test func `connectivity says whether edges and corners join`() throws {
        var mask = Volume<UInt8>(shape: ZYX(3, 3, 3))
        mask[0, 0, 0] = 1
        mask[1, 1, 0] = 1  // an edge away
        mask[2, 2, 1] = 1  // a corner away
        #expect(try connectedComponents(of: mask, connectivity: .faces).count == 3)
        #expect(try connectedComponents(of: mask, connectivity: .edges).sizes == [2, 1])
        #expect(try connectedComponents(of: mask, connectivity: .corners).sizes == [3])
        // Two voxels that share a corner in each of two sections.
        let pairs = Volume<UInt8>(shape: ZYX(2, 2, 2), voxels: [1, 0, 0, 1, 1, 0, 0, 1])
        #expect(try connectedComponents(of: pairs, connectivity: .sides).sizes == [1, 1, 1, 1])
        #expect(try connectedComponents(of: pairs, connectivity: .sidesAndCorners).sizes == [2, 2])
        #expect(try connectedComponents(of: pairs, connectivity: .faces).sizes == [2, 2])
    }

    @Test(arguments: [1, 2, 7, 16])
    func `a comb that joins in its last section is one object`(threads: Int) throws {
        // Teeth run through all sections, and only the last one joins them.
        var mask = Volume<UInt8>(shape: ZYX(16, 65, 129))
        for z in 0..<16 {
            for y in stride(from: 0, to: 65, by: 2) {
                for x in stride(from: 0, to: 129, by: 2) { mask[z, y, x] = 1 }
            }
        }
        #expect(try connectedComponents(of: mask, connectivity: .corners, threads: threads).count == 33 * 65)
        for y in 0..<65 {
            for x in 0..<129 { mask[15, y, x] = 255 }
        }
        let found = try connectedComponents(of: mask, connectivity: .faces, threads: threads)
        #expect(found.sizes == [15 * 33 * 65 + 65 * 129])
    }

    @Test(arguments: [1, 4, 9])
    func `a meander is one object until a link is cut`(threads: Int) throws {
        // Every other section is a bar along x; bars hang together by one voxel, at alternating ends.
        var mask = Volume<UInt8>(shape: ZYX(41, 1, 150))
        for z in 0..<41 {
            for x in 0..<150 where z % 2 == 0 || x == (z % 4 == 1 ? 149 : 0) { mask[z, 0, x] = 1 }
        }
        #expect(try connectedComponents(of: mask, connectivity: .faces, threads: threads).sizes == [21 * 150 + 20])
        mask[19, 0, 0] = 0
        #expect(
            try connectedComponents(of: mask, connectivity: .faces, threads: threads).sizes
                == [10 * 150 + 9, 11 * 150 + 10])
    }

    @Test func `small objects go and the others are numbered anew`() throws {
        let mask = Volume<UInt8>(shape: ZYX(1, 1, 10), voxels: [1, 0, 1, 1, 0, 1, 1, 1, 0, 1])
        let found = try connectedComponents(of: mask, connectivity: .faces, minimumVoxels: 2)
        #expect(found.labels.voxels == [0, 0, 1, 1, 0, 2, 2, 2, 0, 0])
        #expect(found.sizes == [2, 3])
        let all = try connectedComponents(of: mask, connectivity: .faces, minimumVoxels: 0)
        #expect(all.count == 4)
        let none = try connectedComponents(of: mask, connectivity: .faces, minimumVoxels: 4)
        #expect(none.count == 0 && none.labels.voxels.allSatisfy { $0 == 0 })
    }

    @Test(arguments: [ZYX(0, 4, 4), ZYX(4, 0, 4), ZYX(4, 4, 0), ZYX(3, 4, 5)])
    func `an empty mask has no objects`(shape: ZYX<Int>) throws {
        let found = try connectedComponents(of: Volume(shape: shape), connectivity: .corners, threads: 3)
        #expect(found.count == 0)
        #expect(found.labels == Volume(shape: shape))
    }

    @Test func `a full mask is one object`() throws {
        let mask = Volume<UInt8>(shape: ZYX(5, 6, 130), repeating: 7)
        let found = try connectedComponents(of: mask, connectivity: .faces, threads: 2)
        #expect(found.sizes == [5 * 6 * 130])
        #expect(found.labels.voxels.allSatisfy { $0 == 1 })
    }
}
