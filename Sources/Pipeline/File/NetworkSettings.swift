import Networks
import Training
import Volumes

/// The `network:` of a pipeline file: an architecture, its defaults and what the file sets of them.
public struct NetworkSettings: Codable, Equatable, Sendable {
    /// Kernels and strides are nil where they follow from the voxel size.
    public var configuration: NetworkConfiguration

    /// - Throws: `NetworkConfigurationError` for a name that no architecture has.
    public init(architecture: String = "unet", dimensions: Int = 3) throws {
        configuration = try Architecture.named(architecture).configuration(dimensions: dimensions)
    }

    /// All settings, whatever they were read from.
    init(_ configuration: NetworkConfiguration) {
        self.configuration = configuration
    }

    /// The kind of block that a setting is of, where this network has blocks of another kind; nil for a setting that
    /// counts.
    func idleKind(_ setting: NetworkSetting) -> String? {
        guard let settings = try? Architecture.named(configuration.architecture).settings,
            settings.contains(.block),
            // Classifiers on the way down have residual blocks whatever is on the way up.
            !settings.contains(.encoder) || setting == .growth
        else { return nil }
        switch setting {
        case .order, .shortcut, .residualScale, .zeroLastNorm:
            return configuration.block == .residual || configuration.block == .bottleneck ? nil : "residual"
        case .growth: return configuration.block == .dense ? nil : "dense"
        default: return nil
        }
    }

    /// The network for voxels of this size.
    ///
    /// Where the file gives no strides, an axis is halved from a level to the next only while its voxels are no
    /// longer than 1.5 times the shortest side (as nnU-Net does, to within its rounding): voxels of
    /// z 40 × y 8 × x 8 nm become 40 × 16 × 16, 40 × 32 × 32 and then 80 × 64 × 64. Where it gives no kernels, a
    /// convolution reaches along an axis from the level on at which its voxels are at most twice as long as the
    /// shortest side. An architecture that has no such settings stays as it is.
    func configuration(voxelSize: VoxelSize, target: Target = Target()) throws -> NetworkConfiguration {
        var network = configuration
        network.outputChannels =
            target.channels(voxelSize: voxelSize, dimensions: network.dimensions).reduce(0) { $0 + $1.count }
        let settings = try Architecture.named(network.architecture).settings
        var sides = Array(voxelSize.nanometers.array.suffix(network.dimensions))
        var kernels: [[Int]] = []
        var strides: [[Int]] = []
        for level in 0..<network.levels {
            let shortest = sides.min() ?? 1
            kernels.append(network.kernels?[level] ?? sides.map { $0 > 2 * shortest ? 1 : 3 })
            guard level < network.levels - 1 else { break }
            let stride = network.strides?[level] ?? sides.map { $0 > 1.5 * shortest ? 1 : 2 }
            strides.append(stride)
            sides = zip(sides, stride).map { $0 * Double($1) }
        }
        if settings.contains(.kernels) { network.kernels = kernels }
        if settings.contains(.strides) { network.strides = strides }
        return network
    }
}
