import Networks

/// What a network has of what lets deep networks train.
public struct TrainingAids: Equatable, Sendable {
    public var isNormalized: Bool
    public var residualBlocks: Int
    /// Whether each residual branch begins with a normalization (He et al. 2016, norm-relu-conv).
    public var isNormalizedFirst: Bool
    /// Whether residual sums are made smaller, so that the variance does not double (De & Smith 2020).
    public var isScaled: Bool

    public init(isNormalized: Bool, residualBlocks: Int, isNormalizedFirst: Bool = false, isScaled: Bool = false) {
        self.isNormalized = isNormalized
        self.residualBlocks = residualBlocks
        self.isNormalizedFirst = isNormalizedFirst
        self.isScaled = isScaled
    }

    /// Of a network with these settings.
    ///
    /// - Throws: `NetworkConfigurationError` for a network that cannot be.
    public init(_ configuration: NetworkConfiguration) throws {
        let blocks = try configuration.graph().residualBlocks.count
        let isNormalized = configuration.normalization != .none
        self.init(
            isNormalized: isNormalized, residualBlocks: blocks,
            isNormalizedFirst: blocks > 0 && isNormalized && configuration.order == .preactivation,
            isScaled: blocks > 0 && configuration.residualScale < 1)
    }

    /// What it lacks, as advice.
    var cure: String {
        if residualBlocks == 0 {
            return
                "The cure: residual connections with batch norm first in each branch; where the network must stay "
                + "plain, fewer layers\(isNormalized ? "" : ", with batch norm after every convolution")"
        }
        if isNormalizedFirst {
            return
                "No further cure of this kind is known, for it has them: residual connections, with a normalization "
                + "first in each branch\(isScaled ? ", and scaled sums" : ""). What is left to try is fewer layers, or a "
                + "learning rate below \(TrainingTrial.lowestRate)"
        }
        let first = "The cure: batch norm first in each branch (normalization: batch, order: norm-relu-conv)"
        if isNormalized { return "\(first), or fewer layers" }
        return isScaled ? first : "\(first), or sums times 1/√2 (residual_scale: 1/sqrt2)"
    }

    /// Why a network does not learn whose signals keep their size on the way.
    func cause(layers: Int) -> String {
        if isNormalizedFirst { return "these measurements do not show why it does not learn" }
        return
            "but through \(layers) layers\(residualBlocks == 0 ? " without residual shortcuts" : "") the gradient "
            + "changes at random with the input: it is shattered (Balduzzi et al. 2017)"
    }
}
