// What an output voxel depends on: the question every tiling starts from.
extension UNetConfiguration {
    /// The product of strides along each axis: extents and tile origins are multiples of it.
    public var totalStride: [Int] {
        strides.reduce(Array(repeating: 1, count: dimensions)) { zip($0, $1).map { $0 * $1 } }
    }

    /// Voxels of context, along each axis, that an output voxel may depend on in either direction: exact, over all
    /// alignments with the pooling windows. 51 for four levels of two 3-convolutions: 44 by the convolutions, 7 by
    /// the alignment.
    public var halo: [Int] {
        (0..<dimensions).map { axis in
            (0..<totalStride[axis]).map { position in
                let field = receptiveField(position, axis)
                return max(position - field.lowerBound, field.upperBound - position)
            }.max() ?? 0
        }
    }

    /// The input voxels, along one axis, that output voxel `position` depends on. (Group and instance normalization
    /// look at the whole tile besides.)
    private func receptiveField(_ position: Int, _ axis: Int) -> ClosedRange<Int> {
        func radius(_ level: Int) -> Int { kernels[level][axis] / 2 }
        func widened(_ range: ClosedRange<Int>, by amount: Int) -> ClosedRange<Int> {
            range.lowerBound - amount...range.upperBound + amount
        }
        func convolved(_ range: ClosedRange<Int>, _ level: Int) -> ClosedRange<Int> {
            widened(range, by: convolutionsPerLevel * radius(level))
        }
        // Down the decoder: what the join of each level needs, of the skip and of the level below alike.
        var joins: [ClosedRange<Int>] = []
        var range = position...position
        for (level, stride) in strides.enumerated() {
            range = convolved(range, level)
            joins.append(range)
            if upsampling == .interpolation { range = widened(range, by: radius(level)) }
            range = floorDivide(range.lowerBound, stride[axis])...floorDivide(range.upperBound, stride[axis])
        }
        // Up the encoder: each level's output feeds the skip and the pooling.
        range = convolved(range, levels - 1)
        for (level, stride) in strides.enumerated().reversed() {
            let s = stride[axis]
            let pooled = range.lowerBound * s...range.upperBound * s + s - 1
            let needed =
                min(pooled.lowerBound, joins[level].lowerBound)...max(pooled.upperBound, joins[level].upperBound)
            range = convolved(needed, level)
        }
        return range
    }

    private func floorDivide(_ a: Int, _ b: Int) -> Int { (a - (a % b + b) % b) / b }
}

extension UNet {
    /// See ``UNetConfiguration/totalStride``.
    public var totalStride: [Int] { configuration.totalStride }
    /// See ``UNetConfiguration/halo``.
    public var halo: [Int] { configuration.halo }
}
