import Networks
import Tensors

/// What a trained network loses with each residual block: a block's deletion leaves half of all paths, so the loss
/// hardly rises, where a plain network without one of its layers fails (Veit et al. 2016).
public struct BlockDeletion: Codable, Equatable, Sendable {
    public struct Block: Codable, Equatable, Sendable {
        public var name: String
        /// Without this block.
        public var loss: Double
    }

    public var network: String
    /// Whether it is a ``StandIn``, for want of a trained residual network.
    public var isStandIn: Bool
    /// Of the whole network.
    public var loss: Double
    /// In the order they run.
    public var blocks: [Block]

    /// - Parameter loss: of the network's outputs under a probe; the network should be in evaluation mode.
    /// - Returns: nil for a network without residual blocks.
    /// - Throws: what `loss` throws; ``DiagnosisStopped``.
    public static func measure(
        _ network: Network, name: String, isStandIn: Bool = false, shouldStop: () -> Bool = { false },
        loss: (Probe?) throws -> Double
    ) throws -> BlockDeletion? {
        let names = network.graph.residualBlocks.map(\.name)
        guard !names.isEmpty else { return nil }
        return try withoutGradients {
            let whole = try loss(nil)
            let blocks = try names.map { deleted -> Block in
                if shouldStop() { throw DiagnosisStopped() }
                return Block(name: deleted, loss: try loss(Probe(deletes: { $0.name == deleted })))
            }
            return BlockDeletion(network: name, isStandIn: isStandIn, loss: whole, blocks: blocks)
        }
    }
}
