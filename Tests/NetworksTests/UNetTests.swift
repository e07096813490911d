import Foundation
import Networks
import Tensors
import Testing

struct UNetTests {
    @Test("Each configuration gives logits of its input's extents", arguments: Normalization.allCases)
    func extents(normalization: Normalization) throws {
        for upsampling in Upsampling.allCases {
            let flat = try UNet(
                UNetConfiguration(
                    inputChannels: 2, outputChannels: 3, dimensions: 2, levels: 3, features: 4, maximumFeatures: 8,
                    normalization: normalization, upsampling: upsampling), seed: 1)
            #expect(try flat(noise([1, 2, 8, 12], stream: "a")).shape == [1, 3, 8, 12])
            let deep = try UNet(
                UNetConfiguration(
                    levels: 3, features: 4, strides: [[1, 2, 2], [2, 2, 2]], normalization: normalization,
                    upsampling: upsampling), seed: 1)
            #expect(try deep(noise([1, 1, 4, 8, 8], stream: "a")).shape == [1, 1, 4, 8, 8])
        }
    }

    @Test func parametersAreCounted() throws {
        let network = try UNet(UNetConfiguration(levels: 2, features: 2, convolutionsPerLevel: 1), seed: 1)
        // encoder 2·27 + 4, 2·4·27 + 8; up 4·2·8 + 2; decoder 4·2·27 + 4; head 2 + 1
        #expect(network.parameterCount == 58 + 224 + 66 + 220 + 3)
    }

    @Test func weightsAreAFunctionOfTheSeed() throws {
        func weight(_ seed: UInt64) throws -> [Float] {
            try UNet(UNetConfiguration(levels: 1, features: 2), seed: seed).parameters[0].tensor.floats()
        }
        #expect(try weight(4) == weight(4))
        #expect(try weight(4) != weight(5))
    }

    @Test func initialWeightsHaveHesVariance() throws {
        let convolution = try Convolution(16, 32, kernel: [3, 3, 3], hasBias: false, seed: 1, name: "c")
        let values = try convolution.weight.floats().map(Double.init)
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let expected = 2.0 / (16 * 27)
        #expect(abs(mean) < 4 * (expected / count).squareRoot())
        #expect(abs(variance / expected - 1) < 0.05)
        #expect(convolution.weight.isChannelsLast)
    }

    @Test func loadingNamesTheTensorAtFault() throws {
        let network = try UNet(UNetConfiguration(levels: 1, features: 2), seed: 1)
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
        let configuration = try UNetConfiguration(levels: 2, features: 2)
        let (first, second) = (try UNet(configuration, seed: 1), try UNet(configuration, seed: 2))
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).safetensors").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Safetensors(first.stateDictionary()).write(to: path)
        try second.load(Safetensors(contentsOf: path).tensors)
        let x = try noise([1, 1, 4, 4, 4], stream: "x")
        #expect(try first(x).floats() == second(x).floats())
    }

    @Test func misfittingInputIsOneLine() throws {
        let network = try UNet(UNetConfiguration(levels: 3, features: 2), seed: 1)
        #expect(
            throws: TensorError.state(
                "network input has shape [1, 1, 4, 4, 6], expected [batch, 1, 3 extents in multiples of [4, 4, 4]]")
        ) { try network(.zeros([1, 1, 4, 4, 6])) }
    }

    @Test func impossibleConfigurationsNameTheField() throws {
        #expect(throws: UNetConfigurationError.self) { try UNetConfiguration(levels: 0) }
        #expect(throws: UNetConfigurationError.self) { try UNetConfiguration(dimensions: 4) }
        #expect(throws: UNetConfigurationError.self) { try UNetConfiguration(levels: 1, kernels: [[2, 3, 3]]) }
        #expect(throws: UNetConfigurationError.self) { try UNetConfiguration(levels: 2, strides: [[2, 2]]) }
        do {
            _ = try UNetConfiguration(features: 16, maximumFeatures: 8)
        } catch {
            #expect("\(error)" == "network.maximumFeatures must be at least features, 16, found 8")
        }
    }

    @Test func autocastTrainsWithF32LogitsAndGradients() throws {
        let network = try UNet(UNetConfiguration(levels: 2, features: 4), seed: 1)
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
        let network = try UNet(UNetConfiguration(levels: 2, features: 2), seed: 1)
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
    @Test func areThoseOfAllVoxelsTogether() throws {
        let layer = try BatchNormalization(1)
        layer.mode = .population
        let first: [Float] = [1, 2, 3, 6]
        let second: [Float] = [-4, 0, 5, 7, 8, 2, 10, 4]
        _ = try layer(Tensor(first, shape: [1, 1, 1, 2, 2]))
        _ = try layer(Tensor(second, shape: [1, 1, 2, 2, 2]))
        #expect(try layer.runningMean.floats() == [0])
        try layer.storePopulationStatistics()
        let all = first + second
        let mean = all.reduce(0, +) / 12
        let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 12
        #expect(try abs(layer.runningMean.item() - mean) < 1e-5)
        #expect(try abs(layer.runningVariance.item() - variance) < 1e-4)
    }

    @Test func collectingStartsAnewWithTheMode() throws {
        let layer = try BatchNormalization(1)
        layer.mode = .population
        _ = try layer(.full([1, 1, 2, 2, 2], 100))
        layer.mode = .evaluation
        layer.mode = .population
        _ = try layer(.full([1, 1, 2, 2, 2], 3))
        try layer.storePopulationStatistics()
        #expect(try layer.runningMean.item() == 3)
        #expect(throws: TensorError.self) { try layer.storePopulationStatistics() }
    }
}
