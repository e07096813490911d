import Volumes

/// A made-up electron micrograph of dense neurites with its exact truth: neurites of varying calibre wander and
/// branch through the volume, separated by dark membranes that are stained unevenly; mitochondria, vesicles and
/// reticulum are as dark as membranes, and cytoplasm differs from neurite to neurite, so that no threshold
/// separates them.
///
/// The result depends on these values alone, byte for byte: on no machine, thread count or earlier result.
public struct NeuriteSynthesis: Sendable {
    /// What label 0 stands for.
    public enum Background: String, Sendable, CaseIterable {
        /// Nothing: every voxel belongs to a neurite.
        case none
        /// The voxels of membranes.
        case membrane
        /// Small spaces between neurites.
        case extracellular
    }

    public var shape: ZYX<Int>
    /// Its unit and ratios matter; lengths below are in finest voxel edges.
    public var voxelSize: VoxelSize
    public var seed: UInt64
    public var background: Background
    /// The mean distance between neurites' centre lines, in edges of the finest voxel.
    public var spacing: Double

    /// - Precondition: shape, voxel size and spacing are positive.
    public init(
        shape: ZYX<Int>, voxelSize: VoxelSize, seed: UInt64, background: Background = .none, spacing: Double = 21
    ) {
        precondition(shape.array.allSatisfy { $0 > 0 } && voxelSize.nanometers.array.allSatisfy { $0 > 0 })
        precondition(spacing >= 6)
        self.shape = shape
        self.voxelSize = voxelSize
        self.seed = seed
        self.background = background
        self.spacing = spacing
    }

    /// - Returns: the image, and labels 1…n, each of one 6-connected component, with 0 as `background` says.
    public func generate() -> (image: Volume<UInt8>, labels: Volume<UInt32>) {
        let grid = Grid(shape: shape, voxelSize: voxelSize)
        let lines = CentreLines(grid: grid, spacing: spacing, seed: seed)
        let coarse = SmoothNoise(seed: seed, stream: 4, grid: grid, scale: spacing / 2.3).values(on: grid)
        let fine = SmoothNoise(seed: seed, stream: 5, grid: grid, scale: spacing / 5.7).values(on: grid)
        let slowness = zip(coarse, fine).map { 1 + 0.45 * $0 + 0.25 * $1 }
        let growth = Growth(cores: lines.cores, slowness: slowness, grid: grid)
        var labels = withSmoothBoundaries(growth.labels, cores: lines.cores, grid: grid, rounds: 3)
        if background == .extracellular {
            // The last places the fronts reach are corners where several neurites meet.
            for index in labels.indices where growth.arrival[index] > Float(spacing) * 0.45 { labels[index] = 0 }
        }
        labels = withoutFragments(labels, shape: shape, fill: background != .extracellular)
        let membranes = Membranes(labels, grid: grid)
        let organelles = Organelles(in: lines, labels: labels, membranes: membranes, grid: grid, seed: seed)
        let micrograph = Micrograph(labels, membranes: membranes, organelles: organelles, grid: grid, seed: seed)
        if background == .membrane {
            for index in labels.indices where membranes.density[index] >= 1 { labels[index] = 0 }
            labels = withoutFragments(labels, shape: shape, fill: false)
        }
        return (micrograph.image, Volume(shape: shape, voxels: labels))
    }
}
