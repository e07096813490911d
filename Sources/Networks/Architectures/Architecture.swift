/// A kind of network, by name: what it is, what may be set, and how it is made.
public struct Architecture: Sendable {
    public enum Purpose: String, Codable, Sendable {
        /// Logits for every voxel.
        case segmentation
        /// Logits for the whole input.
        case classification
    }

    public let name: String
    /// In one line.
    public let summary: String
    /// Who published it.
    public let source: String
    public let purpose: Purpose
    /// What may be set of it in a pipeline file.
    public let settings: Set<NetworkSetting>
    /// Extents to state its cost for, along every axis: of its publication, or usual for a training patch.
    let usualExtent: @Sendable (_ dimensions: Int) -> [Int]
    /// Changes the general defaults to its own.
    let adjust: @Sendable (inout NetworkConfiguration) -> Void
    /// The network: outputs, the one that counts first.
    let describe: @Sendable (NetworkConfiguration, Signal) throws -> [Signal]

    /// Its defaults, in 2 or 3 dimensions.
    public func configuration(dimensions: Int = 3) -> NetworkConfiguration {
        var configuration = NetworkConfiguration(architecture: name, dimensions: dimensions)
        adjust(&configuration)
        return configuration
    }

    /// See ``usualExtent``.
    public func usualInput(dimensions: Int) -> [Int] { usualExtent(dimensions) }

    /// - Throws: ``NetworkConfigurationError`` for a name that none has.
    public static func named(_ name: String) throws -> Architecture {
        guard let found = all.first(where: { $0.name == name }) else {
            throw NetworkConfigurationError(
                field: "architecture", found: name, oneOf: all.map(\.name))
        }
        return found
    }
}

/// A setting of networks, by its key in a pipeline file.
public enum NetworkSetting: String, CaseIterable, Sendable {
    case levels, features, blocks, kernels, strides, stacks, growth, encoder, block, order, shortcut, normalization
    case activation, initialization, padding, downsampling, upsampling, biases
    case maximumFeatures = "maximum_features"
    case decoderBlocks = "decoder_blocks"
    case residualScale = "residual_scale"
    case zeroLastNorm = "zero_last_norm"
    case deepSupervision = "deep_supervision"

    /// What every architecture has.
    static let ofLayers: Set<NetworkSetting> = [.features, .normalization, .activation, .initialization]
    /// Those of residual blocks.
    static let ofResiduals: Set<NetworkSetting> = [.order, .shortcut, .residualScale, .zeroLastNorm]
    /// The kind of block, and those that one kind or another has.
    static let ofAnyBlock: Set<NetworkSetting> = ofResiduals.union([.block, .growth])
}
