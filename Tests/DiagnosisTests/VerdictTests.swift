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
        return try Verdict(
            signal(configuration), trial, isNormalized: normalization != .none,
            residualBlocks: configuration.graph().residualBlocks.count)
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

    @Test(arguments: ["residual-56", "plain-20", "unet"])
    func networksThatPeopleTrainWillTrain(name: String) throws {
        let verdict = try verdict(name, .batch)
        #expect(verdict.willTrain && verdict.lines[0].hasPrefix("\(name) will train"), "\(verdict.lines)")
    }

    @Test func whatExplodesIsNamedWithItsCure() throws {
        let signal = try signal(configuration("residual-56", .none))
        let trial = TrainingTrial(network: "residual-56", attempts: attempts([3e7, 2e4], learns: false))
        let verdict = Verdict(signal, trial, isNormalized: false, residualBlocks: 27)
        #expect(!verdict.willTrain)
        let text = verdict.lines.joined(separator: " ")
        for words in ["activations explode", "gradients explode", "1/√2", "normalization: batch", "about 10^4"] {
            #expect(text.contains(words), "\(text)")
        }
    }

    @Test func whatIsOddInANetworkThatLearnsIsNoticed() throws {
        let signal = try signal(configuration("plain-56", .batch))
        let trial = TrainingTrial(network: "plain-56", attempts: attempts([0.7, 0.3, 0.3, 0.3], learns: true))
        let verdict = Verdict(signal, trial, isNormalized: true, residualBlocks: 0)
        #expect(verdict.willTrain && verdict.lines[0].contains("within 4 steps"))
        #expect(verdict.lines[1].contains("Noticed: gradients explode"), "\(verdict.lines)")
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
        let text = Verdict(series, trial, isNormalized: false, residualBlocks: 0).lines.joined(separator: " ")
        #expect(text.contains("huge will not train") && text.contains("not a number"), "\(text)")
    }
}
