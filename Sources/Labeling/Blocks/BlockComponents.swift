import Volumes

/// The connected regions of a volume that is never in memory as a whole.
///
/// Every block is labelled by itself, the pieces that touch across the sides of blocks are joined with a union-find
/// forest, and labels are made block by block by labelling each again: that is faster than what would have to be
/// written and read in between, and needs no disk. Labels are those of `connectedComponents` for the whole volume,
/// whatever the blocks and the number of threads. In memory are the blocks that are at work, the sides of a layer of
/// blocks (about 24 bytes for each voxel of a section), and 24 bytes for every object and for every piece that touches a
/// side, 28 where there are labels.
public struct BlockComponents: Sendable {
    public let shape: ZYX<Int>
    /// The volume cut into blocks, in the order of z, y and x.
    public let blocks: [Box]
    /// Voxels of each object: label k has `sizes[k - 1]`.
    public let sizes: [Int]
    /// The label in the source of each object; nil where the source has none.
    public let values: [UInt32]?

    private let labeling: BlockLabeling
    private let read: @Sendable (Box) throws -> BlockContents
    /// The place in `labels` of each block's first piece.
    private let first: [Int]
    /// The label of each piece; 0 where its object is too small.
    private let labels: [UInt32]
    /// The labels of voxels that only edges across sides belong to.
    private let loners: [Int: UInt32]

    public var count: Int { sizes.count }

    /// Finds the regions.
    ///
    /// - Parameters:
    ///   - block: the shape of a block.
    ///   - minimumVoxels: smaller regions are left out.
    ///   - threads: blocks that are at work at a time.
    ///   - progress: is told the share of blocks that are done; what it throws ends the search.
    ///   - read: what lies in a box; called again for the labels, by several threads.
    /// - Throws: `LabelingFault` where what is read has another shape, or 32 bits cannot number the pieces.
    public init(
        shape: ZYX<Int>, block: ZYX<Int>, connectivity: Connectivity, minimumVoxels: Int = 1, threads: Int = 1,
        progress: (Double) throws -> Void = { _ in }, read: @escaping @Sendable (Box) throws -> BlockContents
    ) throws {
        self.shape = shape
        self.read = read
        labeling = BlockLabeling(whole: shape, connectivity: connectivity, minimumVoxels: minimumVoxels)
        blocks = Box(shape).cells(of: block)
        var joining = BlockJoining(whole: shape, block: block, connectivity: connectivity)
        var first: [Int] = []
        let (blocks, labeling) = (blocks, labeling)
        try parallelForEach(blocks.count, threads: threads) {
            try labeling.pieces(of: read(blocks[$0]), in: blocks[$0])
        } use: { index, pieces in
            first.append(joining.forest.count)
            try joining.add(pieces)
            try progress(Double(index + 1) / Double(blocks.count))
        }
        self.first = first
        (labels, sizes, values) = joining.number(minimumVoxels: minimumVoxels)
        loners = joining.loners.mapValues { [labels] in labels[$0] }
    }

    /// The labels of a block, given by its place in `blocks`.
    public func labels(ofBlock index: Int) throws -> Volume<UInt32> {
        let box = blocks[index]
        let pieces = try labeling.pieces(of: read(box), in: box)
        let start = first[index]
        let numbers = [0] + pieces.places.map { $0 == 0 ? 0 : labels[start + Int($0) - 1] }
        var result = pieces.labels.map { numbers[Int($0)] }
        guard !loners.isEmpty else { return result }
        for axis in 0..<3 {
            for plane in Set([0, box.shape.array[axis] - 1]) {
                forEachVoxel(of: box.shape, plane: plane, axis: axis) { place, z, y, x in
                    if result.voxels[place] == 0,
                        let label = loners[shape.index(box.origin + ZYX(z, y, x))]
                    {
                        result.voxels[place] = label
                    }
                }
            }
        }
        return result
    }
}

extension ZYX<Int> {
    /// The place of a voxel in a volume of this shape.
    func index(_ voxel: ZYX<Int>) -> Int { (voxel.z * y + voxel.y) * x + voxel.x }
}
