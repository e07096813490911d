import Foundation
import Networks
import Tensors
import Volumes

/// What batch normalization buys, and what it costs.
///
/// It lets a network train at learning rates at which the same network without it diverges (Ioffe & Szegedy 2015;
/// Santurkar et al. 2018; Bjorck et al. 2018); and since it normalizes by the samples that happen to share a batch,
/// it makes a sample's output random, by about 1/√batch, whether the batch is small or cut into ghost batches
/// (Hoffer et al. 2017).
public struct BatchNormBenefit: Sendable {
    public struct Plan: Codable, Equatable, Sendable {
        public var network = ThinClassifier(layers: 20, isResidual: false)
        public var seeds: [UInt64] = [1, 2, 3]
        /// Of each trial of a learning rate.
        public var steps = 200
        public var batch = 64
        /// The lowest rate that is tried; the others are 2, 4, 8, … times it.
        public var firstRate = 1.0 / 512
        /// A rate trains where the mean loss of the last quarter of the steps is below this share of both the loss
        /// at the start and that of guessing.
        public var share = 0.95
        /// The rate of the training before the spread is measured.
        public var spreadRate = 0.05
        public var batchSizes = [2, 4, 8, 16, 32, 64]
        /// Samples whose outputs are observed, and batches that each is observed in.
        public var observedSamples = 16
        public var observedBatches = 100

        public init() {}

        /// For a first look: one seed, fewer layers, steps and batches.
        public static var short: Plan {
            var plan = Plan()
            plan.network.layers = 8
            plan.seeds = [1]
            plan.steps = 120
            plan.observedSamples = 8
            plan.observedBatches = 40
            return plan
        }
    }

    /// A number of steps at one learning rate.
    public struct Trial: Codable, Equatable, Sendable {
        public var rate: Double
        /// The mean of the last quarter of the steps; nil where it was not finite.
        public var loss: Double?
        public var trains: Bool

        /// A loss that was not finite is null, not absent.
        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(rate, forKey: .rate)
            try values.encode(loss, forKey: .loss)
            try values.encode(trains, forKey: .trains)
        }
    }

    /// The search for the highest rate of one network.
    public struct Ladder: Codable, Equatable, Sendable {
        public var isNormalized: Bool
        public var seed: UInt64
        public var trials: [Trial]

        /// The highest rate that trains; nil where none does.
        public var highestRate: Double? { trials.filter(\.trains).map(\.rate).max() }
    }

    /// How much a sample's normalization and output depend on the samples that share its batch.
    public struct Spread: Codable, Equatable, Sendable {
        /// Samples whose statistics are taken together.
        public var batch: Int
        /// Whether they are part of a batch of the largest size.
        public var isGhost: Bool
        /// The standard deviation, over batches, of a channel's mean before the first normalization, divided by the
        /// standard deviation of the channel's values; root mean square over channels.
        public var mean: Double
        /// What independent samples make of it: that of the samples' own means, by (batch)^−1/2.
        public var expectedMean: Double
        /// The standard deviation of a fixed sample's output over batches, divided by that of outputs over samples;
        /// root mean square over samples.
        public var output: Double
    }

    public struct Result: Codable, Equatable, Sendable {
        public var plan: Plan
        /// What the networks were trained on, as text.
        public var data: String
        public var ladders: [Ladder]
        public var spreads: [Spread]

        /// The geometric mean of the highest rates over seeds; nil where one has none.
        public func highestRate(isNormalized: Bool) -> Double? {
            let rates = ladders.filter { $0.isNormalized == isNormalized }.map(\.highestRate)
            guard !rates.isEmpty, rates.allSatisfy({ $0 != nil }) else { return nil }
            return exp(rates.reduce(0) { $0 + log($1 ?? 1) } / Double(rates.count))
        }
    }

    private let task: ClassificationTask
    private let data: String
    private let plan: Plan
    private let device: Device

    /// - Parameter data: what the task was made of, for whoever reads the result.
    public init(task: ClassificationTask, data: String, plan: Plan = Plan(), device: Device = .cpu) {
        self.task = task
        self.data = data
        self.plan = plan
        self.device = device
    }

    /// Measures what `folder` does not hold yet, `threads` parts at a time; nil keeps nothing.
    ///
    /// - Throws: ``DiagnosisStopped`` after saving, where `shouldStop` asks for it; `FileFault` for a folder that
    ///   cannot be written.
    public func run(
        folder: String?, threads: Int, shouldStop: () -> Bool, report: (DiagnosisProgress) -> Void
    ) throws -> Result {
        if let folder { try AtomicFile.makeFolder(folder) }
        let spread = SpreadMeasurement(task: task, plan: plan, device: device)
        let files = try PartialResults(folder: folder, settings: settings())
        let jobs: [Part] = plan.seeds.flatMap { [Part.ladder(true, $0), Part.ladder(false, $0)] } + [Part.spread]
        let costs = jobs.map { part -> Double in if case .ladder(true, _) = part { 2 } else { 1 } }
        let parts = try Workers(threads: threads).run(jobs, costs: costs, shouldStop: shouldStop, report: report) {
            part, desk -> PartResult in
            switch part {
            case .ladder(let isNormalized, let seed):
                let climb = LadderClimb(
                    task: task, plan: plan, device: device, isNormalized: isNormalized, seed: seed)
                return .ladder(try climb.run(files, desk))
            case .spread: return .spreads(try files.value("spread", orElse: { try spread.run(desk) }))
            }
        }
        return Result(
            plan: plan, data: data,
            ladders: parts.compactMap { if case .ladder(let ladder) = $0 { ladder } else { nil } },
            spreads: parts.compactMap { if case .spreads(let spreads) = $0 { spreads } else { nil } }.first ?? [])
    }

    private enum Part: Sendable {
        case ladder(_ isNormalized: Bool, _ seed: UInt64)
        case spread
    }

    private enum PartResult: Sendable {
        case ladder(Ladder)
        case spreads([Spread])
    }

    /// What files must agree with to be taken up.
    private func settings() throws -> String {
        var own = plan
        own.seeds = []
        return try canonicalJSONText(own) + " task \(task.digest)"
    }
}

/// Searches the highest rate that trains: upwards by factors of 2, until two in a row diverge, or do not train after
/// one that did.
private struct LadderClimb {
    let task: ClassificationTask
    let plan: BatchNormBenefit.Plan
    let device: Device
    let isNormalized: Bool
    let seed: UInt64
    /// No more rates are tried.
    private static let longest = 16

    private var name: String { "\(isNormalized ? "with" : "without") batch norm" }

    func run(_ files: PartialResults, _ desk: Workers.Desk) throws -> BatchNormBenefit.Ladder {
        let file = "ladder-\(isNormalized ? "batch" : "none")-seed-\(seed)"
        var ladder =
            files.value(file)
            ?? BatchNormBenefit.Ladder(isNormalized: isNormalized, seed: seed, trials: [])
        while !isDone(ladder.trials) {
            let place = ladder.trials.count
            ladder.trials.append(try attempt(plan.firstRate * exp2(Double(place)), place: place, desk))
            try files.write(ladder, file)
        }
        return ladder
    }

    private func isDone(_ trials: [BatchNormBenefit.Trial]) -> Bool {
        guard trials.count < Self.longest else { return true }
        let (last, isOver) = (trials.suffix(2), trials.contains(where: \.trains))
        return last.count == 2 && last.allSatisfy { $0.loss == nil || isOver && !$0.trains }
    }

    private func attempt(_ rate: Double, place: Int, _ desk: Workers.Desk) throws -> BatchNormBenefit.Trial {
        let graph = try plan.network.graph(
            channels: task.channels, normalization: isNormalized ? .batch : .none)
        let training = try ClassifierTraining(
            graph, task: task, settings: .init(batch: plan.batch), seed: seed, device: device)
        var losses: [Double] = []
        for step in 0..<plan.steps {
            if desk.shouldStop { throw DiagnosisStopped() }
            losses.append(try training.step(step, rate: rate).loss)
            guard losses[step].isFinite else { return BatchNormBenefit.Trial(rate: rate, loss: nil, trains: false) }
            let trials = Double(place) + Double(step + 1) / Double(plan.steps)
            desk.report(
                trials / Double(Self.longest),
                "\(name), seed \(seed): rate \(rate)  loss \(String(format: "%.3f", losses[step]))")
        }
        let last = losses.suffix(max(1, plan.steps / 4))
        let loss = last.reduce(0, +) / Double(last.count)
        return BatchNormBenefit.Trial(
            rate: rate, loss: loss, trains: loss < plan.share * min(losses[0], task.chanceLoss))
    }
}

/// Measures ``BatchNormBenefit/Spread`` on a network that has been trained for a while.
private struct SpreadMeasurement {
    let task: ClassificationTask
    let plan: BatchNormBenefit.Plan
    let device: Device

    func run(_ desk: Workers.Desk) throws -> [BatchNormBenefit.Spread] {
        let seed = plan.seeds.first ?? 1
        let training = try ClassifierTraining(
            plan.network.graph(channels: task.channels), task: task, settings: .init(batch: plan.batch), seed: seed,
            device: device)
        for step in 0..<plan.steps {
            if desk.shouldStop { throw DiagnosisStopped() }
            _ = try training.step(step, rate: plan.spreadRate)
            desk.report(0.3 * Double(step) / Double(plan.steps), "spread: training for it")
        }
        let whole = plan.batchSizes.max() ?? 1
        let means = try withoutGradients { try channelMeans(training.network) }
        let cases = plan.batchSizes.map { ($0, $0, false) } + plan.batchSizes.map { ($0, whole, true) }
        return try cases.enumerated().map { index, sizes in
            let (statistics, batch, isGhost) = sizes
            let network = try Network(
                plan.network.graph(
                    channels: task.channels, normalization: isGhost ? .ghost(virtualBatch: statistics) : .batch),
                seed: seed, device: device)
            try network.load(training.network.stateDictionary())
            let draws = BatchDraws(samples: task.training.count, batch: batch, seed: seed)
            let output = try withoutGradients { try outputSpread(network, draws, desk) }
            desk.report(0.3 + 0.7 * Double(index + 1) / Double(cases.count), "spread: batch \(statistics)")
            let mean = means.spread(draws, statistics: statistics, observedBatches: plan.observedBatches)
            return BatchNormBenefit.Spread(
                batch: statistics, isGhost: isGhost, mean: mean,
                expectedMean: means.sampleSpread / Double(statistics).squareRoot(), output: output)
        }
    }

    /// The spread of fixed samples' outputs over batches, relative to that of outputs over samples.
    private func outputSpread(_ network: Network, _ draws: BatchDraws, _ desk: Workers.Desk) throws -> Double {
        network.mode = .training
        var variances: [Double] = []
        var means: [Double] = []
        for sample in 0..<min(plan.observedSamples, task.training.count) {
            let outputs = try (0..<plan.observedBatches).map { number in
                if desk.shouldStop { throw DiagnosisStopped() }
                let images = try task.batch(
                    of: task.training, draws.batch(number, around: sample), on: device
                ).images
                return Double(try network(images).narrowed(axis: 0, to: 0..<1).item())
            }
            variances.append(variance(outputs))
            means.append(outputs.reduce(0, +) / Double(outputs.count))
        }
        return (variances.reduce(0, +) / Double(variances.count) / variance(means)).squareRoot()
    }

    /// The means of every training sample's channels before the first normalization.
    private func channelMeans(_ network: Network) throws -> ChannelMeans {
        var found: Tensor?
        let probe = Probe(output: { _, node, result in
            if found == nil, case .convolution = node.operation { found = result }
            return nil
        })
        var means: [[Double]] = []
        var squares = [0.0]
        for first in stride(from: 0, to: task.training.count, by: 256) {
            let indices = Array(first..<min(first + 256, task.training.count))
            found = nil
            network.mode = .evaluation
            defer { network.mode = .training }
            _ = try network.outputs(task.batch(of: task.training, indices, on: device).images, probe: probe)
            guard let found else { break }
            let channels = found.shape[1]
            if squares.count != channels { squares = Array(repeating: 0, count: channels) }
            let mean = try found.mean([2, 3]).floats().map(Double.init)
            for sample in indices.indices { means.append(Array(mean[sample * channels..<(sample + 1) * channels])) }
            for (channel, value) in try (found * found).mean([0, 2, 3]).floats().enumerated() {
                squares[channel] += Double(value) * Double(indices.count)
            }
        }
        return ChannelMeans(means: means, squares: squares.map { $0 / Double(task.training.count) })
    }
}

/// Means of samples' channels, and the mean squares of channels over all samples.
private struct ChannelMeans {
    /// By sample, by channel.
    let means: [[Double]]
    let squares: [Double]

    /// The root mean square, over channels, of a deviation in units of the channel's own.
    private func relative(_ variance: (Int) -> Double) -> Double {
        let shares = squares.indices.map { channel in
            let mean = means.reduce(0) { $0 + $1[channel] } / Double(means.count)
            let whole = squares[channel] - mean * mean
            return whole > 0 ? variance(channel) / whole : 0
        }
        return (shares.reduce(0, +) / Double(max(1, shares.count))).squareRoot()
    }

    /// Between samples.
    var sampleSpread: Double { relative { channel in variance(means.map { $0[channel] }) } }

    /// Between batches, or the ghost batches that a batch's first sample is in.
    func spread(_ draws: BatchDraws, statistics: Int, observedBatches: Int) -> Double {
        // Many, for they cost nothing.
        let batches = (0..<observedBatches * 20).map {
            Array(draws.batch($0, around: nil).prefix(statistics))
        }
        return relative { channel in
            variance(batches.map { batch in batch.reduce(0) { $0 + means[$1][channel] } / Double(batch.count) })
        }
    }
}

/// Random batches of different samples.
private struct BatchDraws {
    let samples: Int
    let batch: Int
    private let random: CounterRandom

    init(samples: Int, batch: Int, seed: UInt64) {
        self.samples = samples
        self.batch = min(batch, samples)
        random = CounterRandom(seed: seed, stream: "spread \(batch)")
    }

    /// The indices of a batch; the first is `sample`, where there is one.
    func batch(_ number: Int, around sample: Int?) -> [Int] {
        var indices = sample.map { [$0] } ?? []
        var place = UInt64(number) << 32 | UInt64(sample.map { $0 + 1 } ?? 0) << 16
        while indices.count < batch {
            let index = Int(random.bits(place).multipliedFullWidth(by: UInt64(samples)).high)
            place += 1
            if !indices.contains(index) { indices.append(index) }
        }
        return indices
    }
}

/// With n − 1.
private func variance(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count - 1))
}

/// Parts of a result in JSON files, each with the settings it was made with.
private struct PartialResults: Sendable {
    let folder: String?
    let settings: String

    private struct Entry<Value: Codable>: Codable {
        var settings: String
        var value: Value
    }

    private func path(_ name: String) -> String? { folder.map { "\($0)/\(name).json" } }

    func value<Value: Codable>(_ name: String) -> Value? {
        guard let path = path(name), let data = FileManager.default.contents(atPath: path),
            let entry = try? JSONDecoder().decode(Entry<Value>.self, from: data), entry.settings == settings
        else { return nil }
        return entry.value
    }

    /// What is kept under a name, or is made and then kept.
    func value<Value: Codable>(_ name: String, orElse make: () throws -> Value) throws -> Value {
        if let value: Value = value(name) { return value }
        let made = try make()
        try write(made, name)
        return made
    }

    func write<Value: Codable>(_ value: Value, _ name: String) throws {
        guard let path = path(name) else { return }
        try AtomicFile.write(canonicalJSON(Entry(settings: settings, value: value)), to: path)
    }
}
