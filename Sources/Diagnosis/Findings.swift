/// What is seen of gradients in networks without skips, and what depth does to them.
public struct GradientFindings: Codable, Equatable, Sendable {
    public var shattered: ShatteredGradients
    public var stability: GradientStability

    public init(shattered: ShatteredGradients, stability: GradientStability) {
        self.shattered = shattered
        self.stability = stability
    }
}

/// A residual network as the sum of its paths, and without one block at a time.
public struct PathFindings: Codable, Equatable, Sendable {
    /// A chain of few blocks, all of whose paths are followed.
    public var reference: GradientPaths
    /// The network in question; null where it has no residual blocks.
    public var network: GradientPaths?
    /// A trained network; null where there is none.
    public var deletion: BlockDeletion?
    /// Why something is null.
    public var reasons: [String: String]

    public init(
        reference: GradientPaths, network: GradientPaths?, deletion: BlockDeletion?, reasons: [String: String]
    ) {
        self.reference = reference
        self.network = network
        self.deletion = deletion
        self.reasons = reasons
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(reference, forKey: .reference)
        try values.encode(network, forKey: .network)
        try values.encode(deletion, forKey: .deletion)
        try values.encode(reasons, forKey: .reasons)
    }
}
