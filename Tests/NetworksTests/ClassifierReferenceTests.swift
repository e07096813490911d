import Foundation
import Networks
import Tensors
import Testing

/// Classifiers with the weights of ``FormulaWeights`` give what PyTorch's give (`Data/make_classifier_reference.py`).
struct ClassifierReferenceTests {
    struct Case: Sendable {
        let name: String
        var architecture: String?
        var mode = Mode.evaluation
        /// In training mode f32 alone is 1e-4 off, in PyTorch too: statistics of 18 samples amplify its rounding.
        var type = Tensor.ElementType.float32
        var extents = [80, 96]
        var order = ResidualOrder.original
        /// 4 in the networks that the script writes out, which have 10 classes.
        var features: Int?
        var meanScale = 0.7
    }

    static let cases = [
        Case(name: "resnet-50"),
        Case(name: "resnet-50", mode: .training, type: .float64),
        Case(name: "densenet-121"),
        Case(name: "preactivated-resnet-50", architecture: "resnet-50", order: .preactivation, features: 4),
        Case(name: "residual-20", extents: [25, 22], features: 4),
        Case(name: "plain-20", extents: [25, 22], features: 4, meanScale: 1),
    ]

    @Test(arguments: cases)
    func outputsEqualPyTorchs(of it: Case) throws {
        var configuration = try ClassifierTests.configuration(it.architecture ?? it.name)
        configuration.order = it.order
        if let features = it.features {
            configuration.features = features
            configuration.outputChannels = 10
        }
        let network = try Network(configuration, seed: 1, elementType: it.type)
        try FormulaWeights.fill(network, meanScale: it.meanScale)
        network.mode = it.mode
        let contrast = try Tensor([1, 4] as [Float], shape: [2, 1, 1, 1])
        let input = try (FormulaWeights.input([2, 3] + it.extents) * contrast).to(it.type)
        let outputs = try withoutGradients { try network(input).floats() }

        let path = Bundle.module.path(forResource: "Data/classifier-reference", ofType: "safetensors")!
        let reference = try Safetensors(contentsOf: path).tensors["\(it.name).\(it.mode)"]!.floats()
        try #require(outputs.count == reference.count)
        #expect(zip(outputs, reference).map { abs($0 - $1) }.max()! < 1e-4)
        if it.mode == .evaluation {
            let folded = try network.folded(precision: .f32)(input).floats()
            #expect(zip(folded, reference).map { abs($0 - $1) }.max()! < 1e-4, "folded")
        }
        // Agreement would mean little of outputs near 0, or of such as do not depend on the input.
        let half = reference.count / 2
        #expect(deviation(reference) > 0.1)
        #expect(deviation(zip(reference[..<half], reference[half...]).map { $0 - $1 }) > 0.1)
    }

    func deviation(_ numbers: [Float]) -> Float {
        let mean = numbers.reduce(0, +) / Float(numbers.count)
        return (numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(numbers.count)).squareRoot()
    }
}
