import Networks
import Volumes

extension NetworkSettings {
    /// Group and instance normalization see the tile, so its size is part of the result and must not follow
    /// from the memory of the day; nil for batch normalization, whose result no tiling changes.
    var fixedTileVoxels: Int? { normalization == .batch ? nil : 6_000_000 }

    /// The network for voxels of this size.
    ///
    /// Where the file gives no strides, an axis is halved from a level to the next only while its voxels are no
    /// longer than 1.5 times the shortest side (as nnU-Net does, to within its rounding): voxels of
    /// z 40 × y 8 × x 8 nm become 40 × 16 × 16, 40 × 32 × 32 and then 80 × 64 × 64. Where it gives no kernels, a
    /// convolution reaches along an axis from the level on at which its voxels are at most twice as long as the
    /// shortest side.
    func configuration(voxelSize: VoxelSize) throws -> UNetConfiguration {
        var sides = voxelSize.nanometers.array
        var kernels: [[Int]] = []
        var strides: [[Int]] = []
        for level in 0..<levels {
            let shortest = sides.min() ?? 1
            kernels.append(self.kernels?[level] ?? sides.map { $0 > 2 * shortest ? 1 : 3 })
            guard level < levels - 1 else { break }
            let stride = self.strides?[level] ?? sides.map { $0 > 1.5 * shortest ? 1 : 2 }
            strides.append(stride)
            sides = zip(sides, stride).map { $0 * Double($1) }
        }
        return try UNetConfiguration(
            inputChannels: 1, outputChannels: 1, dimensions: 3, levels: levels, features: features,
            convolutionsPerLevel: convolutions, kernels: kernels, strides: strides, normalization: normalization,
            upsampling: upsampling)
    }
}
