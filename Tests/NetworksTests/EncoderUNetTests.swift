import Networks
import Tensors
import Testing

struct EncoderUNetTests {
    static func configuration(_ encoder: String, dimensions: Int = 2) throws -> NetworkConfiguration {
        let architecture = encoder.hasPrefix("dense") ? "densenet-unet" : "resnet-unet"
        var configuration = try Architecture.named(architecture).configuration(dimensions: dimensions)
        configuration.encoder = encoder
        return configuration
    }

    /// Everything but its last matrix, by name and shape; with other features the whole encoder has other widths.
    @Test(arguments: ["resnet-18", "resnet-50", "densenet-121", "densenet-161"])
    func encoderHasTheParametersOfItsClassifier(encoder: String) throws {
        func shapes(_ graph: Graph) -> [String: Int] {
            Dictionary(
                uniqueKeysWithValues: graph.nodes.indices.filter { graph.parameterCount(of: $0) > 0 }.map {
                    (graph.nodes[$0].name, graph.parameterCount(of: $0))
                })
        }
        var configuration = try Self.configuration(encoder)
        configuration.inputChannels = 3
        let own = try shapes(configuration.graph())
        for (name, count) in try shapes(ClassifierTests.configuration(encoder).graph()) {
            let isHead = name == "fc" || name == "classifier"
            #expect(own[name] == (isHead ? nil : count), "\(name)")
        }
    }

    @Test(arguments: [2, 3], ["resnet-18", "resnet-200", "densenet-264"])
    func outputHasTheExtentsOfMultiplesOf32(dimensions: Int, encoder: String) throws {
        let graph = try Self.configuration(encoder, dimensions: dimensions).graph()
        let input = Array([64, 32, 96].suffix(dimensions))
        #expect(graph.totalStride == input.map { _ in 32 })
        #expect(try graph.smallestInput() == input.map { _ in 32 })
        #expect(try graph.extents(of: input)[graph.outputs[0]] == input)
        #expect(throws: MisfittingExtents.self) { try graph.extents(of: input.map { $0 + 16 }) }
        let halo = try graph.halo()
        #expect(halo.allSatisfy { $0 == halo[0] })
    }

    @Test func deepSupervisionHasAnOutputForEveryLevelButTheCoarsest() throws {
        var configuration = try Self.configuration("resnet-18")
        configuration.deepSupervision = true
        let graph = try configuration.graph()
        let extents = try graph.extents(of: [64, 64])
        #expect(graph.outputs.map { extents[$0][0] } == [64, 32, 16, 8, 4])
    }

    @Test func anEncoderOfNoOtherKindIsRefused() throws {
        var configuration = try Self.configuration("resnet-18")
        configuration.encoder = "densenet-121"
        let error = try #require(throws: NetworkConfigurationError.self) { try configuration.graph() }
        #expect(
            error.description == "network.encoder must be one of resnet-18, resnet-34, resnet-50, resnet-101, "
                + "resnet-152, resnet-200, found densenet-121")
    }

    /// One voxel alone is not 0, and weights are positive, so that every path carries it on and nothing else does; in
    /// double precision, which holds a product of a hundred weights.
    @Test(arguments: ["resnet-18", "densenet-121"], [0, 1])
    func oneInputVoxelChangesOutputsAsFarAsTheHaloAndNoFurther(encoder: String, axis: Int) throws {
        var configuration = try Self.configuration(encoder)
        configuration.features = 1
        let graph = try configuration.graph()
        let network = try Network(graph, seed: 1, elementType: .float64)
        for parameter in network.parameters {
            let isWeight = parameter.name.hasSuffix("weight")
            try parameter.tensor.assign(.full(parameter.tensor.shape, isWeight ? 0.5 : 0))
        }
        network.mode = .evaluation
        let halo = try graph.halo()[axis]
        // A strip: axes do not depend on each other.
        let middle = (halo + 31) / 32 * 32
        var shape = [32, 32]
        shape[axis] = 2 * middle + 32
        var reached = 0
        for phase in 0..<32 {
            var place = [7, 7]
            place[axis] = middle + phase
            var input = [Double](repeating: 0, count: shape[0] * shape[1])
            input[place[0] * shape[1] + place[1]] = 1
            let output = try withoutGradients {
                try network(Tensor(input, shape: [1, 1] + shape)).values(of: Double.self)
            }
            for voxel in output.indices where output[voxel] != 0 {
                let found = axis == 0 ? voxel / shape[1] : voxel % shape[1]
                reached = max(reached, abs(found - place[axis]))
            }
        }
        #expect(reached == halo)
    }
}
