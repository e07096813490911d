/// The resampling of a part of a volume, with the weights of its voxels.
struct PartResampling: Sendable {
    let part: Box
    let kind: Resampling.Kind
    /// In the order z, y, x.
    private let weights: [AxisWeights]
    /// The axes along which something changes, in the order that has least to do: first those that become coarser, and of
    /// these x last, whose voxels are summed one by one and not in rows.
    private let order: [Int]

    init(_ resampling: Resampling, _ part: Box, _ kind: Resampling.Kind) {
        self.part = part
        self.kind = kind
        let (targets, sources, steps) = (part.ranges, resampling.source.ranges, resampling.step.array)
        weights = (0..<3).map { AxisWeights(targets[$0], of: sources[$0], step: steps[$0], kind) }
        order = (0..<3).filter { steps[$0] > 1 } + (0..<3).reversed().filter { steps[$0] < 1 }
    }

    /// The source voxels that a box of the part is made of.
    func sources(of box: Box) -> Box {
        Box(ranges: zip(weights, box.ranges).map { $0.sources(of: $1) })
    }

    /// Makes intensities.
    ///
    /// - Parameters:
    ///   - voxels: of the box `sources`, which has those of `cell`.
    ///   - target: of the box `box`, which has `cell`.
    func mix<Element: VoxelElement>(
        _ voxels: UnsafePointer<Element>, in sources: Box, _ target: UnsafeMutablePointer<Element>, of box: Box,
        _ cell: Box
    ) {
        let region = self.sources(of: cell)
        var values = floats(of: region, voxels, in: sources)
        var shape = region.shape.array
        for axis in order {
            let range = cell.ranges[axis]
            values = weights[axis].sums(
                values, outer: shape[..<axis].reduce(1, *), inner: shape[(axis + 1)...].reduce(1, *), range)
            shape[axis] = range.count
        }
        values.withUnsafeBufferPointer { values in
            cell.forEachRow(in: box) { row, place in
                for x in 0..<cell.shape.x {
                    target[place + x] = Element.rounding(values[row * cell.shape.x + x])
                }
            }
        }
    }

    private func floats<Element: VoxelElement>(
        of region: Box, _ voxels: UnsafePointer<Element>, in sources: Box
    ) -> [Float] {
        [Float](unsafeUninitializedCapacity: region.count) { values, count in
            region.forEachRow(in: sources) { row, place in
                for x in 0..<region.shape.x {
                    values[row * region.shape.x + x] = Float(voxels[place + x].double)
                }
            }
            count = region.count
        }
    }

    /// Takes labels; the parameters are those of `mix`.
    func takeNearest<Element: VoxelElement>(
        _ voxels: UnsafePointer<Element>, in sources: Box, _ target: UnsafeMutablePointer<Element>, of box: Box,
        _ cell: Box
    ) {
        let columns = cell.ranges[2].map { weights[2].first(of: $0) - sources.origin.x }
        columns.withUnsafeBufferPointer { columns in
            cell.forEachRow(in: box) { row, place in
                let z = weights[0].first(of: cell.origin.z + row / cell.shape.y) - sources.origin.z
                let y = weights[1].first(of: cell.origin.y + row % cell.shape.y) - sources.origin.y
                let line = voxels + (z * sources.shape.y + y) * sources.shape.x
                for x in 0..<columns.count { target[place + x] = line[columns[x]] }
            }
        }
    }
}

extension Box {
    /// Along z, y and x.
    fileprivate var ranges: [Range<Int>] { zip(origin.array, end.array).map { $0..<$1 } }

    fileprivate init(ranges: [Range<Int>]) {
        self.init(
            from: ZYX(ranges[0].lowerBound, ranges[1].lowerBound, ranges[2].lowerBound),
            to: ZYX(ranges[0].upperBound, ranges[1].upperBound, ranges[2].upperBound))
    }

    /// Each row of voxels along x, with the place of its first voxel in an array of the voxels of `other`.
    @inline(__always)
    fileprivate func forEachRow(in other: Box, _ body: (_ row: Int, _ place: Int) -> Void) {
        let first = origin - other.origin
        for row in 0..<shape.z * shape.y {
            let (z, y) = (first.z + row / shape.y, first.y + row % shape.y)
            body(row, (z * other.shape.y + y) * other.shape.x + first.x)
        }
    }
}
