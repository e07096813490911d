import Networks
import Tensors

/// Gives a network's batch normalizations the statistics of the training part (Wu & Johnson 2021) in place of running
/// averages: over all of it, or over a number of patches.
struct PopulationStatistics {
    let network: Network
    let sampler: PatchSampler
    let training: TrainingConfiguration
    let precision: Precision

    /// - Parameter patches: drawn without oversampling and intensity changes; nil covers all a member may learn from.
    func take(patches: Int?) throws {
        let places = patches == nil ? sampler.cover : []
        let augmentation = training.augmentation.symmetries
        network.mode = .population
        try withoutGradients {
            for batch in batches(of: patches ?? places.count) {
                let taken = batch.map { index in
                    patches == nil
                        ? sampler.image(at: places[index])
                        // Step -2 is used for no step of training.
                        : sampler.patch(step: -2, index: index, oversampling: 0, augmentation: augmentation)
                }
                let image = try Batch(taken, dimensions: network.graph.dimensions, device: network.device).image
                // Every output: those that only help training have normalizations of their own.
                _ = try withAutocast(precision, on: network.device) { try network.outputs(image) }
            }
        }
        try network.storePopulationStatistics()
    }

    /// A batch never has a single patch where those of training have more, for then there may be a single value to
    /// normalize over.
    private func batches(of patches: Int) -> [[Int]] {
        var batches = stride(from: 0, to: patches, by: training.batch).map {
            Array($0..<min($0 + training.batch, patches))
        }
        guard training.batch > 1, let last = batches.last, last.count == 1 else { return batches }
        batches.removeLast()
        guard let before = batches.popLast() else { return [last + last] }
        return batches + [before + last]
    }
}
