import Foundation
import Networks
import Tensors
import TestSupport
import Testing

struct UNetTests {
    @Test("Each configuration gives logits of its input's extents", arguments: Normalization.examples)
    func extents(normalization: Normalization) throws {
        for upsampling in Upsampling.allCases {
            let flat = try Network(
                NetworkConfiguration("unet", dimensions: 2) {
                    $0.inputChannels = 2
                    $0.outputChannels = 3
                    $0.levels = 3
                    $0.features = 4
                    $0.maximumFeatures = 8
                    $0.normalization = normalization
                    $0.upsampling = upsampling
                }, seed: 1)
            #expect(try flat(noise([1, 2, 8, 12], stream: "a")).shape == [1, 3, 8, 12])
            let deep = try Network(
                NetworkConfiguration("unet") {
                    $0.levels = 3
                    $0.features = 4
                    $0.strides = [[1, 2, 2], [2, 2, 2]]
                    $0.normalization = normalization
                    $0.upsampling = upsampling
                }, seed: 1)
            #expect(try deep(noise([1, 1, 4, 8, 8], stream: "a")).shape == [1, 1, 4, 8, 8])
        }
    }

    @Test func parametersAreCounted() throws {
        let network = try Network(
            NetworkConfiguration("unet") {
                $0.levels = 2
                $0.features = 2
                $0.blocks = [1]
            }, seed: 1)
        // encoder 2·27 + 4, 2·4·27 + 8; up 4·2·8 + 2; decoder 4·2·27 + 4; head 2 + 1
        #expect(network.parameterCount == 58 + 224 + 66 + 220 + 3)
    }

    @Test func weightsAreAFunctionOfTheSeed() throws {
        func weight(_ seed: UInt64) throws -> [Float] {
            try Network(
                NetworkConfiguration("unet") {
                    $0.levels = 1
                    $0.features = 2
                }, seed: seed
            ).parameters[0].tensor.floats()
        }
        #expect(try weight(4) == weight(4))
        #expect(try weight(4) != weight(5))
    }

    @Test func initialWeightsHaveHesVariance() throws {
        let graph = try Graph(dimensions: 3, inputChannels: 16) { [$0.convolution(32, kernel: 3, "c")] }
        let weight = try Network(graph, seed: 1).parameters[0].tensor
        let values = try weight.floats().map(Double.init)
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let expected = 2.0 / (16 * 27)
        #expect(abs(mean) < 4 * (expected / count).squareRoot())
        #expect(abs(variance / expected - 1) < 0.05)
        #expect(weight.isChannelsLast)
    }

    @Test func loadingNamesTheTensorAtFault() throws {
        let network = try Network(
            NetworkConfiguration("unet") {
                $0.levels = 1
                $0.features = 2
            }, seed: 1)
        var state = network.stateDictionary()
        state["head.bias"] = nil
        #expect(throws: TensorError.state("tensor 'head.bias' is missing")) { try network.load(state) }
        state["head.bias"] = try .zeros([2])
        #expect(throws: TensorError.state("tensor 'head.bias' has shape [2], expected [1]")) {
            try network.load(state)
        }
        state["head.bias"] = try .zeros([1])
        state["tail.bias"] = try .zeros([1])
        #expect(throws: TensorError.state("tensor 'tail.bias' belongs to no part of this network")) {
            try network.load(state)
        }
    }

    @Test func savedStateGivesTheSameNetwork() throws {
        let configuration = try NetworkConfiguration("unet") {
            $0.levels = 2
            $0.features = 2
        }
        let (first, second) = (try Network(configuration, seed: 1), try Network(configuration, seed: 2))
        let folder = ScratchFolder()
        let path = folder.path("network.safetensors")
        try Safetensors(first.stateDictionary()).write(to: path)
        try second.load(Safetensors(contentsOf: path).tensors)
        let x = try noise([1, 1, 4, 4, 4], stream: "x")
        #expect(try first(x).floats() == second(x).floats())
    }

    @Test func misfittingInputIsOneLine() throws {
        let network = try Network(
            NetworkConfiguration("unet") {
                $0.levels = 3
                $0.features = 2
            }, seed: 1)
        #expect(
            throws: TensorError.state(
                "an input of extents [4, 4, 6] does not suit the network: at max pooling 2×2×2 / 2, "
                    + "extents [2, 2, 3] are no multiples of [2, 2, 2]")
        ) { try network(.zeros([1, 1, 4, 4, 6])) }
    }

    @Test func impossibleConfigurationsNameTheField() throws {
        #expect(throws: NetworkConfigurationError.self) {
            try NetworkConfiguration("unet") { $0.levels = 0 }.graph()
        }
        #expect(throws: NetworkConfigurationError.self) { try NetworkConfiguration("unet", dimensions: 4).graph() }
        #expect(throws: NetworkConfigurationError.self) {
            try NetworkConfiguration("unet") {
                $0.levels = 1
                $0.kernels = [[2, 3, 3]]
            }.graph()
        }
        #expect(throws: NetworkConfigurationError.self) {
            try NetworkConfiguration("unet") {
                $0.levels = 2
                $0.strides = [[2, 2]]
            }.graph()
        }
        do {
            _ = try NetworkConfiguration("unet") {
                $0.features = 16
                $0.maximumFeatures = 8
            }.graph()
        } catch {
            #expect("\(error)" == "network.maximum_features must be at least features, 16, found 8")
        }
    }

    @Test func autocastTrainsWithF32LogitsAndGradients() throws {
        let network = try Network(
            NetworkConfiguration("unet") {
                $0.levels = 2
                $0.features = 4
            }, seed: 1)
        let x = try noise([1, 1, 8, 8, 8], stream: "x")
        let exact = try network(x)
        let logits = try withAutocast(.bf16, on: .cpu) { try network(x) }
        #expect(logits.elementType == .float32)
        let difference = try largestDifference(logits, exact)
        #expect(difference > 0 && difference < 0.2)
        try logits.sum().backward()
        #expect(try network.parameters.allSatisfy { try $0.tensor.gradient()?.elementType == .float32 })
    }

    @Test func trainingLeavesNoTensorsBehind() throws {
        let network = try Network(
            NetworkConfiguration("unet") {
                $0.levels = 2
                $0.features = 2
            }, seed: 1)
        let optimizer = try SGD(network.parameters, rate: 0.1)
        let x = try noise([1, 1, 8, 8, 8], stream: "x")
        weak var logits: Tensor?
        do {
            let output = try network(x)
            logits = output
            try output.sum().backward()
            try optimizer.step()
        }
        #expect(logits == nil)
    }
}

struct PopulationStatisticsTests {
    /// Batch norm of one channel and nothing else.
    private func layer() throws -> Network {
        try Network(Graph(dimensions: 3, inputChannels: 1) { [$0.normalized("norm")] }, seed: 1)
    }

    private func statistics(_ layer: Network) throws -> (mean: Float, variance: Float) {
        (try layer.buffers[0].tensor.item(), try layer.buffers[1].tensor.item())
    }

    @Test func areThoseOfAllVoxelsTogether() throws {
        let layer = try layer()
        layer.mode = .population
        let first: [Float] = [1, 2, 3, 6]
        let second: [Float] = [-4, 0, 5, 7, 8, 2, 10, 4]
        _ = try layer(Tensor(first, shape: [1, 1, 1, 2, 2]))
        _ = try layer(Tensor(second, shape: [1, 1, 2, 2, 2]))
        #expect(try statistics(layer).mean == 0)
        try layer.storePopulationStatistics()
        let all = first + second
        let mean = all.reduce(0, +) / 12
        let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 12
        let found = try statistics(layer)
        #expect(abs(found.mean - mean) < 1e-5)
        #expect(abs(found.variance - variance) < 1e-4)
    }

    @Test func collectingStartsAnewWithTheMode() throws {
        let layer = try layer()
        layer.mode = .population
        _ = try layer(.full([1, 1, 2, 2, 2], 100))
        layer.mode = .evaluation
        layer.mode = .population
        _ = try layer(.full([1, 1, 2, 2, 2], 3))
        try layer.storePopulationStatistics()
        #expect(try statistics(layer).mean == 3)
        #expect(throws: TensorError.self) { try layer.storePopulationStatistics() }
    }
}
