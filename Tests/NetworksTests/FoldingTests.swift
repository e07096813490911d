import Networks
import Tensors
import Testing

struct FoldingTests {
    /// A network whose statistics and scales are not the initial ones.
    func trained(_ normalization: Normalization, _ upsampling: Upsampling, dimensions: Int = 3) throws -> Network {
        let network = try Network(
            NetworkConfiguration("unet", dimensions: dimensions) {
                $0.levels = 3
                $0.features = 8
                $0.normalization = normalization
                $0.upsampling = upsampling
            },
            seed: 3)
        let optimizer = try AdamW(network.parameters, rate: 0.02)
        for step in 0..<3 {
            let x = try noise([2, 1] + Array(repeating: 8, count: dimensions), stream: "\(step)")
            try optimizer.clearGradients()
            try network(x).binaryCrossEntropy(withTarget: x.isGreater(than: 0).to(.float32)).backward()
            try optimizer.step()
        }
        network.mode = .evaluation
        return network
    }

    @Test(
        "The folded network computes what the network computes",
        arguments: Normalization.examples, [(true, 3), (false, 3), (true, 2)])
    func equal(normalization: Normalization, variant: (fusing: Bool, dimensions: Int)) throws {
        for upsampling in Upsampling.allCases {
            let network = try trained(normalization, upsampling, dimensions: variant.dimensions)
            let x = try noise([1, 1] + Array(repeating: 16, count: variant.dimensions), stream: "x")
            let expected = try withoutGradients { try network(x) }
            let found = try network.folded(precision: .f32, fusing: variant.fusing)(x)
            let scale = max(1, try expected.absolute().largest().item())
            let difference = try largestDifference(found, expected)
            #expect(difference < 1e-5 * scale, "largest logit \(scale)")
        }
    }

    @Test(arguments: Normalization.examples)
    func bf16AgreesToItsRoundingAndGivesF32(normalization: Normalization) throws {
        let network = try trained(normalization, .transposedConvolution)
        let x = try noise([1, 1, 16, 16, 16], stream: "x")
        let expected = try withoutGradients { try network(x) }
        let found = try network.folded(precision: .bf16)(x)
        #expect(found.elementType == .float32)
        let scale = try expected.absolute().largest().item()
        let difference = try largestDifference(found, expected)
        #expect(difference > 0 && difference < 0.05 * scale)
    }

    static let parts =
        SmallNetworks.names.flatMap { name in [(name, 3), (name, 2)] } + [("resnet-unet", 2), ("densenet-unet", 2)]

    @Test("A part of the logits is what it is of all of them", arguments: parts)
    func part(name: String, dimensions: Int) throws {
        for normalization in [Normalization.batch, .group(groups: 2)] {
            let network = try Network(
                SmallNetworks.configuration(name, dimensions: dimensions) { $0.normalization = normalization },
                seed: 3)
            let extents = try SmallNetworks.extents(network.graph, atLeast: dimensions == 3 ? 32 : 64)
            let x = try noise([1, 1] + extents, stream: "x")
            network.mode = .population
            _ = try withoutGradients { try network(x) }
            try network.storePopulationStatistics()
            network.mode = .evaluation
            let folded = try network.folded(precision: .f32)
            let all = try folded(x)
            let scale = max(1, try all.absolute().largest().item())
            let side = all.shape.last!
            for first in [0..<1, 1..<side - 1, side / 2..<side / 2 + 3, side - 5..<side] {
                let kept = [first] + Array(repeating: side / 2 - 1..<side - side / 4, count: dimensions - 1)
                let part = try folded(x, keeping: kept)
                let difference = try largestDifference(part, all.cropped(to: kept))
                #expect(difference < 1e-5 * scale, "\(normalization), \(kept) of \(side), largest logit \(scale)")
            }
        }
    }

    /// By hand, of a network of two levels whose convolutions see 3 voxels: the last two of 12 and 4 channels each want a
    /// voxel more on both sides, of 32 on all axes.
    @Test func whatDoesNotBearOnAPartIsNotComputed() throws {
        let graph = try NetworkConfiguration("unet") {
            $0.levels = 2
            $0.features = 4
        }.graph()
        let cost = PredictionCost(of: graph)
        let part = try cost(of: [32, 32, 32], keeping: Array(repeating: 10..<20, count: 3))
        let encoder = 27 * (4 * 32 * 32 * 32 + 4 * 4 * 32 * 32 * 32 + (4 * 8 + 8 * 8) * 16 * 16 * 16)
        let (upsampling, decoder) = (8 * 4 * 32 * 32 * 32, 27 * (8 * 4 + 4 * 4) * 14 * 14 * 14)
        #expect(part.multiplyAdds == encoder + upsampling + decoder + 4 * 14 * 14 * 14)
        // While the second convolution runs.
        #expect(part.liveNumbers == 8 * 32 * 32 * 32)
        let whole = try cost(of: [32, 32, 32], keeping: Array(repeating: 0..<32, count: 3))
        #expect(whole.multiplyAdds == (try graph.multiplyAdds(of: [32, 32, 32])))
        // What is concatenated, 4 of its 8 channels once more as they come from below, and the 8 channels there.
        #expect(whole.liveNumbers == (8 + 4) * 32 * 32 * 32 + 8 * 16 * 16 * 16)
    }

    @Test func foldedNetworkKeepsItsWeights() throws {
        let network = try trained(.batch, .transposedConvolution)
        let x = try noise([1, 1, 8, 8, 8], stream: "x")
        let folded = try network.folded(precision: .f32)
        let before = try folded(x).floats()
        for part in network.parameters { try withoutGradients { try part.tensor.multiply(by: 2) } }
        #expect(try folded(x).floats() == before)
    }
}

/// Standard normal numbers, a function of the stream.
func noise(_ shape: [Int], stream: String) throws -> Tensor {
    let random = CounterRandom(seed: 9, stream: stream)
    return try Tensor((0..<shape.reduce(1, *)).map { Float(random.normal(UInt64($0))) }, shape: shape)
}
