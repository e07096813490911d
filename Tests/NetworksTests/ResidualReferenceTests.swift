import Foundation
import Networks
import Tensors
import Testing

/// The networks of `Data/make_residual_reference.py`, which wrote what PyTorch makes of them.
struct ResidualReferenceTests {
    static func configuration(_ name: String) throws -> NetworkConfiguration {
        var c = try Architecture.named("residual-unet").configuration(dimensions: 3)
        (c.levels, c.features, c.outputChannels) = (3, 4, 2)
        if name == "norm-first" {
            c.strides = [[1, 2, 2], [2, 2, 2]]
            c.kernels = [[1, 3, 3], [3, 3, 3], [3, 3, 3]]
            c.residualScale = 0.5.squareRoot()
        } else {
            (c.order, c.shortcut, c.downsampling) = (.original, .identity, .convolution)
        }
        return c
    }

    @Test(
        "A residual U-Net's logits equal PyTorch's", arguments: ["norm-first", "original"],
        [Mode.training, .evaluation])
    func logits(name: String, mode: Mode) throws {
        let path = Bundle.module.path(forResource: "Data/residual-unet-reference", ofType: "safetensors")!
        let expected = try #require(try Safetensors(contentsOf: path).tensors["\(name).\(mode)"])
        let network = try Network(Self.configuration(name), seed: 1)
        try FormulaWeights.fill(network)
        network.mode = mode
        let found = try withoutGradients { try network(FormulaWeights.input([2, 1, 4, 12, 8])) }
        #expect(found.shape == expected.shape)
        #expect(try (found - expected).absolute().largest().item() < 1e-4)
        let spread = try (expected - expected.mean()).power(2).mean().squareRoot().item()
        #expect(spread >= 0.1)
    }
}
