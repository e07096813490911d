import Foundation
import Networks
import Tensors
import Testing

/// The network of `Data/make_reference.py`, which wrote what PyTorch makes of it.
struct ReferenceTests {
    let file: [String: Tensor]
    let network: Network

    init() throws {
        let path = Bundle.module.path(forResource: "Data/unet-reference", ofType: "safetensors")!
        file = try Safetensors(contentsOf: path).tensors
        network = try Network(
            NetworkConfiguration("unet") {
                $0.levels = 3
                $0.features = 2
                $0.kernels = [[1, 3, 3], [3, 3, 3], [3, 3, 3]]
                $0.strides = [[1, 2, 2], [2, 2, 2]]
            },
            seed: 1)
        try network.load(part("initial"))
    }

    func part(_ prefix: String) -> [String: Tensor] {
        let chosen = file.filter { $0.key.hasPrefix(prefix + ".") }
        return Dictionary(
            uniqueKeysWithValues: chosen.map { (String($0.key.dropFirst(prefix.count + 1)), $0.value) })
    }

    func loss() throws -> Tensor {
        try network(file["input"]!).binaryCrossEntropy(withTarget: file["target"]!, weight: file["weight"]!)
    }

    @Test func logitsAndLossEqualPyTorchs() throws {
        #expect(try largestDifference(network(file["input"]!), file["logits"]!) < 1e-5)
        #expect(try abs(loss().item() - file["loss"]!.item()) < 1e-6)
    }

    @Test func gradientsEqualPyTorchs() throws {
        try loss().backward()
        for parameter in network.parameters {
            let gradient = try #require(try parameter.tensor.gradient())
            #expect(
                try largestDifference(gradient, file["gradient.\(parameter.name)"]!) < 1e-5, "\(parameter.name)")
        }
    }

    @Test(arguments: ["sgd", "adamw"])
    func weightsAfterClippedStepsEqualPyTorchs(name: String) throws {
        let optimizer: any Optimizer =
            name == "sgd"
            ? try SGD(network.parameters, rate: 0.1, momentum: 0.9, decay: 1e-3)
            : try AdamW(network.parameters, rate: 0.01, decay: 0.05)
        for _ in 0..<3 {
            try optimizer.clearGradients()
            try loss().backward()
            try optimizer.clipGradients(toNorm: 0.5)
            try optimizer.step()
        }
        for (key, tensor) in network.stateDictionary() {
            #expect(try largestDifference(tensor, file["\(name).\(key)"]!) < 2e-4, "\(key)")
        }
    }

    @Test func evaluationUsesTheStoredStatistics() throws {
        try network.load(part("adamw"))
        network.mode = .evaluation
        let logits = try withoutGradients { try network(file["input"]!) }
        #expect(try largestDifference(logits, file["adamw-logits"]!) < 1e-5)
    }
}

/// The largest absolute difference between elements of two tensors of one shape.
func largestDifference(_ a: Tensor, _ b: Tensor) throws -> Float {
    try #require(a.shape == b.shape)
    return try zip(a.floats(), b.floats()).map { abs($0 - $1) }.max() ?? 0
}
