import Labeling
import Networks
import Tensors

/// The loss of a head's logits against its target.
public enum Loss: String, Codable, CaseIterable, Sendable {
    /// Weighted cross-entropy: the mean over the batch with the answers' weights.
    case crossEntropy = "cross-entropy"
    /// Soft Dice, 1 - 2 Σpt / (Σp + Σt), over the voxels whose weight is not 0, all patches and channels of the head
    /// together (Milletari et al. 2016).
    case dice
    /// Their sum (Isensee et al. 2021).
    case crossEntropyAndDice = "cross-entropy + dice"
    /// Weighted cross-entropy in which a voxel counts (1 - p)², p being the probability of the right answer
    /// (Lin et al. 2017).
    case focal
}

/// The loss of all heads: their mean.
///
/// A network with several outputs (deep supervision, stacked hourglasses) has the mean of their losses, an output of
/// half the resolution counting half.
struct TargetLoss {
    private let loss: Loss
    /// The channels of each head.
    private let heads: [Range<Int>]
    /// Input voxels for one of each output's, along each axis.
    private let scales: [[Int]]
    private let shares: [Double]

    init(_ loss: Loss, heads: [[OutputChannel]], _ graph: Graph) {
        self.loss = loss
        var end = 0
        self.heads = heads.map { channels in
            end += channels.count
            return end - channels.count..<end
        }
        scales = graph.outputScales
        let weights = scales.map { 1 / Double($0.max() ?? 1) }
        let total = weights.reduce(0, +)
        shares = weights.map { $0 / total }
    }

    /// The loss of a network's outputs, as autograd can follow it.
    func value(outputs: [Tensor], batch: Batch) throws -> Tensor {
        var sum: Tensor?
        for (logits, (scale, share)) in zip(outputs, zip(scales, shares)) {
            let logits = try logits.to(.float32)
            let answers = try batch.answers(extents: Array(logits.shape.dropFirst(2)), scale: scale)
            let target = try answers.isGreater(than: 0).to(.float32)
            let weight = try answers.absolute()
            for head in heads {
                let whole = head == 0..<logits.shape[1]
                func part(_ tensor: Tensor) throws -> Tensor {
                    whole ? tensor : try tensor.narrowed(axis: 1, to: head)
                }
                let loss = try value(part(logits), target: part(target), weight: part(weight))
                let scaled = share == 1 && heads.count == 1 ? loss : try loss * (share / Double(heads.count))
                sum = try sum.map { try $0 + scaled } ?? scaled
            }
        }
        guard let sum else { preconditionFailure("a network without outputs") }
        return sum
    }

    /// The same loss with its gradient by each output, on the processor in two passes over the logits.
    func gradients(
        outputs: [Tensor], batch: Batch, threads: Int
    ) throws -> (loss: Double, gradients: [(tensor: Tensor, gradient: Tensor)]) {
        var sum = 0.0
        let gradients = try zip(outputs, zip(scales, shares)).map { logits, part in
            let answers = try batch.answers(extents: Array(logits.shape.dropFirst(2)), scale: part.0)
            let (loss, gradient) = try FusedLoss(loss, heads: heads, share: part.1 / Double(heads.count))
                .gradient(of: logits, answers: answers, threads: threads)
            sum += loss
            return (logits, gradient)
        }
        return (sum, gradients)
    }

    private func value(_ logits: Tensor, target: Tensor, weight: Tensor) throws -> Tensor {
        switch loss {
        case .crossEntropy: try crossEntropy(logits, target, weight)
        case .dice: try dice(logits, target, weight)
        case .crossEntropyAndDice: try crossEntropy(logits, target, weight) + dice(logits, target, weight)
        case .focal: try focal(logits, target, weight)
        }
    }

    private func crossEntropy(_ logits: Tensor, _ target: Tensor, _ weight: Tensor) throws -> Tensor {
        try logits.binaryCrossEntropy(withTarget: target, weight: weight) * Double(logits.count) / total(weight)
    }

    private func dice(_ logits: Tensor, _ target: Tensor, _ weight: Tensor) throws -> Tensor {
        let counts = try weight.isGreater(than: 0).to(.float32)
        let probability = try logits.sigmoid() * counts
        let target = try target * counts
        let overlap = try (probability * target).sum() * 2 + 1
        let total = try probability.sum() + target.sum() + 1
        return try 1 - overlap / total
    }

    private func focal(_ logits: Tensor, _ target: Tensor, _ weight: Tensor) throws -> Tensor {
        // The logit of the right answer.
        let right = try logits * (target * 2 - 1)
        let wrong = try (-right).sigmoid()
        return try (wrong * wrong * (-right).softplus() * weight).sum() / total(weight)
    }

    /// 1 where there is less. A tensor, as a number would wait for the GPU.
    private func total(_ weight: Tensor) throws -> Tensor { try weight.sum().clamped(1...Double.infinity) }
}
