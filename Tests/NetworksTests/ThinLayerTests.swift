import Networks
import Tensors
import Testing

struct ThinLayerTests {
    /// oneDNN's bf16 leaves parts of such a gradient as memory was; here memory is full of NaN.
    @Test(
        "A convolution deeper than its signal has a whole gradient under autocast",
        arguments: [(2, 3, 1), (4, 5, 1), (4, 3, 2)])
    func gradient(depth: Int, kernel: Int, stride: Int) throws {
        let graph = try Graph(dimensions: 3, inputChannels: 8) {
            [
                $0.convolution(16, kernel: Extents([kernel]), stride: Extents([stride]), "c").convolution(
                    1, kernel: 1, "head")
            ]
        }
        let network = try Network(graph, seed: 1)
        let input = try noise([2, 8, depth, 4, 4], stream: "x")
        func gradient(_ precision: Precision) throws -> Tensor {
            try network.parameters[0].tensor.clearGradient()
            let output = try withAutocast(precision, on: .cpu) { try network(input) }
            try (output * output).mean().backward()
            return try #require(try network.parameters[0].tensor.gradient()).copy()
        }
        let expected = try gradient(.f32)
        let scale = try expected.absolute().largest().item()
        for _ in 0..<8 {
            _ = try (10..<19).map { try Tensor.full([1 << $0], .nan) }
            #expect(try largestDifference(gradient(.bf16), expected) < 0.05 * scale)
        }
    }
}
