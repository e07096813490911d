import Labeling
import Testing
import Volumes

/// Labels of a volume in blocks are those of the volume at once, which are tested against a flood fill and scipy.
@Suite struct BlockComponentsTests {
    private static let blocks = [
        ZYX(17, 17, 17), ZYX(64, 64, 64), ZYX(40, 128, 128), ZYX(5, 7, 9), ZYX(1, 3, 70), ZYX(30, 2, 2),
    ]
    private static let shape = ZYX(29, 37, 71)

    @Test(arguments: Connectivity.allCases, [0.02, 0.1, 0.3, 0.5, 0.9])
    func `masks`(connectivity: Connectivity, density: Double) throws {
        let mask = randomMask(Self.shape, density: density, seed: UInt64(density * 100))
        for minimum in [1, 4] {
            let expected = try connectedComponents(of: mask, connectivity: connectivity, minimumVoxels: minimum)
            try check(expected, connectivity, minimum) { .mask(mask.cropped(to: $0)) }
        }
    }

    @Test(arguments: Connectivity.allCases, [UInt32(1), 3, 9])
    func `labels`(connectivity: Connectivity, last: UInt32) throws {
        let labels = randomLabels(Self.shape, upTo: last, seed: UInt64(last))
        for minimum in [1, 4] {
            let expected = try connectedComponents(
                ofLabels: labels, connectivity: connectivity, minimumVoxels: minimum)
            let found = try check(expected, connectivity, minimum) { .labels(labels.cropped(to: $0)) }
            for (object, label) in zip(expected.labels.voxels, labels.voxels) where object != 0 {
                guard found.values?[Int(object) - 1] != label else { continue }
                Issue.record("object \(object) is of label \(label)")
                break
            }
        }
    }

    @Test(arguments: [0.02, 0.2, 0.4, 0.9])
    func `edges`(density: Double) throws {
        let edges = ZYX(1, 2, 3).map { randomMask(Self.shape, density: density, seed: $0) }
        for minimum in [1, 4] {
            let expected = try connectedComponents(ofEdges: edges, minimumVoxels: minimum)
            try check(expected, .faces, minimum) { box in .edges(edges.map { $0.cropped(to: box) }) }
        }
    }

    /// A line that winds through the whole volume, and teeth that the last section alone joins.
    @Test(arguments: [Connectivity.faces, .edges, .corners])
    func `what joins far away only`(connectivity: Connectivity) throws {
        for mask in [winding(), comb()] {
            let expected = try connectedComponents(of: mask, connectivity: connectivity)
            #expect(expected.count == 1)
            try check(expected, connectivity, 1) { .mask(mask.cropped(to: $0)) }
        }
    }

    @Test func `blocks of another shape than asked for are a fault`() {
        #expect(throws: LabelingFault.self) {
            try BlockComponents(shape: ZYX(4, 4, 4), block: ZYX(2, 2, 2), connectivity: .faces) { _ in
                .mask(Volume(shape: ZYX(1, 2, 2)))
            }
        }
    }

    @discardableResult
    private func check(
        _ expected: Components, _ connectivity: Connectivity, _ minimum: Int,
        read: @escaping @Sendable (Box) throws -> BlockContents
    ) throws -> BlockComponents {
        var last: BlockComponents?
        for block in Self.blocks {
            for threads in [1, 2] {
                let found = try BlockComponents(
                    shape: Self.shape, block: block, connectivity: connectivity, minimumVoxels: minimum,
                    threads: threads, read: read)
                var labels = Volume<UInt32>(shape: Self.shape)
                for (index, box) in found.blocks.enumerated() {
                    labels.replace(at: box.origin, with: try found.labels(ofBlock: index))
                }
                let isEqual = labels == expected.labels && found.sizes == expected.sizes
                #expect(isEqual, "blocks of \(block), \(threads) threads")
                last = found
            }
        }
        return try #require(last)
    }

    /// Rows two apart, joined at alternating ends, in sections two apart, joined at alternating corners.
    private func winding() -> Volume<UInt8> {
        let end = Self.shape - ZYX(repeating: 1)
        var mask = Volume<UInt8>(shape: Self.shape)
        for z in 0...end.z {
            for y in 0...end.y where z % 2 == 0 {
                for x in y % 2 == 0 ? 0...end.x : y % 4 == 1 ? end.x...end.x : 0...0 { mask[z, y, x] = 1 }
            }
            if z % 4 == 1 { mask[z, end.y, end.x] = 1 }
            if z % 4 == 3 { mask[z, 0, 0] = 1 }
        }
        return mask
    }

    private func comb() -> Volume<UInt8> {
        var mask = Volume<UInt8>(shape: Self.shape)
        for y in stride(from: 0, to: Self.shape.y, by: 2) {
            for x in stride(from: 0, to: Self.shape.x, by: 2) {
                for z in 0..<Self.shape.z { mask[z, y, x] = 1 }
            }
        }
        let last = Self.shape.z - 1
        for y in 0..<Self.shape.y {
            for x in 0..<Self.shape.x { mask[last, y, x] = 1 }
        }
        return mask
    }
}
