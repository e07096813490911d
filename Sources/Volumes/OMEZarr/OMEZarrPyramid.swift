/// The levels of a multi-scale image: each half as long as the one before along some axes.
///
/// The axes with the finest voxels are halved first: an axis is halved where its voxels are less than √2 times as
/// long as the shortest, so that voxels come as near to cubes as halving can bring them. Of an odd length the last
/// voxel stands for one alone: a level has half as many voxels, rounded up. There are levels until one has at most
/// 256 voxels along each axis, or no more than a chunk.
struct OMEZarrPyramid: Sendable, Equatable {
    let levels: [Level]

    struct Level: Sendable, Equatable {
        let shape: ZYX<Int>
        /// How many voxels of the first level one of this level is long: a power of two.
        let factor: ZYX<Int>
    }

    private static let smallest = 256

    /// - Parameter voxelSize: Of the first level; voxels count as cubes where it is not known.
    init(shape: ZYX<Int>, voxelSize: VoxelSize?) {
        var levels = [Level(shape: shape, factor: ZYX(repeating: 1))]
        var size = voxelSize?.nanometers ?? ZYX(repeating: 1)
        while let last = levels.last, last.shape.array.contains(where: { $0 > Self.smallest }),
            last.shape.count > OMEZarrChunks.voxels
        {
            let step = Self.step(last.shape, size)
            size = size.zip(step) { $0 * Double($1) }
            levels.append(
                Level(shape: step.cells(covering: last.shape), factor: last.factor.zip(step) { $0 * $1 }))
        }
        self.levels = levels
    }

    /// What each axis is divided by next, 1 or 2; an axis of a single voxel stays.
    private static func step(_ shape: ZYX<Int>, _ size: ZYX<Double>) -> ZYX<Int> {
        let divisible = zip(shape.array, size.array).filter { $0.0 > 1 }
        let finest = divisible.map(\.1).min() ?? 1
        return shape.zip(size) { $0 > 1 && $1 < finest * 2.0.squareRoot() ? 2 : 1 }
    }

    /// What each axis of level `index` was divided by to give the next.
    func step(after index: Int) -> ZYX<Int> { levels[index + 1].factor.zip(levels[index].factor, /) }
}

/// How the arrays of a container are cut.
struct OMEZarrChunks: Sendable, Equatable {
    /// The unit of reading.
    let chunk: ZYX<Int>
    /// Chunks that share a file; nil where each has its own.
    let shard: ZYX<Int>?

    /// Voxels a chunk, at most.
    static let voxels = 1 << 18
    private static let chunksPerShard = 8
    /// More chunks than this are put into shards.
    private static let mostFiles = 64
    /// Cubes where a row of chunks is small enough to wait in memory; flatter where planes are large.
    private static let chunks = [ZYX(64, 64, 64), ZYX(16, 128, 128), ZYX(4, 256, 256), ZYX(2, 256, 256)]
    private static let largestRow = 64 << 20

    /// - Parameters:
    ///   - plane: Bytes a plane of the first level of the container's largest volume.
    init(shape: ZYX<Int>, plane: Int, isSharded: Bool) {
        let fitting = Self.chunks.first { min($0.z, shape.z) <= Self.largestRow / plane }
        let chunk = (fitting ?? Self.chunks[Self.chunks.count - 1]).zip(shape, min)
        self.chunk = chunk
        let counts = chunk.cells(covering: shape)
        guard isSharded, counts.count > Self.mostFiles else {
            shard = nil
            return
        }
        shard = chunk.zip(counts) { $0 * min($1, Self.chunksPerShard) }
    }
}
