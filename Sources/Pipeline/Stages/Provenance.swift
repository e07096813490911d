import Foundation
import Labeling
import Tensors

/// Where a run's results come from: sources with their digests, parameters, versions, times and memory.
struct Provenance: Encodable {
    struct Source: Encodable {
        var path: String
        var dataset: String?
        var channel: Int?
        var time: Int?
        var sha256: String
        var voxelSizeNanometers: [Double]?
    }

    /// What members come from, or started from.
    struct Model: Encodable {
        var path: String
        var sha256: String
        var name: String
        var training: ModelDescription.Provenance
    }

    struct StepEntry: Encodable {
        var stage: Stage
        var subject: String
        var key: String
        var parameters: [String: String]
        var record: StepRecord?
    }

    var segment: String
    var libtorch: String
    var pipeline: String
    var seed: UInt64
    var threshold: Double?
    /// What merging above was chosen with it.
    var mergeAbove: Double?
    var model: Model?
    var sources: [Source]
    var steps: [StepEntry]

    init(_ plan: Plan, _ context: StepContext) throws {
        segment = segmentVersion
        libtorch = Libtorch.version
        pipeline = plan.file.path
        seed = plan.file.training.seed
        threshold = try plan.threshold.threshold(context).logit
        mergeAbove =
            plan.file.label.isCalibrated
            ? try plan.threshold.label(plan.file.label, context).merge?.above : nil
        model = plan.file.model.map {
            Model(
                path: $0.title, sha256: $0.digest, name: $0.description.name, training: $0.description.training)
        }
        sources = plan.steps.compactMap { $0 as? IngestStep }.map { step in
            Source(
                path: step.ingest.source.title, dataset: step.ingest.source.dataset,
                channel: step.ingest.source.selection.channel, time: step.ingest.source.selection.time,
                sha256: step.ingredients.inputs[0].digest,
                voxelSizeNanometers: (try? step.record(context))?.voxelSize?.nanometers.array)
        }
        steps = plan.steps.map { step in
            StepEntry(
                stage: step.stage, subject: step.subject, key: step.key, parameters: step.ingredients.parameters,
                record: context.cache.record(of: step))
        }
    }
}

/// The version of this program.
public let segmentVersion = "0.1.0"
