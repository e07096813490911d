import Networks
import Tensors

/// A network in training with what moves its weights.
final class Learner {
    let network: Network
    private let optimizer: any Optimizer
    private let average: WeightAverage?
    /// nil where gradients are in the range of f32, which bf16 has too.
    private var scale: LossScale?
    private let loss: TargetLoss
    private let training: TrainingConfiguration
    private let precision: Precision
    private let threads: Int

    /// Before the first step.
    init(_ plan: MemberTraining, _ loss: TargetLoss) throws {
        training = plan.training
        precision = plan.precision
        threads = plan.threads
        self.loss = loss
        // Step -1 is used for no patch.
        var random = SampleRandom(seed: training.seed, member: plan.member, step: -1, index: -1)
        let network = try Network(plan.network, seed: random.next(), device: plan.device)
        if let start = plan.start { try network.load(Safetensors(contentsOf: start.path).tensors) }
        self.network = network
        optimizer =
            switch training.optimizer {
            case .adamW:
                try AdamW(network.parameters, rate: training.learningRate, decay: training.weightDecay)
            case .sgd:
                try SGD(
                    network.parameters, rate: training.learningRate, momentum: training.momentum,
                    decay: training.weightDecay)
            }
        scale = precision == .f16 ? LossScale() : nil
        average = try training.averaging.map { try WeightAverage(of: network.parameters, decay: $0) }
    }

    /// One step, from 0, of the optimizer; gives the mean loss of its batches before it, or nil where that or a gradient
    /// is no finite number, and nothing has changed. Where gradients alone are not finite in f16, the loss scale is halved
    /// and the weights stay. All tensors of the step are gone when it returns.
    func step(_ step: Int, _ batches: [HostBatch]) throws -> Double? {
        network.mode = .training
        try optimizer.clearGradients()
        let share = 1 / Double(batches.count)
        var sum = 0.0
        for batch in batches { sum += share * (try gradients(of: Batch(batch, device: network.device), share)) }
        let norm = try optimizer.clipGradients(toNorm: training.gradientClipping, scaledBy: scale?.value ?? 1)
        guard sum.isFinite else { return nil }
        guard norm.isFinite else { return scale?.shrink() == true ? sum : nil }
        scale?.stepped()
        optimizer.rate = rate(step)
        try optimizer.step()
        try average?.update(step: step)
        return sum
    }

    /// Adds a share of the loss of a batch to the gradients, all of them at the loss scale; gives the loss.
    private func gradients(of batch: Batch, _ share: Double) throws -> Double {
        let share = share * (scale?.value ?? 1)
        let outputs = try withAutocast(precision, on: network.device) { try network.outputs(batch.image) }
        guard network.device == .cpu, outputs[0].shape[1] <= FusedLoss.mostChannels else {
            let value = try loss.value(outputs: outputs, batch: batch)
            try (share == 1 ? value : value * share).backward()
            return Double(try value.item())
        }
        let (value, gradients) = try loss.gradients(outputs: outputs, batch: batch, threads: threads)
        if share != 1 { for gradient in gradients { try gradient.gradient.multiply(by: share) } }
        try Tensor.backward(from: gradients)
        return value
    }

    /// Whether the network, in the mode it is in, answers patches with a loss that is a finite number.
    func isFinite(on batches: [HostBatch]) throws -> Bool {
        try withoutGradients {
            try batches.allSatisfy { batch in
                let batch = try Batch(batch, device: network.device)
                let outputs = try withAutocast(precision, on: network.device) { try network.outputs(batch.image) }
                return try loss.value(outputs: outputs, batch: batch).item().isFinite
            }
        }
    }

    /// The learning rate of a step, from 0.
    func rate(_ step: Int) -> Double {
        training.learningRate * training.schedule.share(ofStep: step, of: training.steps)
    }

    /// Runs `body` with the weights that predict: the average where there is one.
    func withFinalWeights<Result>(_ body: () throws -> Result) throws -> Result {
        try average?.inPlace(body) ?? body()
    }

    // MARK: Checkpoints

    /// All that changes from step to step.
    func state() throws -> [String: Tensor] {
        var tensors = try network.trainingState(with: optimizer)
        for (name, tensor) in average?.state() ?? [:] { tensors["average.\(name)"] = tensor }
        if let scale { tensors["loss_scale"] = try Tensor([Float(scale.value), Float(scale.steps)], shape: [2]) }
        return tensors
    }

    /// Takes up what ``state()`` gave.
    ///
    /// - Throws: `TensorError.state` for a missing or misshaped tensor; part of it may then be taken up.
    func load(_ state: [String: Tensor]) throws {
        try network.loadTrainingState(state, with: optimizer)
        try average?.load { state["average.\($0)"] }
        if scale != nil {
            guard let kept = try state["loss_scale"]?.floats(), kept.count == 2 else {
                throw TensorError.state("tensor 'loss_scale' is missing")
            }
            scale = LossScale(value: Double(kept[0]), steps: Int(kept[1]))
        }
    }
}
