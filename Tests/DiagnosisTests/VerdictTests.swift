import Diagnosis
import Networks
import Tensors
import Testing

/// What the text says of networks that are known to train, and of some that are known not to.
struct VerdictTests {
    private let extents = [16, 16]

    private func configuration(_ name: String, _ normalization: Normalization) throws -> NetworkConfiguration {
        try NetworkConfiguration(name, dimensions: 2) {
            $0.normalization = normalization
            $0.features = 8
        }
    }

    private func signal(_ configuration: NetworkConfiguration) throws -> SignalPropagation.Series {
        let input = try Tensor.gaussian(
            [4, configuration.inputChannels] + extents, CounterRandom(seed: 1, stream: "x"))
        return try SignalPropagation.measure(
            Network(configuration, seed: 1), name: configuration.architecture, input: input, seed: 1)
    }

    private func verdict(_ name: String, _ normalization: Normalization) throws -> Verdict {
        try Libtorch.setThreads(1)
        let configuration = try configuration(name, normalization)
        let trial = try TrainingTrial.run(name: name, extents: extents, steps: 30) {
            try Network(configuration, seed: $0)
        }
        return try Verdict(signal(configuration), trial, TrainingAids(configuration))
    }

    private func attempts(_ losses: [Double], learns: Bool) -> [TrainingTrial.Attempt] {
        (1...2).map { TrainingTrial.Attempt(learningRate: 1e-3, seed: $0, losses: losses, learns: learns) }
    }

    @Test func aDeepPlainNetworkWithoutNormalizationWillNotTrain() throws {
        let verdict = try verdict("plain-56", .none)
        #expect(!verdict.willTrain)
        let text = verdict.lines.joined(separator: " ")
        for words in ["plain-56 will not train", "shattered", "residual connections with batch norm first"] {
            #expect(text.contains(words), "\(text)")
        }
    }

    /// Some initial weights serve, so "will not train" would be untrue.
    @Test func aNetworkThatLearnsNowAndThenIsHardToTrain() throws {
        let signal = try signal(configuration("plain-56", .batch))
        let trial = TrainingTrial(
            network: "plain-56",
            attempts: attempts([0.7, 0.6], learns: false) + [
                TrainingTrial.Attempt(learningRate: 1e-2, seed: 1, losses: [0.7, 0.3, 0.3, 0.3], learns: true)
            ])
        let verdict = Verdict(signal, trial, TrainingAids(isNormalized: true, residualBlocks: 0))
        #expect(!verdict.willTrain)
        #expect(
            verdict.lines[0].hasPrefix(
                "plain-56 is hard to train: at learning rates of 0.001 and 0.01 (AdamW) only 1 of 3 attempts"),
            "\(verdict.lines)")
        #expect(verdict.lines[0].contains("the loss of the others is 0.6 at best"))
    }

    @Test(arguments: ["residual-56", "plain-20", "unet"])
    func networksThatPeopleTrainWillTrain(name: String) throws {
        let verdict = try verdict(name, .batch)
        #expect(verdict.willTrain && verdict.lines[0].hasPrefix("\(name) will train"), "\(verdict.lines)")
    }

    @Test func whatExplodesIsNamedWithItsCure() throws {
        let signal = try signal(configuration("residual-56", .none))
        let trial = TrainingTrial(network: "residual-56", attempts: attempts([3e7, 2e4], learns: false))
        let verdict = Verdict(signal, trial, TrainingAids(isNormalized: false, residualBlocks: 27))
        #expect(!verdict.willTrain)
        let text = verdict.lines.joined(separator: " ")
        for words in ["activations explode", "gradients explode", "1/√2", "normalization: batch", "about 10^4"] {
            #expect(text.contains(words), "\(text)")
        }
    }

    @Test func whatIsOddInANetworkThatLearnsIsNoticed() throws {
        let signal = try signal(configuration("plain-56", .batch))
        let trial = TrainingTrial(network: "plain-56", attempts: attempts([0.7, 0.3, 0.3, 0.3], learns: true))
        let verdict = Verdict(signal, trial, TrainingAids(isNormalized: true, residualBlocks: 0))
        #expect(verdict.willTrain && verdict.lines[0].contains("within 4 steps"))
        #expect(verdict.lines[1].contains("Noticed: gradients explode"), "\(verdict.lines)")
    }

    @Test func theFactorsAreThoseOfTheCurvesWithoutTheOutputLayer() throws {
        func layer(_ activation: Double, _ gradient: Double) -> SignalPropagation.Layer {
            SignalPropagation.Layer(name: "", activation: activation, gradient: gradient)
        }
        let series = SignalPropagation.Series(
            name: "net", layers: [layer(2, 8e-7), layer(3, 1e-6), layer(1, 2e-6), layer(0.01, 0.9)])
        #expect(series.inner.count == 3 && series.activationChange == 0.5)
        #expect(abs(series.gradientChange - 0.4) < 1e-12)
        for learns in [true, false] {
            let trial = TrainingTrial(network: "net", attempts: attempts([0.3, 0.3, 0.3], learns: learns))
            let text = Verdict(series, trial, TrainingAids(isNormalized: false, residualBlocks: 0)).lines[1]
            #expect(text.contains("activations changes by a factor of 0.5 "), "\(text)")
            #expect(text.contains("gradients by 0.4 "), "\(text)")
        }
    }

    @Test func theRateAndTheAttemptsThatFailedAreNamed() {
        func attempt(_ rate: Double, _ seed: UInt64, _ steps: Int, _ learns: Bool) -> TrainingTrial.Attempt {
            TrainingTrial.Attempt(
                learningRate: rate, seed: seed, losses: Array(repeating: 0.5, count: steps), learns: learns)
        }
        let series = SignalPropagation.Series(name: "net", layers: [])
        let aids = TrainingAids(isNormalized: true, residualBlocks: 0)
        let trial = TrainingTrial(
            network: "net",
            attempts: [
                attempt(1e-3, 1, 50, false), attempt(1e-3, 2, 11, true), attempt(1e-3, 3, 50, false),
                attempt(1e-2, 1, 7, true), attempt(1e-2, 2, 50, false), attempt(1e-2, 3, 23, true),
            ])
        let line = Verdict(series, trial, aids).lines[0]
        #expect(line.hasPrefix("net will train: at a learning rate of 0.01 (AdamW), 2 of 3 attempts"), "\(line)")
        #expect(line.hasSuffix("within 23 steps, at 0.001 1 of 3."), "\(line)")
        let failed = TrainingTrial(network: "net", attempts: Array(trial.attempts[..<3]))
        #expect(Verdict(series, failed, aids).lines[0].contains("only 1 of 3 attempts"))
    }

    @Test func noCureIsNamedThatANetworkHas() throws {
        let series = SignalPropagation.Series(name: "net", layers: [])
        let trial = TrainingTrial(network: "net", attempts: attempts([0.7], learns: false))
        func cure(_ aids: TrainingAids) -> String { Verdict(series, trial, aids).lines[2] }
        let (plain, normalized) = (
            TrainingAids(isNormalized: false, residualBlocks: 0),
            TrainingAids(isNormalized: true, residualBlocks: 0)
        )
        #expect(cure(plain).contains("batch norm after every convolution"))
        #expect(cure(normalized).contains("residual") && !cure(normalized).contains("after every convolution"))
        let scaled = TrainingAids(isNormalized: false, residualBlocks: 9, isScaled: true)
        #expect(cure(scaled).contains("batch norm first") && !cure(scaled).contains("1/√2"))
        for isScaled in [false, true] {
            let all = TrainingAids(
                isNormalized: true, residualBlocks: 9, isNormalizedFirst: true, isScaled: isScaled)
            #expect(!cure(all).contains("The cure") && !cure(all).contains("batch norm"), "\(cure(all))")
            #expect(cure(all).contains("fewer layers") && cure(all).contains("a learning rate below 0.001"))
            #expect(!Verdict(series, trial, all).lines[1].contains("shattered"))
        }
    }

    @Test func whatANetworkHasIsReadFromItsSettings() throws {
        func aids(_ name: String, _ change: (inout NetworkConfiguration) -> Void = { _ in }) throws -> TrainingAids
        {
            try TrainingAids(NetworkConfiguration(name, dimensions: 2, change))
        }
        #expect(try aids("plain-20") == TrainingAids(isNormalized: true, residualBlocks: 0))
        #expect(try aids("residual-20") == TrainingAids(isNormalized: true, residualBlocks: 9))
        #expect(
            try aids("residual-20") { ($0.order, $0.residualScale) = (.preactivation, 0.5) }
                == TrainingAids(isNormalized: true, residualBlocks: 9, isNormalizedFirst: true, isScaled: true))
        #expect(
            try aids("residual-20") { ($0.order, $0.normalization) = (.preactivation, .none) }
                == TrainingAids(isNormalized: false, residualBlocks: 9))
    }

    @Test func anAttemptEndsWithTheFirstLossThatIsNoNumber() throws {
        let trial = try TrainingTrial.run(name: "huge", extents: [8, 8]) { seed in
            let network = try Network(configuration("plain-20", .none), seed: seed)
            for parameter in network.parameters {
                try withoutGradients { try parameter.tensor.multiply(by: 1e30) }
            }
            return network
        }
        #expect(trial.attempts.count == 4 && !trial.learns)
        #expect(trial.attempts.allSatisfy { $0.losses.isEmpty && !$0.learns })
        let series = SignalPropagation.Series(name: "huge", layers: [])
        let text = Verdict(series, trial, TrainingAids(isNormalized: false, residualBlocks: 0)).lines.joined(
            separator: " ")
        #expect(text.contains("huge will not train") && text.contains("not a number"), "\(text)")
    }
}
