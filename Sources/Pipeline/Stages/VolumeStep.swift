import Inference
import Volumes

/// A step that writes one volume: as its file has it, or at another resolution.
protocol VolumeStep: Step {
    /// The step that read the file.
    var source: IngestStep { get }
}

extension VolumeStep {
    /// What is known of the volume.
    func record(_ context: StepContext) throws -> IngestedVolume {
        try context.cache.output(of: self).json(IngestedVolume.self, Ingest.recordName)
    }

    func store(_ context: StepContext) throws -> BlockStore {
        try context.cache.output(of: self).store(Ingest.storeName)
    }
}

extension [any VolumeStep] {
    /// The channels of an image as inputs of a step: `image`, then `image, input 2` and so on.
    func inputs(_ role: String) -> [Ingredients.Input] {
        enumerated().map { $1.input($0 == 0 ? role : "\(role), input \($0 + 1)") }
    }

    /// The normalised voxels of all channels, for prediction, each chunk decoded once where memory allows.
    func channels(_ context: StepContext) throws -> @Sendable (Box) throws -> [Volume<Float>] {
        let capacity = context.memory.keptChunks / count
        let sources = try map {
            (KeptChunks(try $0.store(context), capacity: capacity), try $0.record(context).normalization)
        }
        let threads = context.threads
        return { box in
            try sources.map { chunks, normalization in
                normalization.apply(try chunks.read(box, threads: threads))
            }
        }
    }
}
