import Networks
import Tensors
import Testing

/// Residual and densely connected networks beside what is published of them.
struct ClassifierTests {
    static func configuration(_ name: String, dimensions: Int = 2) throws -> NetworkConfiguration {
        try Architecture.named(name).configuration(dimensions: dimensions)
    }

    /// torchvision's counts; ResNet-200 and DenseNet-264 by its classes with the blocks of the papers; the thin
    /// networks by hand, 269,722 = 432 + 32 + 3·(2·2,304 + 64) + … + 650.
    @Test(arguments: [
        ("resnet-18", 11_689_512), ("resnet-34", 21_797_672), ("resnet-50", 25_557_032), ("resnet-101", 44_549_160),
        ("resnet-152", 60_192_808), ("resnet-200", 64_673_832), ("densenet-121", 7_978_856),
        ("densenet-161", 28_681_000), ("densenet-169", 14_149_480), ("densenet-201", 20_013_928),
        ("densenet-264", 33_337_704), ("residual-20", 269_722), ("plain-20", 269_722), ("residual-56", 853_018),
        ("plain-56", 853_018),
    ])
    func parametersAreAsManyAsPublished(name: String, count: Int) throws {
        #expect(try Self.configuration(name).graph().parameterCount() == count)
    }

    @Test(arguments: ["resnet-50", "densenet-121"])
    func tensorsHoldWhatTheGraphCounts(name: String) throws {
        let configuration = try Self.configuration(name)
        let network = try Network(toLoad: configuration)
        #expect(
            try network.parameters.reduce(0) { $0 + $1.tensor.count } == configuration.graph().parameterCount())
    }

    /// With pre-activation a stage of width w on p channels has 2·(p − 8w) parameters of normalization fewer; the
    /// first normalization goes, 128, and one of 2,048 channels is added at the end.
    @Test func preactivationMovesNormalizations() throws {
        var configuration = try Self.configuration("resnet-200")
        configuration.order = .preactivation
        let moved = [(64, 64), (256, 128), (512, 256), (1_024, 512)].reduce(0) { $0 + 2 * ($1.0 - 8 * $1.1) }
        #expect(moved - 128 + 4_096 == -7_680)
        #expect(try configuration.graph().parameterCount() == 64_673_832 - 7_680)
    }

    @Test func identityShortcutsHaveNoParameters() throws {
        var configuration = try Self.configuration("resnet-50")
        configuration.shortcut = .identity
        let projections = 64 * 256 + 256 * 512 + 512 * 1_024 + 1_024 * 2_048
        let normalizations = 2 * (256 + 512 + 1_024 + 2_048)
        #expect(try configuration.graph().parameterCount() == 25_557_032 - projections - normalizations)
    }

    /// torchvision's r3d_18 with a stem of 3×7×7 has 33,371,472.
    @Test func resNet18InThreeDimensionsIsTorchvisionsButForItsStem() throws {
        var configuration = try Self.configuration("resnet-18", dimensions: 3)
        configuration.outputChannels = 400
        #expect(try configuration.graph().parameterCount() == 33_371_472 + 3 * 64 * (7 - 3) * 49)
    }

    /// Published as 4.09, 1.81, 2.83 and 7.73 · 10⁹; exact ones by counting in torchvision's networks.
    @Test(arguments: [
        ("resnet-50", 4_089_184_256), ("resnet-18", 1_814_073_344), ("densenet-121", 2_834_161_664),
        ("densenet-161", 7_727_907_072),
    ])
    func multiplyAddsAreAsManyAsPublished(name: String, count: Int) throws {
        #expect(try Self.configuration(name).graph().multiplyAdds(of: [224, 224]) == count)
    }

    /// 1 + Σ (kernel − 1) · stride before it. ResNet-18: 1 + 6 + 4 + 4·8 + (8 + 3·16) + (16 + 3·32) + (32 + 3·64).
    @Test(arguments: [("resnet-18", 435), ("resnet-50", 427)])
    func receptiveFieldIsTheSumOfKernels(name: String, extent: Int) throws {
        #expect(try Self.configuration(name).graph().receptiveField() == [extent, extent])
    }

    /// The input of 3 channels is concatenated, too: the figure of dense connections in Prince (2023), chapter 11.
    @Test func denseLayersAddChannelsToTheirInput() throws {
        let graph = try Graph(dimensions: 2, inputChannels: 3) {
            [$0.denseNetLayer(growth: 32, "first").denseNetLayer(growth: 32, "second")]
        }
        let concatenations = graph.nodes.filter { $0.operation == .concatenate }
        #expect([graph.nodes[0].channels] + concatenations.map(\.channels) == [3, 35, 67])
        #expect(graph.nodes[concatenations[1].inputs[0]] == concatenations[0])
    }

    /// Blocks of 256 channels at 56²: what one more of them costs.
    @Test(arguments: [
        // 256·64 + 9·64² + 64·256 weights, normalizations of 64 + 64 + 256 channels.
        ("resnet-50", 0, 224, 69_632, 2 * 384),
        // 2·9·256² weights, normalizations of 256 + 256: 17 times as many.
        ("resnet-34", 2, 896, 1_179_648, 2 * 512),
    ])
    func bottleneckCostsASeventeenthOfTheStandardBlock(
        name: String, stage: Int, extent: Int, weights: Int, normalization: Int
    ) throws {
        let configuration = try Self.configuration(name)
        var longer = configuration
        longer.blocks[stage] += 1
        let (graph, longerGraph) = (try configuration.graph(), try longer.graph())
        let input = [extent, extent]
        #expect(longerGraph.parameterCount() - graph.parameterCount() == weights + normalization)
        #expect(try longerGraph.multiplyAdds(of: input) - graph.multiplyAdds(of: input) == weights * 56 * 56)
    }

    @Test func residualSettingsReachEveryBlock() throws {
        var configuration = try Self.configuration("resnet-18")
        configuration.features = 2
        configuration.residualScale = 0.5
        configuration.zeroLastNorm = true
        let blocks = try configuration.graph().residualBlocks
        #expect(blocks.map(\.name) == (1...4).flatMap { ["layer\($0).0", "layer\($0).1"] })
        #expect(blocks.allSatisfy { $0.operation == .residual(scale: 0.5) })
        for (name, tensor) in try Network(configuration, seed: 1).stateDictionary() where tensor.shape.count == 1 {
            guard name.hasSuffix(".weight") else { continue }
            let expected: Float = name.hasSuffix("bn2.weight") ? 0 : 1
            #expect(try tensor.floats().allSatisfy { $0 == expected }, "\(name)")
        }
    }

    /// Variance 2 / fan-out of the first convolution: 7·7·64 connections.
    @Test func convolutionsStartAsTorchvisions() throws {
        let weights = try Network(Self.configuration("resnet-18"), seed: 1).stateDictionary()["conv1.weight"]!
            .floats()
        let variance = weights.reduce(0.0) { $0 + Double($1 * $1) } / Double(weights.count)
        #expect(abs(variance * 49 * 64 / 2 - 1) < 0.05)
    }

    @Test func settingsThatNoBlockHasAreRefused() throws {
        var configuration = try Self.configuration("resnet-18")
        configuration.order = .activationLinear
        #expect(
            throws: NetworkConfigurationError(
                field: "order", found: "relu-linear", expected: "conv-norm-relu or norm-relu-conv")
        ) { try configuration.graph() }
        configuration.order = .preactivation
        configuration.zeroLastNorm = true
        #expect(
            throws: NetworkConfigurationError(
                field: "zero_last_norm", found: "true", expected: "false where branches end in a convolution")
        ) { try configuration.graph() }
    }
}
