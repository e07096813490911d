/// A result in a network that is being described: what architectures are written with.
///
///     func block(_ x: Signal, _ name: String) -> Signal {
///         let branch = x.convolution(x.channels, kernel: 3, "\(name).conv").normalized("\(name).norm").activated()
///         return x.joined(byResidual: branch, name)
///     }
///
/// Methods whose parameters end in a name give a layer with parameters; the name is that of its tensors in files.
public struct Signal {
    let builder: GraphBuilder
    let node: Int
    public let channels: Int

    public var dimensions: Int { builder.dimensions }

    private func then(
        _ operation: Graph.Operation, channels: Int? = nil, with others: [Signal] = [], _ name: String = ""
    )
        -> Signal
    {
        let inputs = [self] + others
        return builder.append(operation, inputs.map(\.node), channels: channels ?? self.channels, name)
    }

    // MARK: Layers with parameters

    /// - Parameters:
    ///   - padding: nil for half the kernel, which keeps extents at stride 1.
    ///   - bias: nil for none where the network normalizes, which would take it away.
    public func convolution(
        _ channels: Int, kernel: Extents = 3, stride: Extents = 1, padding: Extents? = nil, bias: Bool? = nil,
        _ name: String
    ) -> Signal {
        let kernel = kernel.list(dimensions)
        return then(
            .convolution(
                Graph.Operation.Convolution(
                    kernel: kernel, stride: stride.list(dimensions),
                    padding: padding?.list(dimensions) ?? builder.padding(kernel),
                    paddingMode: builder.style.border,
                    hasBias: bias ?? (builder.style.normalization == .none),
                    initialization: builder.style.initialization)),
            channels: channels, name)
    }

    /// A learnt enlargement by `stride`, each input voxel becoming a window of its own.
    public func transposedConvolution(_ channels: Int, stride: Extents, bias: Bool = true, _ name: String) -> Signal
    {
        then(
            .transposedConvolution(
                Graph.Operation.TransposedConvolution(
                    stride: stride.list(dimensions), hasBias: bias, initialization: builder.style.initialization)),
            channels: channels, name)
    }

    /// The network's normalization; nothing where it has none.
    ///
    /// - Parameter endsBranch: whether a residual sum follows; see ``LayerStyle/zeroLastNorm``.
    public func normalized(_ name: String, endsBranch: Bool = false) -> Signal {
        let style = builder.style
        if style.normalization == .none { return self }
        return then(.normalization(style.normalization, startsAtZero: endsBranch && style.zeroLastNorm), name)
    }

    /// A matrix over channels, after ``averaged()``; its weights start by He's fan-in whatever the network's others.
    public func linear(_ channels: Int, _ name: String) -> Signal { then(.linear, channels: channels, name) }

    // MARK: Layers without

    /// The network's activation.
    public func activated() -> Signal { then(.activation(builder.style.activation)) }

    public func maxPooled(_ size: Extents, stride: Extents? = nil, padding: Extents = 0) -> Signal {
        then(.maxPooling(window(size, stride, padding)))
    }

    public func averagePooled(_ size: Extents, stride: Extents? = nil) -> Signal {
        then(.averagePooling(window(size, stride, 0)))
    }

    private func window(_ size: Extents, _ stride: Extents?, _ padding: Extents) -> Graph.Operation.Window {
        Graph.Operation.Window(
            size: size.list(dimensions), stride: (stride ?? size).list(dimensions),
            padding: padding.list(dimensions))
    }

    /// The mean over all voxels.
    public func averaged() -> Signal { then(.globalAveragePooling) }

    /// Nearest neighbour.
    public func upsampled(_ factors: Extents) -> Signal { then(.upsampling(factors.list(dimensions))) }

    /// An identity of other extents and channels: every n-th voxel, new channels 0.
    public func subsampled(_ stride: Extents, channels: Int) -> Signal {
        then(.subsampling(stride.list(dimensions)), channels: channels)
    }

    public static func + (a: Signal, b: Signal) -> Signal { a.then(.add, with: [b]) }

    /// The sum that ends a residual block whose shortcut this is, times the network's residual scale.
    public func joined(byResidual branch: Signal, _ name: String) -> Signal {
        then(.residual(scale: builder.style.residualScale), with: [branch], name)
    }

    public static func concatenated(_ signals: [Signal]) -> Signal {
        signals[0].then(
            .concatenate, channels: signals.reduce(0) { $0 + $1.channels }, with: Array(signals.dropFirst()))
    }

    /// The middle of this signal, in the extents of `other`; itself in a network whose convolutions keep extents.
    public func cropped(to other: Signal) -> Signal {
        builder.style.padding == .valid ? then(.crop, with: [other]) : self
    }
}

/// A number for every spatial axis, or one for all.
public struct Extents: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, Sendable {
    private let numbers: [Int]

    public init(integerLiteral value: Int) { numbers = [value] }
    public init(arrayLiteral elements: Int...) { numbers = elements }
    public init(_ list: [Int]) { numbers = list }

    func list(_ dimensions: Int) -> [Int] {
        numbers.count == 1 ? Array(repeating: numbers[0], count: dimensions) : numbers
    }
}

/// What all layers of a network have in common.
public struct LayerStyle: Sendable {
    public var normalization = Normalization.batch
    public var activation = Activation.relu
    public var initialization = Initialization.he
    /// γ of a residual branch's last normalization is 0 at initialization, so that the block starts as the identity.
    public var zeroLastNorm = false
    /// What a residual sum is multiplied by: 1, or 1/√2 to keep variances.
    public var residualScale = 1.0
    public var padding = ConvolutionPadding.same
    public var border = PaddingMode.zeros

    public init() {}
}

/// Whether convolutions keep the extents of what they read.
public enum ConvolutionPadding: String, Codable, Sendable, CaseIterable {
    /// A border of zeros is added: extents stay.
    case same
    /// Only where the kernel lies within: the output is smaller (Ronneberger et al. 2015).
    case valid
}

/// Collects the nodes that signals stand for.
final class GraphBuilder {
    let dimensions: Int
    let style: LayerStyle
    private(set) var nodes: [Graph.Node] = []

    init(dimensions: Int, style: LayerStyle) {
        self.dimensions = dimensions
        self.style = style
    }

    func append(_ operation: Graph.Operation, _ inputs: [Int], channels: Int, _ name: String) -> Signal {
        nodes.append(Graph.Node(name: name, operation: operation, inputs: inputs, channels: channels))
        return Signal(builder: self, node: nodes.count - 1, channels: channels)
    }

    func padding(_ kernel: [Int]) -> [Int] {
        style.padding == .valid ? kernel.map { _ in 0 } : kernel.map { $0 / 2 }
    }
}

extension Graph {
    /// The graph that `describe` makes of an input: its outputs, the one that counts first.
    ///
    /// - Throws: ``NetworkConfigurationError`` where two layers have one name; what `describe` throws.
    public init(
        dimensions: Int, inputChannels: Int, style: LayerStyle = LayerStyle(),
        _ describe: (Signal) throws -> [Signal]
    ) throws {
        let builder = GraphBuilder(dimensions: dimensions, style: style)
        let outputs = try describe(builder.append(.input, [], channels: inputChannels, "input"))
        try self.init(dimensions: dimensions, nodes: builder.nodes, outputs: outputs.map(\.node))
    }
}
