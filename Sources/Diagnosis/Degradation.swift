import Foundation
import Networks
import Tensors
import Volumes

/// Trains plain networks of two depths and their residual twins on the same task by the same schedule: deeper plain
/// networks fit even the training samples worse, which is not overfitting but a failure to optimize (He et al. 2015).
///
/// Batch normalization, He initialization, SGD with Nesterov's momentum of 0.9 and weight decay 1e-4, the rate divided by 10 after
/// a half and three quarters of the steps, samples mirrored at random.
public struct Degradation: Sendable {
    public struct Plan: Codable, Equatable, Sendable {
        public var layers = [20, 56]
        public var features = 8
        public var seeds: [UInt64] = [1, 2, 3]
        public var steps = 2_500
        public var batch = 64
        public var learningRate = 0.03
        /// Points of each curve.
        public var points = 30

        public init() {}
    }

    /// A place on a run's curves.
    public struct Point: Codable, Equatable, Sendable {
        /// Steps done.
        public var step: Int
        /// Means over the batches since the last point.
        public var trainingLoss: Double
        public var trainingError: Double
        /// Over all test samples.
        public var testLoss: Double
        public var testError: Double
    }

    /// One network trained from one seed.
    public struct Run: Codable, Equatable, Sendable {
        public var network: ThinClassifier
        public var seed: UInt64
        public var points: [Point]
    }

    public struct Result: Codable, Equatable, Sendable {
        public var plan: Plan
        public var trainingSamples: Int
        public var testSamples: Int
        public var runs: [Run]
    }

    private let task: ClassificationTask
    private let plan: Plan
    private let device: Device

    public init(task: ClassificationTask, plan: Plan = Plan(), device: Device = .cpu) {
        self.task = task
        self.plan = plan
        self.device = device
    }

    /// Trains what `folder` does not hold yet, `threads` networks at a time.
    ///
    /// A finished run is a JSON file there, one in progress a checkpoint every half minute.
    ///
    /// - Throws: ``DiagnosisStopped`` after saving, where `shouldStop` asks for it; `FileFault` for a folder that
    ///   cannot be written.
    public func run(
        folder: String, threads: Int, shouldStop: () -> Bool, report: (DiagnosisProgress) -> Void
    ) throws -> Result {
        try AtomicFile.makeFolder(folder)
        let networks = [false, true].flatMap { isResidual in
            plan.layers.map { ThinClassifier(layers: $0, isResidual: isResidual, features: plan.features) }
        }
        let trainings = try plan.seeds.flatMap { seed in
            try networks.map { try DegradationTraining(task, plan, $0, seed: seed, folder: folder, device) }
        }
        let runs = try Workers(threads: threads).run(
            trainings, costs: trainings.map { Double($0.network.layers) }, shouldStop: shouldStop, report: report
        ) { training, desk in try training.run(desk) }
        return Result(
            plan: plan, trainingSamples: task.training.count, testSamples: task.test.count,
            runs: networks.flatMap { network in runs.filter { $0.network == network } })
    }
}

extension Degradation.Result {
    /// The mean over seeds of a network's training loss at the last point.
    public func finalTrainingLoss(of network: ThinClassifier) -> Double? {
        let losses = runs.filter { $0.network == network }.compactMap { $0.points.last?.trainingLoss }
        return losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count)
    }

    /// The networks, each once.
    public var networks: [ThinClassifier] {
        var networks: [ThinClassifier] = []
        for run in runs where !networks.contains(run.network) { networks.append(run.network) }
        return networks
    }
}

/// One of the runs, with its files.
private struct DegradationTraining: Sendable {
    let network: ThinClassifier
    private let task: ClassificationTask
    private let plan: Degradation.Plan
    private let seed: UInt64
    private let device: Device
    private let path: String
    /// Of task and plan: files of others are not taken up.
    private let settings: String

    init(
        _ task: ClassificationTask, _ plan: Degradation.Plan, _ network: ThinClassifier, seed: UInt64,
        folder: String, _ device: Device
    ) throws {
        self.task = task
        self.plan = plan
        self.network = network
        self.seed = seed
        self.device = device
        path = "\(folder)/\(network.name)-seed-\(seed)"
        var own = plan
        // Runs of other networks and seeds leave this one as it is.
        (own.layers, own.seeds) = ([], [])
        settings = try canonicalJSONText(own) + " task \(task.digest)"
    }

    private struct Finished: Codable {
        var settings: String
        var run: Degradation.Run
    }

    /// What a checkpoint keeps beside the tensors.
    private struct State: Codable {
        var settings: String
        var step = 0
        var points: [Degradation.Point] = []
        /// Sums since the last point.
        var loss = 0.0
        var error = 0.0
    }

    func run(_ desk: Workers.Desk) throws -> Degradation.Run {
        if let data = FileManager.default.contents(atPath: path + ".json"),
            let finished = try? JSONDecoder().decode(Finished.self, from: data), finished.settings == settings
        {
            return finished.run
        }
        var (training, state) = try start()
        var saved = Date()
        while state.step < plan.steps {
            if desk.shouldStop {
                try save(training, state)
                throw DiagnosisStopped()
            }
            let score = try training.step(state.step, rate: rate(state.step))
            state.step += 1
            state.loss += score.loss
            state.error += score.error
            if state.step % interval == 0 || state.step == plan.steps { try addPoint(&state, training) }
            desk.report(
                Double(state.step) / Double(plan.steps),
                "\(network.name), seed \(seed): step \(state.step)/\(plan.steps)  "
                    + "loss \(String(format: "%.3f", state.points.last?.trainingLoss ?? score.loss))")
            if Date().timeIntervalSince(saved) > 30 {
                try save(training, state)
                saved = Date()
            }
        }
        let run = Degradation.Run(network: network, seed: seed, points: state.points)
        try AtomicFile.write(canonicalJSON(Finished(settings: settings, run: run)), to: path + ".json")
        try? FileManager.default.removeItem(atPath: path + ".safetensors")
        return run
    }

    /// Steps from a point to the next.
    private var interval: Int { max(1, plan.steps / plan.points) }

    private func rate(_ step: Int) -> Double {
        plan.learningRate * (step < plan.steps / 2 ? 1 : step < plan.steps * 3 / 4 ? 0.1 : 0.01)
    }

    private func addPoint(_ state: inout State, _ training: ClassifierTraining) throws {
        let steps = Double(state.step - (state.points.last?.step ?? 0))
        let test = try training.score(on: task.test)
        state.points.append(
            Degradation.Point(
                step: state.step, trainingLoss: state.loss / steps, trainingError: state.error / steps,
                testLoss: test.loss, testError: test.error))
        (state.loss, state.error) = (0, 0)
    }

    /// From the checkpoint, or from the seed where there is none that can be used.
    private func start() throws -> (ClassifierTraining, State) {
        func fresh() throws -> ClassifierTraining {
            try ClassifierTraining(
                network.graph(channels: task.channels), task: task, settings: .init(batch: plan.batch), seed: seed,
                device: device)
        }
        let training = try fresh()
        guard let file = try? Safetensors(contentsOf: path + ".safetensors"),
            let state = try? JSONDecoder().decode(State.self, from: Data((file.metadata["state"] ?? "").utf8)),
            state.settings == settings
        else { return (training, State(settings: settings)) }
        do {
            try training.load(file)
            return (training, state)
        } catch {
            // Half of it may have been taken up.
            return (try fresh(), State(settings: settings))
        }
    }

    private func save(_ training: ClassifierTraining, _ state: State) throws {
        try training.save(
            to: path + ".safetensors", state: try canonicalJSONText(state))
    }
}
