import Networks
import Tensors

/// Weighted cross-entropy plus soft Dice loss (Milletari et al. 2016; Isensee et al. 2021).
///
/// The cross-entropy is the mean over the batch with `BorderWeights`; the Dice loss, 1 - 2 Σpt / (Σp + Σt),
/// is taken over the voxels whose weight is not 0, all patches of the batch together.
///
/// A network with several outputs (deep supervision, stacked hourglasses) has the mean of their losses, an output of
/// half the resolution counting half.
struct ForegroundLoss {
    /// Input voxels for one of each output's, along each axis.
    private let scales: [[Int]]
    private let shares: [Double]

    init(_ graph: Graph) {
        scales = graph.outputScales
        let weights = scales.map { 1 / Double($0.max() ?? 1) }
        let total = weights.reduce(0, +)
        shares = weights.map { $0 / total }
    }

    func value(outputs: [Tensor], batch: Batch) throws -> Tensor {
        var sum: Tensor?
        for (logits, (scale, share)) in zip(outputs, zip(scales, shares)) {
            let loss = try value(
                logits.to(.float32), batch.truth(extents: Array(logits.shape.dropFirst(2)), scale: scale))
            let part = share == 1 ? loss : try loss * share
            sum = try sum.map { try $0 + part } ?? part
        }
        guard let sum else { preconditionFailure("a network without outputs") }
        return sum
    }

    private func value(_ logits: Tensor, _ truth: (target: Tensor, weight: Tensor)) throws -> Tensor {
        let totalWeight = Double(try truth.weight.sum().item())
        let crossEntropy =
            try logits.binaryCrossEntropy(withTarget: truth.target, weight: truth.weight)
            * (Double(logits.count) / max(1, totalWeight))
        let counts = try truth.weight.isGreater(than: 0).to(.float32)
        let probability = try logits.sigmoid() * counts
        let target = try truth.target * counts
        let overlap = try (probability * target).sum() * 2 + 1
        let total = try probability.sum() + target.sum() + 1
        return try crossEntropy + 1 - overlap / total
    }
}
