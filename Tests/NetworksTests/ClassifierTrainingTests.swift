import Foundation
import Networks
import Tensors
import TestSupport
import Testing

/// Every classifier learns four images by heart, and is the same once saved and loaded.
struct ClassifierTrainingTests {
    private static let names =
        Architecture.all.filter { $0.purpose == .classification }.map(\.name)
        + ["preactivated resnet-50", "preactivated resnet-200"]

    static let networks: [NetworkConfiguration] = [2, 3].flatMap { dimensions in
        names.map { name in
            var configuration = try! ClassifierTests.configuration(
                name.replacingOccurrences(of: "preactivated ", with: ""), dimensions: dimensions)
            configuration.inputChannels = 1
            configuration.outputChannels = 1
            configuration.features = 4
            configuration.growth = 2
            if name.hasPrefix("preactivated") { configuration.order = .preactivation }
            return configuration
        }
    }

    @Test(arguments: networks)
    func learnsFourImagesAndIsLoadedAsItWasSaved(configuration: NetworkConfiguration) throws {
        // The others would have nothing left after five halvings.
        let isThin = configuration.blocks.count == 3
        let shape = [4, 1] + Array(repeating: isThin ? 12 : 32, count: configuration.dimensions)
        let images = try FormulaWeights.input(shape)
        let classes: [Float] = [0, 1, 1, 0]
        try Libtorch.setThreads(1)
        let network = try Network(configuration, seed: 1)
        // Without shortcuts it takes smaller steps and more of them, as it should.
        let isHard = configuration.architecture == "plain-56"
        let optimizer = try AdamW(network.parameters, rate: isHard ? 0.002 : 0.01)
        var isLearnt = false
        for step in 0..<(isHard ? 400 : 40) where !isLearnt {
            try optimizer.clearGradients()
            let loss = try network(images).binaryCrossEntropy(withTarget: Tensor(classes, shape: [4, 1]))
            isLearnt = try step >= (isHard ? 100 : 24) && loss.item() < 0.02
            try loss.backward()
            try optimizer.step()
        }
        let predicted = try withoutGradients {
            network.mode = .population
            _ = try network(images)
            try network.storePopulationStatistics()
            network.mode = .evaluation
            return try network(images).floats()
        }
        #expect(predicted.map { $0 > 0 ? 1 : 0 } == classes)

        let folder = ScratchFolder()
        let file = folder.path("network.safetensors")
        try Safetensors(network.stateDictionary()).write(to: file)
        let loaded = try Network(toLoad: configuration)
        try loaded.load(Safetensors(contentsOf: file).tensors)
        loaded.mode = .evaluation
        #expect(try withoutGradients { try loaded(images).floats() } == predicted)
    }
}
