import Labeling
import Testing
import Volumes

/// Components of an edge graph found the slow way: a label is lowered to that of any voxel it is joined with until
/// nothing changes.
private func lowerLabels(_ edges: EdgeMasks) -> Volume<UInt32> {
    let shape = edges.x.shape
    var joined: [(Int, Int)] = []
    for z in 0..<shape.z {
        for y in 0..<shape.y {
            for x in 0..<shape.x {
                let voxel = edges.x.index(z, y, x)
                if z > 0, edges.z[z, y, x] != 0 { joined.append((voxel, edges.x.index(z - 1, y, x))) }
                if y > 0, edges.y[z, y, x] != 0 { joined.append((voxel, edges.x.index(z, y - 1, x))) }
                if x > 0, edges.x[z, y, x] != 0 { joined.append((voxel, voxel - 1)) }
            }
        }
    }
    var least = Array(0..<shape.count)
    var isChanging = true
    while isChanging {
        isChanging = false
        for (one, other) in joined where least[one] != least[other] {
            let low = min(least[one], least[other])
            (least[one], least[other]) = (low, low)
            isChanging = true
        }
    }
    let withEdges = Set(joined.flatMap { [$0.0, $0.1] })
    var numbers: [Int: UInt32] = [:]
    return Volume(
        shape: shape,
        voxels: least.enumerated().map { voxel, low in
            guard withEdges.contains(voxel) else { return 0 }
            if let number = numbers[low] { return number }
            numbers[low] = UInt32(numbers.count + 1)
            return UInt32(numbers.count)
        })
}

@Suite struct EdgesTests {
    @Test(
        arguments: [ZYX(5, 7, 71), ZYX(4, 3, 128), ZYX(1, 9, 129), ZYX(11, 1, 64), ZYX(9, 13, 1), ZYX(1, 1, 200)],
        [0.1, 0.25, 0.5, 0.9])
    func `components are those of the graph, for every number of threads`(
        shape: ZYX<Int>, density: Double
    ) throws {
        func mask(_ seed: UInt64) -> Volume<UInt8> { randomMask(shape, density: density, seed: seed) }
        let edges = EdgeMasks(mask(1), mask(2), mask(3))
        let expected = lowerLabels(edges)
        for threads in [1, 2, 5] {
            let found = try connectedComponents(ofEdges: edges, threads: threads)
            #expect(found.labels == expected, "\(threads) threads")
            #expect(found.sizes.reduce(0, +) == expected.voxels.count { $0 != 0 })
        }
    }

    @Test func `touching voxels without an edge stay apart, and small components go`() throws {
        // Along x: 0-1-2 joined, no edge between 2 and 3, 3-4 joined.
        let none = Volume<UInt8>(shape: ZYX(1, 1, 6))
        let x = Volume<UInt8>(shape: ZYX(1, 1, 6), voxels: [1, 1, 1, 0, 1, 0])
        let edges = EdgeMasks(none, none, x)
        #expect(try connectedComponents(ofEdges: edges).labels.voxels == [1, 1, 1, 2, 2, 0])
        #expect(try connectedComponents(ofEdges: edges, minimumVoxels: 3).labels.voxels == [1, 1, 1, 0, 0, 0])
    }

    @Test func `edges of other shapes are refused`() {
        let (one, two) = (Volume<UInt8>(shape: ZYX(1, 1, 2)), Volume<UInt8>(shape: ZYX(1, 2, 2)))
        #expect(
            throws: LabelingFault.shapesDiffer("edges along x", one.shape, "edges along y", two.shape)
        ) { try connectedComponents(ofEdges: EdgeMasks(one, two, one)) }
    }
}
