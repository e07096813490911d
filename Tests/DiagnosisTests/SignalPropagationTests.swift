import Diagnosis
import Foundation
import Networks
import Tensors
import Testing

/// What theory says of variances at initialization, measured over 20 blocks of 256 channels and 32 seeds.
@Suite(.serialized) struct SignalPropagationTests {
    private let seeds: Range<UInt64> = 0..<32

    private func variances(_ chain: ReferenceChain) throws -> [Double] {
        try Libtorch.setThreads(1)
        return try chain.measure(seeds: seeds).layers.map(\.activation)
    }

    /// The input has variance 1.
    private func growth(_ variances: [Double]) -> Double {
        pow(variances[variances.count - 1], 1 / Double(variances.count))
    }

    @Test(arguments: [(ReferenceChain.residual, 2.0), (.scaledResidual, 1.0), (.plain, 1.0)])
    func aResidualSumDoublesTheVarianceUnlessScaled(chain: ReferenceChain, expected: Double) throws {
        let factor = growth(try variances(chain))
        #expect(abs(factor / expected - 1) < 0.1, "a factor of \(factor) a block")
    }

    @Test func withBatchNormFirstEveryBlockAddsOne() throws {
        let variances = try variances(.normalizedResidual)
        var before = 1.0
        for (index, variance) in variances.enumerated() {
            let block = Double(index + 1)
            #expect(abs(variance / (1 + block) - 1) < 0.1, "after block \(block)")
            // The block's share: later blocks are nearer to the identity.
            #expect(abs((variance - before) / variance * (block + 1) - 1) < 0.25, "share of block \(block)")
            before = variance
        }
    }

    /// 3-convolutions with circular borders have the variances of matrices.
    @Test func circularConvolutionsKeepToTheory() throws {
        let variances = try ReferenceChain.residual.measure(blocks: 6, width: 64, kernel: 3, seeds: 0..<8).layers
        let factor = pow(variances[5].activation, 1 / 6)
        #expect(abs(factor / 2 - 1) < 0.1, "a factor of \(factor) a block")
    }

    @Test func linearFirstBranchesAddCoherently() throws {
        let factor = growth(try variances(.linearFirstResidual))
        // Were branch and signal uncorrelated, half of He's variance would be added and a mean besides.
        #expect(factor > 2.1, "a factor of \(factor) a block")
    }

    @Test func everyLayerOfANetworkIsMeasured() throws {
        let configuration = try NetworkConfiguration("unet", dimensions: 2) {
            $0.levels = 2
            $0.features = 4
        }
        let network = try Network(configuration, seed: 1)
        let input = try Tensor.gaussian([2, 1, 16, 16], CounterRandom(seed: 1, stream: "x"))
        let series = try SignalPropagation.measure(network, name: "unet", input: input, seed: 1)
        #expect(series.layers.count == 8)
        #expect(series.layers.allSatisfy { $0.activation > 0 && $0.gradient > 0 })
        // The head's gradient is what was put in.
        #expect(abs((series.layers.last?.gradient ?? 0) - 1) < 0.2)
        // By hand: the first convolution's own variance.
        let convolved = try withoutGradients {
            try input.convolved(network.parameters[0].tensor, stride: [1, 1], padding: [1, 1]).floats().map(
                Double.init)
        }
        let mean = convolved.reduce(0, +) / Double(convolved.count)
        let variance = convolved.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(convolved.count)
        #expect(abs(series.layers[0].activation / variance - 1) < 1e-4)
    }
}
