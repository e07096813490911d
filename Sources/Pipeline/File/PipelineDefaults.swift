import Foundation
import Networks
import Training
import Volumes

/// What the keys of a pipeline file have where they are absent: the usual, or what a model brings.
struct PipelineDefaults {
    var target = Target()
    var network: NetworkSettings
    var ensemble = EnsembleSettings()
    var prediction = PredictionSettings()
    var consensus = ConsensusSettings()
    var label = LabelSettings()
    var execution = ExecutionSettings()
    private let model: ModelDescription?

    init(_ model: ModelDescription?) throws {
        self.model = model
        guard let model else {
            network = try NetworkSettings()
            return
        }
        target = model.target
        network = NetworkSettings(model.network)
        ensemble.members = model.members.count
        prediction = model.prediction ?? prediction
        // Its threshold is that of `auto`, unless another is calibrated.
        consensus.agree = model.agree
        label = model.label
        // f16 is for some GPUs, and `auto` chooses it there.
        execution.precision = model.precision == .f16 ? .auto : model.precision
    }

    /// Of a network of so many dimensions.
    func training(dimensions: Int) -> TrainingConfiguration {
        if let training = model?.training {
            // What another version wrote may not be read.
            if let configuration = training.configuration,
                let known = try? JSONDecoder().decode(TrainingConfiguration.self, from: Data(configuration.utf8))
            {
                return known
            }
            return TrainingConfiguration(steps: training.steps, patch: training.patch, seed: training.seed)
        }
        var training = TrainingConfiguration()
        if dimensions == 2 { training.patch = ZYX(1, 256, 256) }
        return training
    }
}
