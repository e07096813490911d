import Foundation
import Tensors
import Training
import Volumes

extension PipelineRun {
    /// Writes the trained members and all that segmenting with them takes into one file.
    ///
    /// - Parameter replaces: whether a file that lies there makes way.
    /// - Throws: `PipelineFault` with what to run where something is not trained yet; `FileFault`.
    public func exportModel(to path: String, replaces: Bool) throws -> ModelFile {
        if !replaces && FileManager.default.fileExists(atPath: path) {
            throw FileFault(path, "is there already; --overwrite replaces it")
        }
        let context = context { false }
        try checkIsTrained()
        let members = try plan.trains.map { try Safetensors(contentsOf: $0.weights(context)).tensors }
        let data = try ModelFile.encoded(try modelDescription(context), members: members)
        try AtomicFile.write(data, to: path)
        return try ModelFile(path)
    }

    private func checkIsTrained() throws {
        func refuse(_ problem: String) -> PipelineFault { PipelineFault(file: file.path, problem: problem) }
        guard file.learns else {
            throw refuse(
                "trains nothing: its members are those of \(file.model?.title ?? "a model"); copy that file")
        }
        let needed: [any Step] = plan.trains + plan.data.volumes + (plan.threshold.step.map { [$0] } ?? [])
        let missing = needed.filter { cache.state(of: $0) != .complete }
        guard let first = missing.first else { return }
        let untrained = missing.count { $0.stage == .train }
        let what =
            untrained > 0
            ? "\(untrained) of \(plan.trains.count) members are not trained yet" : "\(first.title) is not done yet"
        let work = options.workFolder.map { " --work \($0)" } ?? ""
        throw refuse("\(what); run 'segment run \(file.path)\(work)' first")
    }

    private func modelDescription(_ context: StepContext) throws -> ModelDescription {
        let voxelSize = try plan.trains[0].voxelSize(context)
        let scored = try plan.volumes.compactMap { volume in
            try volume.evaluate.flatMap { step in
                cache.state(of: step) == .complete ? (volume.entry.name, try step.scores(context)) : nil
            }
        }
        return ModelDescription(
            name: file.name, network: try file.network(voxelSize: voxelSize), target: file.target,
            voxelSize: voxelSize,
            members: try plan.trains.map { try ModelDescription.Member($0.curve(context), of: file) },
            prediction: file.prediction, agree: file.consensus.agree,
            threshold: try plan.threshold.threshold(context),
            calibration: try plan.threshold.calibration(context),
            label: try plan.threshold.label(file.label, context),
            precision: file.execution.precision,
            training: ModelDescription.Provenance(
                seed: file.training.seed, steps: file.training.steps, patch: file.training.patch,
                precision: context.precision, settings: try parameters("training", file.training),
                configuration: try canonicalJSONText(file.training),
                segment: segmentVersion,
                libtorch: Libtorch.version, startedFrom: file.model?.digest),
            scores: Dictionary(scored, uniquingKeysWith: { first, _ in first }))
    }
}
