import Foundation
import Inference
import Networks
import Tensors
import Training
import Volumes

/// Trains one member of the ensemble.
struct TrainStep: MemberStep {
    let member: Int
    let data: TrainingData
    let target: Target
    let network: NetworkSettings
    let training: TrainingConfiguration
    /// How the objects are made that validation scores.
    let label: LabelSettings
    /// The member of a model that training goes on from.
    let start: ModelMemberStep?
    let ingredients: Ingredients
    let key: String
    let volume: String? = nil

    var dependencies: [any Step] { data.volumes + (start.map { [$0] } ?? []) }
    var dimensions: Int { network.configuration.dimensions }
    var patch: ZYX<Int> { training.patch }

    init(
        member: Int, data: TrainingData, target: Target, network: NetworkSettings,
        training: TrainingConfiguration, label: LabelSettings, start: ModelMemberStep?, precision: Precision
    ) throws {
        self.member = member
        self.data = data
        self.target = target
        self.network = network
        self.training = training
        self.label = label
        self.start = start
        var parameters = try Pipeline.parameters("network", network.configuration)
        parameters.merge(try Pipeline.parameters("training", training)) { first, _ in first }
        parameters.merge(try Pipeline.parameters("ensemble", data.ensemble)) { first, _ in first }
        parameters.merge(try Pipeline.parameters("target", target)) { first, _ in first }
        if training.validationDecides {
            parameters.merge(try Pipeline.parameters("label", label)) { first, _ in first }
        }
        parameters["member"] = "\(member + 1)"
        parameters["execution.precision"] = precision.rawValue
        parameters["resolution"] = data.resolution?.description
        ingredients = Ingredients(
            stage: .train, version: 7, subject: "member \(member + 1)", parameters: parameters,
            inputs: data.inputs + (start.map { [$0.input("model")] } ?? []))
        key = try ingredients.key
    }

    /// - Parameter start: what it goes on from.
    func trainer(_ start: StartingWeights?, _ context: StepContext) throws -> MemberTraining {
        let annotation = try context.annotation(data)
        let volumes = annotation.volumes
        return MemberTraining(
            member: member, volumes: volumes, split: annotation.split, target: target,
            network: try network.configuration(voxelSize: volumes[0].voxelSize, target: target), training: training,
            device: context.device, precision: context.precision, threads: context.threads, start: start,
            labelling: try labelling(volumes[0].voxelSize, threads: context.threads))
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let trainer = try trainer(
            start.map { StartingWeights(path: try $0.weights(context), digest: $0.key) }, context)
        var (steps, peak) = (0, 0)
        /// What a step takes is known once some are done; later it is too late.
        func exceedsMemory() -> Bool { context.memory.isGiven && peak > context.memory.limit && steps <= 8 }
        do {
            try trainer.run(
                folder: folder, shouldStop: { context.shouldStop() || exceedsMemory() },
                report: {
                    (steps, peak) = (steps + 1, Machine.peakMemory)
                    context.report(StepProgress($0))
                })
        } catch let interrupted as Interrupted {
            if exceedsMemory() {
                let advice = "; a smaller training.patch or training.batch takes less"
                throw FileFault(
                    "member \(member + 1)",
                    context.memory.shortage("a step of its training", takes: peak) + advice)
            }
            throw Interruption(place: "step \(interrupted.done) of member \(member + 1)")
        }
        return nil
    }

    private func labelling(_ voxelSize: VoxelSize, threads: Int) throws -> ValidationLabelling {
        let outputs = StoredOutputs(target, voxelSize: voxelSize, dimensions: dimensions)
        let making = ObjectMaking(outputs: outputs, settings: label, voxelSize: voxelSize, threads: threads)
        return ValidationLabelling(settings: try canonicalJSONText(label), connectivity: label.connectivity) {
            logits, threshold in
            try making.objects(in: outputs.places.map { logits[$0] }, threshold: threshold, votes: nil).labels
        }
    }

    func voxelSize(_ context: StepContext) throws -> VoxelSize { try data.voxelSize(context) }

    /// How training went.
    func curve(_ context: StepContext) throws -> TrainingCurve {
        try context.cache.output(of: self).json(TrainingCurve.self, TrainedMember.curveName)
    }
}

extension StepProgress {
    init(_ training: TrainingProgress) {
        var detail = "step \(training.step)/\(training.steps)  loss \(String(format: "%.3f", training.loss))"
        if let validation = training.validation {
            detail += "  validation \(String(format: "%.3f", validation.loss))"
            if let error = validation.adaptedRandError {
                detail += " (Rand error \(String(format: "%.3f", error)))"
            }
        }
        self.init(fraction: Double(training.step) / Double(training.steps), detail: detail, note: training.note)
    }
}
