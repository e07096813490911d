import Networks

/// The networks with which He et al. (2015, section 4.2) show degradation, `plain-20` to `residual-56`, of any depth and
/// width, with a single answer.
public struct ThinClassifier: Codable, Hashable, Sendable {
    /// As they count them: 6n + 2.
    public var layers: Int
    public var isResidual: Bool
    /// Channels of the first stage; theirs have 16.
    public var features: Int

    public init(layers: Int, isResidual: Bool, features: Int = 8) {
        self.layers = layers
        self.isResidual = isResidual
        self.features = features
    }

    /// `plain-20`, `residual-56`.
    public var name: String { "\(isResidual ? "residual" : "plain")-\(layers)" }

    /// For images of two axes.
    ///
    /// - Throws: ``DiagnosisError`` for a depth other than 6n + 2.
    public func graph(channels: Int, normalization: Normalization = .batch) throws -> Graph {
        guard layers >= 8, layers % 6 == 2 else {
            throw DiagnosisError("a network of three equal stages has 8, 14, 20, … layers, found \(layers)")
        }
        var network = try Architecture.named(isResidual ? "residual-20" : "plain-20").configuration(dimensions: 2)
        network.blocks = Array(repeating: (layers - 2) / 6, count: 3)
        network.features = features
        network.inputChannels = channels
        network.outputChannels = 1
        network.normalization = normalization
        return try network.graph()
    }
}
