import Volumes

/// Labels blocks of a volume one by one.
struct BlockLabeling: Sendable {
    let whole: ZYX<Int>
    let connectivity: Connectivity
    let minimumVoxels: Int

    /// The pieces of the objects that lie in a block.
    func pieces(of contents: BlockContents, in box: Box) throws -> BlockPieces {
        guard contents.shape == box.shape else {
            throw LabelingFault.shapesDiffer("a block", box.shape, "what was read of it", contents.shape)
        }
        let components = try contents.components(connectivity: connectivity)
        let (first, values) = firstVoxels(of: components, in: box, contents)
        let kept = kept(components, in: box)
        var places = [UInt32](repeating: 0, count: components.count)
        for (place, piece) in kept.enumerated() { places[piece] = UInt32(place + 1) }
        return BlockPieces(
            box: box, labels: components.labels, places: places, sizes: kept.map { components.sizes[$0] },
            first: kept.map { first[$0] }, values: values.map { values in kept.map { values[$0] } },
            contents: contents)
    }

    /// The place in the whole volume of each component's first voxel, and its label in the source if there is one.
    private func firstVoxels(
        of components: Components, in box: Box, _ contents: BlockContents
    ) -> (places: [Int], values: [UInt32]?) {
        var places: [Int] = []
        var values: [UInt32]? = if case .labels = contents { [] } else { nil }
        places.reserveCapacity(components.count)
        components.labels.voxels.withUnsafeBufferPointer { voxels in
            var voxel = 0
            // Components are numbered by their first voxels.
            while places.count < components.count {
                if Int(voxels[voxel]) > places.count {
                    let (z, rest) = voxel.quotientAndRemainder(dividingBy: box.shape.y * box.shape.x)
                    let (y, x) = rest.quotientAndRemainder(dividingBy: box.shape.x)
                    places.append(whole.index(box.origin + ZYX(z, y, x)))
                    if case .labels(let labels) = contents { values?.append(labels.voxels[voxel]) }
                }
                voxel &+= 1
            }
        }
        return (places, values)
    }

    /// The components, from 0, that are large enough or touch a side beyond which the volume goes on.
    private func kept(_ components: Components, in box: Box) -> [Int] {
        guard minimumVoxels > 1 else { return Array(0..<components.count) }
        var isKept = components.sizes.map { $0 >= minimumVoxels }
        for axis in 0..<3 {
            var planes: [Int] = []
            if box.origin.array[axis] > 0 { planes.append(0) }
            if box.end.array[axis] < whole.array[axis] { planes.append(box.shape.array[axis] - 1) }
            for plane in planes {
                forEachVoxel(of: box.shape, plane: plane, axis: axis) { place, _, _, _ in
                    let label = components.labels.voxels[place]
                    if label != 0 { isKept[Int(label) - 1] = true }
                }
            }
        }
        return isKept.indices.filter { isKept[$0] }
    }
}

/// The pieces of objects that lie in one block.
struct BlockPieces: Sendable {
    let box: Box
    /// Components of the block by itself, from 1.
    let labels: Volume<UInt32>
    /// The number, from 1, that component k has at k - 1 among the pieces; 0 where it is none, being too small.
    let places: [UInt32]
    /// Voxels of each piece.
    let sizes: [Int]
    /// The place of each piece's first voxel in the whole volume.
    let first: [Int]
    /// The label in the source of each piece.
    let values: [UInt32]?
    private let contents: BlockContents

    init(
        box: Box, labels: Volume<UInt32>, places: [UInt32], sizes: [Int], first: [Int], values: [UInt32]?,
        contents: BlockContents
    ) {
        self.box = box
        self.labels = labels
        self.places = places
        self.sizes = sizes
        self.first = first
        self.values = values
        self.contents = contents
    }

    /// The pieces, from 1, on a plane of the block, row by row.
    func side(axis: Int, plane: Int) -> [UInt32] {
        var found: [UInt32] = []
        forEachVoxel(of: box.shape, plane: plane, axis: axis) { place, _, _, _ in
            let label = labels.voxels[place]
            found.append(label == 0 ? 0 : places[Int(label) - 1])
        }
        return found
    }

    /// Where an edge leads to the block before, of the voxels of the first plane, row by row; nil where contact joins.
    func links(axis: Int) -> [Bool]? {
        guard case .edges(let edges) = contents else { return nil }
        let mask = edges.array[axis]
        var found: [Bool] = []
        forEachVoxel(of: box.shape, plane: 0, axis: axis) { place, _, _, _ in found.append(mask.voxels[place] != 0)
        }
        return found
    }
}

/// Calls `body` with the place and position of each voxel of a plane across an axis of a volume, row by row.
@inline(__always)
func forEachVoxel(
    of shape: ZYX<Int>, plane: Int, axis: Int, _ body: (_ place: Int, _ z: Int, _ y: Int, _ x: Int) -> Void
) {
    for z in axis == 0 ? plane..<plane + 1 : 0..<shape.z {
        for y in axis == 1 ? plane..<plane + 1 : 0..<shape.y {
            let row = (z * shape.y + y) * shape.x
            for x in axis == 2 ? plane..<plane + 1 : 0..<shape.x { body(row + x, z, y, x) }
        }
    }
}
