import Volumes

/// How far the members of an ensemble agree, voxel by voxel, as probabilities.
public struct ProbabilitySpread: Sendable, Equatable {
    public var mean: Volume<Float>
    /// Of the members themselves: the mean of their squared distances from `mean`, at most 0.25.
    public var variance: Volume<Float>
    public var lowest: Volume<Float>

    /// - Parameter logits: one volume a member in `LogitScale`, all of one shape, one at least; where no network looked all is
    ///   0.
    public init(of logits: [Volume<Int16>]) {
        let shape = logits[0].shape
        precondition(logits.allSatisfy { $0.shape == shape })
        mean = Volume(shape: shape)
        variance = Volume(shape: shape)
        lowest = Volume(shape: shape)
        let (members, probabilities) = (Double(logits.count), storedProbabilities)
        for voxel in 0..<shape.count {
            // Welford's update, in one pass.
            var (mean, squares, lowest, count) = (0.0, 0.0, 1.0, 0.0)
            for member in logits {
                let units = member.voxels[voxel]
                let value = units == LogitScale.outside ? 0 : probabilities[Int(UInt16(bitPattern: units))]
                count += 1
                let distance = value - mean
                mean += distance / count
                squares += distance * (value - mean)
                lowest = min(lowest, value)
            }
            self.mean.voxels[voxel] = Float(mean)
            variance.voxels[voxel] = Float(squares / members)
            self.lowest.voxels[voxel] = Float(lowest)
        }
    }
}
