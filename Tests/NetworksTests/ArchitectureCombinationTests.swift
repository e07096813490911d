import Networks
import Tensors
import Testing

/// Every architecture with every normalization and activation: it trains as a whole and folds.
struct ArchitectureCombinationTests {
    @Test("Each combination trains and folds", arguments: SmallNetworks.names, Normalization.examples)
    func combination(name: String, normalization: Normalization) throws {
        for activation in Activation.allCases {
            try check(
                SmallNetworks.configuration(name, dimensions: 2) {
                    ($0.normalization, $0.activation) = (normalization, activation)
                })
        }
    }

    @Test(
        "So does every kind of block in every architecture that leaves it open",
        arguments: ["unet", "unet-2015", "unet-2016", "nnunet", "hourglass", "resnet-unet", "densenet-unet"],
        BlockKind.allCases)
    func block(name: String, kind: BlockKind) throws {
        try check(
            SmallNetworks.configuration(name, dimensions: 2) {
                // A quarter of the channels of a bottleneck must be one.
                ($0.block, $0.features, $0.deepSupervision) = (kind, 8, true)
            })
    }

    private func check(_ configuration: NetworkConfiguration) throws {
        try Libtorch.setThreads(1)
        let network = try Network(configuration, seed: 1)
        let extents = try SmallNetworks.extents(network.graph, atLeast: 16)
        let x = try FormulaWeights.input([2, 1] + extents)
        let outputs = try network.outputs(x)
        try outputs.dropFirst().reduce(outputs[0].power(2).mean()) { try $0 + $1.power(2).mean() }.backward()
        for parameter in network.parameters {
            let gradient = try #require(try parameter.tensor.gradient(), "\(parameter.name)")
            #expect(try gradient.absolute().largest().item().isFinite)
        }
        network.mode = .evaluation
        let expected = try withoutGradients { try network(x) }
        let scale = try expected.absolute().largest().item()
        let exact = try network.folded(precision: .f32)(x)
        #expect(try (exact - expected).absolute().largest().item() <= 1e-4 * scale)
        let rounded = try network.folded(precision: .bf16)(x)
        #expect(rounded.elementType == .float32)
        #expect(try (rounded - expected).absolute().largest().item() <= 0.1 * scale)
    }
}
