import CLoss
import Tensors

/// `TargetLoss` of one output with its gradient in closed form: a pass over logits and answers for the sums that the loss
/// is made of, and one that writes the gradient, where autograd would take some forty.
package struct FusedLoss {
    package static let mostChannels = CL_CHANNELS

    private let heads: [Range<Int>]
    /// Of a head's loss.
    private let entropy: Double
    private let dice: Double
    private let focal: Double

    package init(_ loss: Loss, heads: [Range<Int>], share: Double) {
        self.heads = heads
        entropy = loss == .crossEntropy || loss == .crossEntropyAndDice ? share : 0
        dice = loss == .dice || loss == .crossEntropyAndDice ? share : 0
        focal = loss == .focal ? share : 0
    }

    /// - Parameters:
    ///   - logits: `[batch, channel, …]` on the processor.
    ///   - answers: of the same shape, as `HostBatch` has them.
    package func gradient(of logits: Tensor, answers: Tensor, threads: Int) throws -> (
        loss: Double, gradient: Tensor
    ) {
        let logits = try logits.detached().to(.float32).contiguous(.channelsLast)
        let answers = try answers.contiguous(.channelsLast)
        let gradient = try logits.zerosLike()
        let channels = logits.shape[1]
        let loss = try logits.withUnsafeElements(of: Float.self) { x in
            try answers.withUnsafeElements(of: Float.self) { a in
                try gradient.withUnsafeElements(of: Float.self) { g in
                    let values = Values(logits: x, answers: a, channels: channels)
                    let (loss, factors) = terms(values.sums(threads: threads), channels: channels)
                    values.write(factors, to: g, threads: threads)
                    return loss
                }
            }
        }
        return (loss, gradient)
    }

    /// The loss of sums over all voxels, and by channel what its derivative is made of.
    private func terms(_ sums: [Double], channels: Int) -> (loss: Double, factors: Factors) {
        var loss = 0.0
        var factors = Factors(channels: channels)
        for head in heads {
            func sum(_ kind: Int) -> Double {
                let first = kind * channels
                return sums[first + head.lowerBound..<first + head.upperBound].reduce(0, +)
            }
            let weight = max(1, sum(CL_WEIGHTS))
            let overlap = 2 * sum(CL_OVERLAP) + 1
            let total = sum(CL_PROBABILITIES) + sum(CL_TARGETS) + 1
            loss += (entropy * sum(CL_ENTROPY) + focal * sum(CL_FOCAL)) / weight
            loss += dice * (1 - overlap / total)
            for channel in head {
                factors.entropy[channel] = Float(entropy / weight)
                factors.overlap[channel] = Float(dice * 2 / total)
                factors.total[channel] = Float(dice * overlap / (total * total))
                factors.focal[channel] = Float(focal / weight)
            }
        }
        return (loss, factors)
    }
}

private struct Factors: Sendable {
    var entropy, overlap, total, focal: [Float]

    init(channels: Int) {
        entropy = [Float](repeating: 0, count: channels)
        (overlap, total, focal) = (entropy, entropy, entropy)
    }
}

/// Logits and answers where they lie.
private struct Values {
    let logits: UnsafeMutableBufferPointer<Float>
    let answers: UnsafeMutableBufferPointer<Float>
    let channels: Int

    /// Voxels that are summed together: sums do not depend on the number of threads.
    private static let chunk = 1 << 14

    private var voxels: Int { logits.count / channels }

    private func forEachChunk(threads: Int, _ body: @Sendable (_ chunk: Int, _ first: Int, _ count: Int) -> Void) {
        let voxels = voxels
        inSlices(of: (voxels + Self.chunk - 1) / Self.chunk, threads: threads) { index in
            let first = index * Self.chunk
            body(index, first, min(Self.chunk, voxels - first))
        }
    }

    /// A row of all channels for each kind of sum.
    func sums(threads: Int) -> [Double] {
        let width = CL_SUMS * channels
        let chunks = (voxels + Self.chunk - 1) / Self.chunk
        var parts = [Double](repeating: 0, count: chunks * width)
        parts.withUnsafeMutableBufferPointer { parts in
            nonisolated(unsafe) let (parts, values) = (parts, self)
            forEachChunk(threads: threads) { chunk, first, count in
                let place = first * values.channels
                cl_add_sums(
                    values.logits.baseAddress! + place, values.answers.baseAddress! + place, count, values.channels,
                    parts.baseAddress! + chunk * width)
            }
        }
        var sums = [Double](repeating: 0, count: width)
        for chunk in 0..<chunks {
            for place in 0..<width { sums[place] += parts[chunk * width + place] }
        }
        return sums
    }

    func write(_ factors: Factors, to gradient: UnsafeMutableBufferPointer<Float>, threads: Int) {
        nonisolated(unsafe) let (gradient, values) = (gradient, self)
        forEachChunk(threads: threads) { _, first, count in
            let place = first * values.channels
            factors.entropy.withUnsafeBufferPointer { entropy in
                factors.overlap.withUnsafeBufferPointer { overlap in
                    factors.total.withUnsafeBufferPointer { total in
                        factors.focal.withUnsafeBufferPointer { focal in
                            cl_write_gradient(
                                values.logits.baseAddress! + place, values.answers.baseAddress! + place, count,
                                values.channels,
                                cl_factors(
                                    entropy: entropy.baseAddress, overlap: overlap.baseAddress,
                                    total: total.baseAddress, focal: focal.baseAddress),
                                gradient.baseAddress! + place)
                        }
                    }
                }
            }
        }
    }
}
