import Networks
import Volumes

/// What a prediction averages over: more than one look at a voxel.
public struct PredictionAveraging: Equatable, Sendable {
    /// For each channel the axis of its affinities of nearest neighbours; nil for what is of one voxel.
    public var neighbourAxes: [Int?]
    /// Whether inputs are mirrored along all axes, in every way.
    public var mirrors: Bool
    /// Whether inputs are turned within their sections by quarters of a turn.
    public var turns: Bool
    /// Blends windows of the training patch that share this part with the next (`SlidingWindows`); nil for tiles that
    /// compute each voxel once.
    public var overlap: Double?

    public init(neighbourAxes: [Int?], mirrors: Bool = false, turns: Bool = false, overlap: Double? = nil) {
        self.neighbourAxes = neighbourAxes
        (self.mirrors, self.turns, self.overlap) = (mirrors, turns, overlap)
    }

    /// Why a network cannot be used so, in words; nil where it can.
    ///
    /// - Throws: `MisfittingExtents` where no input suits the network.
    public func problem(with graph: Graph) throws -> String? {
        if overlap != nil, try graph.margin().contains(where: { $0 > 0 }) {
            return "overlap needs convolutions that keep extents (padding: same)"
        }
        let areAlike = [graph.totalStride, try graph.halo()].allSatisfy { Set($0.suffix(2)).count == 1 }
        if turns, !areAlike {
            return "rotate needs a network that treats y and x alike, which its kernels and strides do not"
        }
        return nil
    }
}
