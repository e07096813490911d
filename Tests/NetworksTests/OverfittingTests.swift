import Foundation
import Networks
import Tensors
import TestSupport
import Testing

/// Every architecture, normalization and order learns one patch by heart, and is then the same network from a file and
/// folded.
struct OverfittingTests {
    static let steps = 60

    @Test(
        "Every architecture overfits one patch to a Dice of 0.9 in 60 steps",
        arguments: SmallNetworks.names + ["resnet-unet", "densenet-unet"], [2, 3])
    func overfits(name: String, dimensions: Int) throws {
        try check(SmallNetworks.configuration(name, dimensions: dimensions))
    }

    @Test("Every normalization does", arguments: Normalization.examples)
    func overfits(normalization: Normalization) throws {
        try check(SmallNetworks.configuration("residual-unet", dimensions: 2) { $0.normalization = normalization })
    }

    @Test("Every order does", arguments: ResidualOrder.allCases)
    func overfits(order: ResidualOrder) throws {
        try check(SmallNetworks.configuration("residual-unet", dimensions: 2) { $0.order = order })
    }

    private func check(_ configuration: NetworkConfiguration) throws {
        try Libtorch.setThreads(1)
        let network = try Network(configuration, seed: 1)
        // Of a single sample, batch norm and ghost batch norm are the same.
        let patch = try Patch(network.graph, samples: configuration.normalization.name == "ghost" ? 2 : 1)
        try train(network, patch)
        try storeStatistics(of: patch, in: network)
        let logits = try withoutGradients { try network(patch.image) }
        #expect(try patch.dice(logits) >= 0.9)

        let loaded = try Network(toLoad: configuration)
        try loaded.load(throughFile(network.stateDictionary()))
        loaded.mode = .evaluation
        #expect(try withoutGradients { try loaded(patch.image) }.floats() == logits.floats())

        let folded = try network.folded(precision: .f32)(patch.image)
        let scale = try logits.absolute().largest().item()
        #expect(try (folded - logits).absolute().largest().item() <= 1e-4 * scale)
    }

    private func train(_ network: Network, _ patch: Patch) throws {
        let optimizer = try AdamW(network.parameters, rate: 0.01)
        for step in 0..<Self.steps {
            try optimizer.clearGradients()
            let outputs = try network.outputs(patch.image)
            let losses = try outputs.map { logits in
                let target = try patch.target.resampled(to: Array(logits.shape.dropFirst(2)), .nearest)
                return try logits.binaryCrossEntropy(withTarget: target)
            }
            let loss = try losses.dropFirst().reduce(losses[0]) { try $0 + $1 }
            try loss.backward()
            try optimizer.step()
            if step >= 20, try patch.dice(outputs[0]) > 0.97 { return }
        }
    }

    /// Running averages of 60 steps lag behind weights that changed with each.
    private func storeStatistics(of patch: Patch, in network: Network) throws {
        network.mode = .population
        try withoutGradients { _ = try network(patch.image) }
        try network.storePopulationStatistics()
        network.mode = .evaluation
    }

    private func throughFile(_ state: [String: Tensor]) throws -> [String: Tensor] {
        let folder = ScratchFolder()
        let path = folder.path("network.safetensors")
        try Safetensors(state).write(to: path)
        return try Safetensors(contentsOf: path).tensors
    }
}

/// Two bright balls, or discs, in noise, and where they are of the voxels that have an output.
private struct Patch {
    let image: Tensor
    let target: Tensor

    init(_ graph: Graph, samples: Int) throws {
        let margin = try graph.margin()
        var extents = try SmallNetworks.extents(
            graph, atLeast: max(graph.dimensions == 2 ? 16 : 12, 10 + 2 * margin[0]))
        // Little can be normalized over the one voxel that an encoder's five halvings leave.
        if extents[0] == graph.totalStride[0] {
            extents.replaceSubrange(..<2, with: extents.prefix(2).map { 2 * $0 })
        }
        let output = zip(extents, margin).map { $0 - 2 * $1 }
        // At a third and two thirds of the output along every axis.
        let places = extents.reduce([[]] as [[Int]]) { places, extent in
            places.flatMap { place in (0..<extent).map { place + [$0] } }
        }
        let inside = places.map { place -> Float in
            [1, 2].contains { third in
                let distances = place.indices.map { axis in
                    let middle = Double(margin[axis]) + Double(third * output[axis]) / 3
                    return (Double(place[axis]) + 0.5 - middle) / (Double(output[axis]) / 4)
                }
                return distances.reduce(0) { $0 + $1 * $1 } < 1
            } ? 1 : 0
        }
        let shape = [samples, 1] + extents
        let noise = try FormulaWeights.input(shape)
        let truth = try Tensor(Array(repeating: inside, count: samples).flatMap { $0 }, shape: shape)
        image = try truth + noise * 0.3
        target = try truth.cropped(to: zip(margin, output).map { $0..<$0 + $1 })
    }

    func dice(_ logits: Tensor) throws -> Float {
        let found = try logits.isGreater(than: 0).to(.float32)
        return try 2 * (found * target).sum().item() / (found.sum().item() + target.sum().item())
    }
}
