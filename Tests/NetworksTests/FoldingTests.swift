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
