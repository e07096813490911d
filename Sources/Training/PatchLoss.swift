import Networks
import Tensors
import Volumes

/// The loss of training on a fixed batch of patches, to look into a network with.
package struct PatchLoss {
    private let batch: Batch
    private let loss: TargetLoss

    /// - Parameters:
    ///   - member: of the split; nil takes patches from everywhere, else they come from what it kept back.
    ///   - patch: z, y, x; a 2D network reads its sections.
    package init(
        _ volumes: [AnnotatedVolume], split: AnnotationSplit, member: Int?, patch: ZYX<Int>, count: Int,
        graph: Graph, device: Device, threads: Int
    ) throws {
        let prepared = volumes.map {
            PreparedVolume($0, weighting: .none, dimensions: graph.dimensions, threads: threads)
        }
        let hidden = volumes.indices.map { volume -> [Box] in
            guard let member else { return [] }
            let kept = split.validation[member].filter { $0.volume == volume }.map(\.box)
            return kept.reduce([Box(volumes[volume].shape)]) { rest, box in rest.flatMap { $0.without(box) } }
        }
        let sampler = try PatchSampler(
            volumes: prepared, outputs: [.foreground], heldBack: hidden, patch: patch, seed: 1, member: member ?? 0)
        batch = try Batch(
            (0..<count).map { sampler.patch(step: 0, index: $0, oversampling: 1, augmentation: .none) },
            dimensions: graph.dimensions, device: device)
        loss = TargetLoss(.crossEntropyAndDice, heads: [[.foreground]], graph)
    }

    /// `[batch, 1, z, y, x]`, in 2D `[batch, 1, y, x]`.
    package var images: Tensor { batch.image }

    /// A scalar, of a network's outputs for ``images``.
    package func value(_ outputs: [Tensor]) throws -> Tensor { try loss.value(outputs: outputs, batch: batch) }
}
