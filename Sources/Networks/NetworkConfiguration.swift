/// Everything that says which network is meant: an architecture and its settings.
///
/// Each architecture reads some of the settings (``Architecture/settings``) and has defaults of its own
/// (``Architecture/configuration(dimensions:)``). Lists over space have 2 or 3 numbers, y, x or z, y, x: 2D and 3D
/// networks come from the same code.
public struct NetworkConfiguration: Codable, Equatable, Sendable {
    /// A name from ``Architecture/all``.
    public var architecture: String
    /// Spatial axes: 2 or 3.
    public var dimensions: Int
    public var inputChannels = 1
    public var outputChannels = 1

    // MARK: Size

    /// Resolutions, the finest and the coarsest included.
    public var levels = 4
    /// Channels at full resolution; they double with every level.
    public var features = 16
    /// What doubling stops at; nil for never.
    public var maximumFeatures: Int?
    /// Blocks of each level on the way down. A plain block is one convolution, a residual block two, a bottleneck
    /// three, a dense block one layer of ``growth`` channels.
    public var blocks: [Int] = [2]
    /// Blocks of each level on the way up; nil for as many as on the way down.
    public var decoderBlocks: [Int]?
    /// Kernel of each level's convolutions, odd extents; nil for 3 everywhere.
    public var kernels: [[Int]]?
    /// Downsampling from each level to the next: one fewer than levels, `[1, 2, 2]` where voxels are long in z; nil
    /// for 2 everywhere.
    public var strides: [[Int]]?
    /// Hourglasses one after the other.
    public var stacks = 2
    /// Channels that each layer of a dense block adds.
    public var growth = 8
    /// The classifier whose body is the way down of a U-Net, such as `resnet-50`.
    public var encoder = "resnet-18"

    // MARK: Blocks and layers

    public var block = BlockKind.plain
    /// Of residual and bottleneck blocks.
    public var order = ResidualOrder.preactivation
    /// Of residual and bottleneck blocks that change the shape.
    public var shortcut = Shortcut.projection
    /// What a residual sum is multiplied by: 1, or 1/√2 so that the variance does not double with each block.
    public var residualScale = 1.0
    /// γ of a residual branch's last normalization is 0 at initialization (Goyal et al. 2017).
    public var zeroLastNorm = false
    public var normalization = Normalization.batch
    public var activation = Activation.relu
    public var initialization = Initialization.he
    public var padding = ConvolutionPadding.same
    public var border = PaddingMode.zeros
    /// Whether convolutions have a bias; nil for where no normalization follows.
    public var biases: Bool?
    public var downsampling = Downsampling.maxPooling
    public var upsampling = Upsampling.transposedConvolution
    /// Outputs at every level of the decoder, for training.
    public var deepSupervision = false

    /// An architecture's defaults, with changes.
    ///
    /// - Throws: ``NetworkConfigurationError`` for a name that no architecture has.
    public init(
        _ architecture: String, dimensions: Int = 3, _ change: (inout NetworkConfiguration) -> Void = { _ in }
    ) throws {
        self = try Architecture.named(architecture).configuration(dimensions: dimensions)
        change(&self)
    }

    init(architecture: String, dimensions: Int) {
        self.architecture = architecture
        self.dimensions = dimensions
    }

    /// The settings of all layers.
    public var style: LayerStyle {
        var style = LayerStyle()
        style.normalization = normalization
        style.activation = activation
        style.initialization = initialization
        style.zeroLastNorm = zeroLastNorm
        style.residualScale = residualScale
        style.padding = padding
        style.border = border
        return style
    }
}

/// What stands between two changes of resolution.
public enum BlockKind: String, Codable, Sendable, CaseIterable {
    /// Convolution, normalization, activation.
    case plain
    /// Two 3-convolutions and a shortcut (one in the orders of a single layer).
    case residual
    /// Convolutions of 1, 3 and 1 and a shortcut; the middle one a quarter as wide.
    case bottleneck
    /// Layers that each add ``NetworkConfiguration/growth`` channels to all before them; a 1-convolution compresses
    /// the result.
    case dense
}

/// The order of operations in a residual block.
public enum ResidualOrder: String, Codable, Sendable, CaseIterable {
    /// x + ReLU(norm(conv(x))): only non-negative amounts are added.
    case linearActivation = "linear-relu"
    /// x + conv(ReLU(norm(x))), after a convolution at the network's start, lest a negative input be lost.
    case activationLinear = "relu-linear"
    /// norm–ReLU–conv twice (a bottleneck: three times), then the sum (He et al. 2016, "pre-activation").
    case preactivation = "norm-relu-conv"
    /// conv–norm–ReLU–conv–norm, the sum, ReLU (He et al. 2015).
    case original = "conv-norm-relu"
}

/// The way past a residual block that changes extents or channels.
public enum Shortcut: String, Codable, Sendable, CaseIterable {
    /// A 1-convolution.
    case projection
    /// Every n-th voxel, zeros for new channels: no parameters.
    case identity
    /// The mean of each window where extents change, a 1-convolution where channels do (He et al. 2019, nnU-Net).
    /// Windows leave out a rest, so extents must be multiples of the stride.
    case averagePooling = "average-pooling"
}

/// How an encoder reaches the next coarser level.
public enum Downsampling: String, Codable, Sendable, CaseIterable {
    case maxPooling = "max-pooling"
    /// The first convolution of the level has the stride.
    case convolution = "convolution"
}

/// A network that cannot be: the field at fault, in one line.
public struct NetworkConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The key in a pipeline file.
    public let field: String
    public let found: String
    public let expected: String
    /// All that could stand there, where those are names.
    public let choices: [String]

    public init(field: String, found: String, expected: String) {
        self.field = field
        self.found = found
        self.expected = expected
        choices = []
    }

    init(field: String, found: String, oneOf choices: [String]) {
        self.field = field
        self.found = found
        self.choices = choices
        expected = "one of \(choices.joined(separator: ", "))"
    }

    public var description: String { "network.\(field) must be \(expected), found \(found)" }
}

// What the settings say of a level, 0 being the finest.
extension NetworkConfiguration {
    /// Channels of a level.
    public func features(at level: Int) -> Int {
        let doubled = features << level
        return maximumFeatures.map { min($0, doubled) } ?? doubled
    }

    func kernel(at level: Int) -> [Int] { kernels?[level] ?? Array(repeating: 3, count: dimensions) }

    /// From a level to the next.
    func stride(at level: Int) -> [Int] { strides?[level] ?? Array(repeating: 2, count: dimensions) }

    func blocks(at level: Int) -> Int { blocks[min(level, blocks.count - 1)] }

    func decoderBlocks(at level: Int) -> Int {
        decoderBlocks.map { $0[min(level, $0.count - 1)] } ?? blocks(at: level)
    }

    /// Checks what a decoded or written configuration may violate.
    ///
    /// - Throws: ``NetworkConfigurationError`` with the field, what was found and what was expected.
    public func validate() throws {
        func require(_ holds: Bool, _ field: String, _ found: Any, _ expected: String) throws {
            if !holds { throw NetworkConfigurationError(field: field, found: "\(found)", expected: expected) }
        }
        try require((1...65_536).contains(inputChannels), "input_channels", inputChannels, "1 to 65536")
        try require((1...65_536).contains(outputChannels), "output_channels", outputChannels, "1 to 65536")
        try require([2, 3].contains(dimensions), "dimensions", dimensions, "2 or 3")
        try require((1...16).contains(levels), "levels", levels, "1 to 16")
        try require((1...4096).contains(features), "features", features, "1 to 4096")
        if let maximumFeatures {
            try require(
                maximumFeatures >= features, "maximum_features", maximumFeatures, "at least features, \(features)")
        }
        for (field, list) in [("blocks", blocks), ("decoder_blocks", decoderBlocks ?? [1])] {
            try require(
                !list.isEmpty && list.allSatisfy { (1...64).contains($0) }, field, list, "1 to 64 a level")
        }
        try require((1...16).contains(stacks), "stacks", stacks, "1 to 16")
        try require((1...1024).contains(growth), "growth", growth, "1 to 1024")
        try require(
            residualScale > 0 && residualScale <= 1, "residual_scale", residualScale, "above 0 and at most 1")
        try normalization.validate()
        if let kernels {
            try require(kernels.count == levels, "kernels", kernels, "one kernel for each of \(levels) levels")
            for kernel in kernels {
                try require(
                    kernel.count == dimensions && kernel.allSatisfy { $0 % 2 == 1 && (1...63).contains($0) },
                    "kernels", kernel, "\(dimensions) odd numbers from 1 to 63")
            }
        }
        if let strides {
            try require(
                strides.count == levels - 1, "strides", strides, "one stride between each two of \(levels) levels")
            for stride in strides {
                try require(
                    stride.count == dimensions && stride.allSatisfy { (1...16).contains($0) }, "strides", stride,
                    "\(dimensions) numbers from 1 to 16")
            }
        }
    }

    /// The network it describes, without weights.
    ///
    /// - Throws: ``NetworkConfigurationError``.
    public func graph() throws -> Graph {
        try validate()
        let architecture = try Architecture.named(architecture)
        let graph = try Graph(dimensions: dimensions, inputChannels: inputChannels, style: style) {
            try architecture.describe(self, $0)
        }
        try checkGroups(of: graph)
        return graph
    }

    private func checkGroups(of graph: Graph) throws {
        guard case .group(let groups) = normalization,
            let misfit = graph.nodes.first(where: {
                if case .normalization = $0.operation { $0.channels % groups != 0 } else { false }
            })
        else { return }
        throw NetworkConfigurationError(
            field: "normalization", found: "{group: \(groups)}",
            expected: "groups that divide the channels of each layer (\(misfit.name) has \(misfit.channels))")
    }
}
