import Volumes

/// The holes of the objects of a volume that is never in memory as a whole: voxels of label 0 from which no way along faces
/// leads to the border of the volume, and which touch, by faces, one object alone.
///
/// In memory are the blocks that are at work, and what `BlockComponents` keeps for the regions of label 0.
public struct HoleFilling: Sendable {
    private let background: BlockComponents
    private let read: @Sendable (Box) throws -> Volume<UInt32>
    /// The object around each region of label 0; 0 where that is none or several.
    private let owners: [UInt32]

    /// How many holes there are.
    public let count: Int

    /// - Parameters:
    ///   - block: the shape of a block.
    ///   - withinSections: whether each section has objects, and so holes, of its own.
    ///   - threads: blocks that are at work at a time.
    ///   - progress: is told the share that is done; what it throws ends the search.
    ///   - read: the labels in a box; called again for the result, by several threads.
    /// - Throws: `LabelingFault` where what is read has another shape, or 32 bits cannot number the regions.
    public init(
        shape: ZYX<Int>, block: ZYX<Int>, withinSections: Bool = false, threads: Int = 1,
        progress: (Double) throws -> Void = { _ in }, read: @escaping @Sendable (Box) throws -> Volume<UInt32>
    ) throws {
        let background = try BlockComponents(
            shape: shape, block: block, connectivity: withinSections ? .sides : .faces, threads: threads,
            progress: { try progress($0 / 2) }, read: { .mask(try read($0).map { $0 == 0 ? 1 : 0 }) })
        var surroundings = [Surroundings](repeating: .nothing, count: background.count)
        let blocks = background.blocks
        try parallelForEach(blocks.count, threads: threads) { index -> [UInt32: Surroundings] in
            let box = blocks[index]
            let region = box.withNeighbours(in: shape)
            return try surroundingsOfRegions(
                background.labels(ofBlock: index), in: box, labels: read(region), in: region, shape,
                withinSections: withinSections)
        } use: { index, found in
            for (region, around) in found { surroundings[Int(region) - 1].add(around) }
            try progress(0.5 + 0.5 * Double(index + 1) / Double(blocks.count))
        }
        self.background = background
        self.read = read
        owners = surroundings.map(\.owner)
        count = owners.count { $0 != 0 }
    }

    /// The labels of a block, its holes filled.
    public func labels(ofBlock index: Int) throws -> Volume<UInt32> {
        var labels = try read(background.blocks[index])
        let regions = try background.labels(ofBlock: index)
        for (place, region) in regions.voxels.enumerated() where region != 0 {
            labels.voxels[place] = owners[Int(region) - 1]
        }
        return labels
    }
}

/// What a region of label 0 touches.
private enum Surroundings {
    case nothing
    case object(UInt32)
    /// Several objects, or the border of the volume.
    case open

    var owner: UInt32 { if case .object(let label) = self { label } else { 0 } }

    mutating func add(_ other: Surroundings) {
        switch (self, other) {
        case (_, .nothing), (.open, _): break
        case (.nothing, _): self = other
        case (.object(let own), .object(let label)) where own == label: break
        default: self = .open
        }
    }
}

/// What the regions of label 0 touch within a block.
///
/// - Parameters:
///   - regions: of `box`, numbered from 1; 0 where there is an object.
///   - labels: of `region`, which reaches one voxel beyond the box where the volume goes on.
private func surroundingsOfRegions(
    _ regions: Volume<UInt32>, in box: Box, labels: Volume<UInt32>, in region: Box, _ shape: ZYX<Int>,
    withinSections: Bool
) throws -> [UInt32: Surroundings] {
    guard labels.shape == region.shape else {
        throw LabelingFault.shapesDiffer("a block", region.shape, "what was read of it", labels.shape)
    }
    var found: [UInt32: Surroundings] = [:]
    // Neighbours along x are often of one region, and what it touches is known.
    var (last, around) = (UInt32(0), Surroundings.nothing)
    let steps = [1, region.shape.x, region.shape.x * region.shape.y]
    regions.voxels.withUnsafeBufferPointer { regions in
        labels.voxels.withUnsafeBufferPointer { labels in
            for z in box.origin.z..<box.end.z {
                for y in box.origin.y..<box.end.y {
                    let (row, other) = (box.place(z, y, 0), region.place(z, y, 0))
                    for x in box.origin.x..<box.end.x {
                        let own = regions[row + x]
                        guard own != 0 else { continue }
                        if own != last {
                            if last != 0 { found[last] = around }
                            (last, around) = (own, found[own] ?? .nothing)
                        }
                        if case .open = around { continue }
                        for (axis, (place, end)) in [(x, shape.x), (y, shape.y), (z, shape.z)].enumerated()
                        where axis < 2 || !withinSections {
                            if place == 0 || place == end - 1 {
                                around = .open
                                break
                            }
                            for neighbour in [labels[other + x - steps[axis]], labels[other + x + steps[axis]]]
                            where neighbour != 0 {
                                around.add(.object(neighbour))
                            }
                        }
                    }
                }
            }
        }
    }
    if last != 0 { found[last] = around }
    return found
}
