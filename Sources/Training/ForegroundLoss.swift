import Tensors
import Volumes

/// The patches of a step as tensors `[batch, 1, z, y, x]`.
struct Batch {
    let image: Tensor
    let target: Tensor
    let weight: Tensor
    /// The sum of all weights.
    let totalWeight: Double

    init(_ patches: [TrainingPatch], device: Device) throws {
        let size = patches[0].image.shape
        let shape = [patches.count, 1, size.z, size.y, size.x]
        func tensor(_ values: [Float]) throws -> Tensor {
            // With one channel both memory formats are the same bytes; libtorch must be told which one it is.
            try Tensor(values, shape: shape, device: device).contiguous(.channelsLast)
        }
        image = try tensor(patches.flatMap(\.image.voxels))
        target = try tensor(patches.flatMap { $0.target.voxels.map(Float.init) })
        let weights = patches.flatMap(\.weight.voxels)
        weight = try tensor(weights)
        totalWeight = weights.reduce(0) { $0 + Double($1) }
    }
}

/// Weighted cross-entropy plus soft Dice loss (Milletari et al. 2016; Isensee et al. 2021).
///
/// The cross-entropy is the mean over the batch with `BorderWeights`; the Dice loss, 1 - 2 Σpt / (Σp + Σt),
/// is taken over the voxels whose weight is not 0, all patches of the batch together.
enum ForegroundLoss {
    static func value(logits: Tensor, batch: Batch) throws -> Tensor {
        let logits = try logits.to(.float32)
        let crossEntropy =
            try logits.binaryCrossEntropy(withTarget: batch.target, weight: batch.weight)
            * (Double(logits.count) / max(1, batch.totalWeight))
        let counts = try batch.weight.isGreater(than: 0).to(.float32)
        let probability = try logits.sigmoid() * counts
        let truth = try batch.target * counts
        let overlap = try (probability * truth).sum() * 2 + 1
        let total = try probability.sum() + truth.sum() + 1
        return try crossEntropy + 1 - overlap / total
    }
}
