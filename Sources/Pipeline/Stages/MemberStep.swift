import Training
import Volumes

/// A step that ends in a member of the ensemble: one trained here, or one of a model.
protocol MemberStep: Step {
    /// From 0.
    var member: Int { get }
    var target: Target { get }
    /// Of its network: 2 or 3.
    var dimensions: Int { get }
    /// What it saw at once in training.
    var patch: ZYX<Int> { get }

    /// That of the volumes it learnt from.
    func voxelSize(_ context: StepContext) throws -> VoxelSize
}

extension MemberStep {
    /// What of the network's output is kept of a volume.
    func outputs(_ context: StepContext) throws -> StoredOutputs {
        StoredOutputs(target, voxelSize: try voxelSize(context), dimensions: dimensions)
    }

    /// The trained network, a `NetworkFile`.
    func weights(_ context: StepContext) throws -> String {
        try context.cache.output(of: self).file(TrainedMember.weightsName)
    }
}
