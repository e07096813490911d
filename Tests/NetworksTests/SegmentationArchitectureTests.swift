import Networks
import Tensors
import Testing

/// What graphs of the published sizes say of themselves.
struct SegmentationArchitectureTests {
    static func graph(
        _ name: String, dimensions: Int = 3, _ adjust: (inout NetworkConfiguration) -> Void = { _ in }
    ) throws -> Graph {
        var configuration = try Architecture.named(name).configuration(dimensions: dimensions)
        adjust(&configuration)
        return try configuration.graph()
    }

    static func output(_ graph: Graph, _ input: [Int]) throws -> [Int] {
        try graph.extents(of: input)[graph.outputs[0]]
    }

    @Test func validNetworksHaveThePublishedExtents() throws {
        #expect(try Self.output(Self.graph("unet-2015", dimensions: 2), [572, 572]) == [388, 388])
        #expect(try Self.output(Self.graph("unet-2016"), [116, 132, 132]) == [28, 44, 44])
        #expect(throws: MisfittingExtents.self) {
            try Self.output(Self.graph("unet-2015", dimensions: 2), [570, 572])
        }
    }

    /// Çiçek et al. count 19,069,955 for 3 channels in and 3 classes.
    @Test func parametersAreThePublished() throws {
        let unet = try Self.graph("unet-2016") { ($0.inputChannels, $0.outputChannels) = (3, 3) }
        #expect(unet.parameterCount(countingNormalization: false) == 19_069_955)
    }

    /// Of the Python package dynamic-network-architectures 0.4.4: PlainConvUNet and ResidualEncoderUNet with
    /// BasicBlockD, one channel in and out, and these features and blocks.
    @Test(
        "nnU-Net's layouts have its parameters",
        arguments: [
            ("nnunet", 2, 46_322_535), ("nnunet", 3, 31_194_789), ("nnunet-resenc", 2, 140_015_015),
            ("nnunet-resenc", 3, 102_348_965),
        ])
    func parameters(name: String, dimensions: Int, expected: Int) throws {
        #expect(try Self.graph(name, dimensions: dimensions).parameterCount() == expected)
    }

    /// Convolutions of 3 between 2 channels have 36 weights: one in the stem after that of the image (18), and in a
    /// stack of 2 levels the skip, the pooled level's three and one after the sum; 4 of a 1-convolution and 3 of the
    /// head. A second stack also has what feeds the first one back, 4 + 2 and 2 + 2.
    @Test func hourglassHasTheConvolutionsOfThePaper() throws {
        func graph(_ stacks: Int) throws -> Graph {
            try Self.graph("stacked-hourglass", dimensions: 2) {
                ($0.block, $0.features, $0.levels, $0.stacks) = (.plain, 2, 2, stacks)
            }
        }
        let single = try graph(1)
        #expect(single.parameterCount(countingNormalization: false) == 18 + 36 + 5 * 36 + 4 + 3)
        #expect(try graph(2).parameterCount(countingNormalization: false) == 18 + 36 + 2 * (5 * 36 + 4 + 3) + 10)
        // Stem, its block and the skip; the level below; what follows the sum.
        let extents = try single.extents(of: [8, 8])
        let convolutions = single.nodes.indices.filter { single.nodes[$0].operation.description.hasPrefix("conv") }
        #expect(convolutions.map { extents[$0][0] } == [8, 8, 8, 4, 4, 4, 8, 8, 8])
        #expect(single.nodes.filter { $0.operation.description.hasPrefix("max pooling 2×2") }.count == 1)
        #expect(single.nodes.filter { $0.operation == .upsampling([2, 2]) }.count == 1)
        #expect(single.nodes.filter { $0.operation == .add }.count == 1)
    }

    @Test("Networks that pad keep extents at multiples of their stride", arguments: SmallNetworks.names)
    func extents(name: String) throws {
        for dimensions in [2, 3] {
            let configuration = try Architecture.named(name).configuration(dimensions: dimensions)
            if configuration.padding == .valid { continue }
            let graph = try configuration.graph()
            for factor in [1, 3] {
                let input = graph.totalStride.map { $0 * factor }
                #expect(try Self.output(graph, input) == input)
            }
            #expect(throws: MisfittingExtents.self) {
                try Self.output(graph, graph.totalStride.map { $0 + 1 })
            }
        }
    }

    /// Three poolings of 2; five strides of 2; and, backwards from 4 voxels after the coarsest convolutions of
    /// Ronneberger et al.: (4 + 4) · 16 + 60 = 188, as 3 would leave nothing on the way up.
    @Test func smallestInputsAreThoseByHand() throws {
        #expect(try Self.graph("residual-unet").smallestInput() == [8, 8, 8])
        #expect(try Self.graph("nnunet-resenc").smallestInput() == [32, 32, 32])
        #expect(try Self.graph("unet-2015", dimensions: 2).smallestInput() == [188, 188])
        let flat = try Self.graph("stacked-hourglass") {
            ($0.levels, $0.strides) = (4, [[1, 2, 2], [1, 2, 2], [2, 2, 2]])
        }
        #expect(try flat.smallestInput() == [2, 8, 8])
    }

    @Test("Costs of the usual input can be told", arguments: SmallNetworks.names, [2, 3])
    func costs(name: String, dimensions: Int) throws {
        let architecture = try Architecture.named(name)
        let graph = try architecture.configuration(dimensions: dimensions).graph()
        let input = architecture.usualInput(dimensions: dimensions)
        let (multiplyAdds, voxels) = (try graph.multiplyAdds(of: input), input.reduce(1, *))
        #expect(multiplyAdds > voxels && multiplyAdds < voxels * 1_000_000)
        // At least the finest skip and what it is joined with lie in memory at once.
        let output = try graph.extents(of: input)[graph.outputs[0]]
        let cost = try PredictionCost(of: graph)(of: input, keeping: output.map { 0..<$0 })
        #expect(cost.liveNumbers >= 16 * voxels && cost.liveNumbers < 1_000 * voxels)
        #expect(cost.multiplyAdds > multiplyAdds / 2 && cost.multiplyAdds <= multiplyAdds)
        #expect(try graph.halo().allSatisfy { $0 > 0 })
    }

    @Test("Deep supervision gives the coarser levels' logits, from fine to coarse", arguments: SmallNetworks.names)
    func deepSupervision(name: String) throws {
        let graph = try Self.graph(name, dimensions: 2) {
            ($0.levels, $0.features, $0.stacks, $0.deepSupervision) = (4, 8, 1, true)
            ($0.padding, $0.outputChannels) = (.same, 2)
        }
        let extents = try graph.extents(of: [32, 16])
        #expect(graph.outputs.map { extents[$0] } == [[32, 16], [16, 8], [8, 4]])
        #expect(graph.outputs.allSatisfy { graph.nodes[$0].channels == 2 })
    }

    @Test func stacksGiveTheLastLogitsFirst() throws {
        let graph = try Self.graph("stacked-hourglass", dimensions: 2) {
            ($0.stacks, $0.features, $0.deepSupervision) = (3, 4, true)
        }
        #expect(
            graph.outputs.map { graph.nodes[$0].name }
                == ["stacks.2.head", "stacks.1.head", "stacks.0.head"]
                + [1, 2].flatMap { level in [2, 1, 0].map { "stacks.\($0).heads.\(level)" } })
        // Each but the last is fed back.
        for stack in [0, 1] {
            let name = "stacks.\(stack).feedback.logits"
            let feedback = try #require(graph.nodes.firstIndex { $0.name == name })
            #expect(graph.nodes[feedback].inputs == [graph.outputs[2 - stack]])
            #expect(graph.nodes.contains { $0.operation == .add && $0.inputs.contains(feedback) })
        }
    }

    @Test("Every setting that an architecture names changes its graph", arguments: SmallNetworks.names)
    func settings(name: String) throws {
        let architecture = try Architecture.named(name)
        let plain = try Self.graph(name, dimensions: 2)
        let changes: [NetworkSetting: (inout NetworkConfiguration) -> Void] = [
            .levels: { $0.levels -= 1 }, .features: { $0.features += 8 },
            .maximumFeatures: { $0.maximumFeatures = $0.features }, .blocks: { $0.blocks = [5] },
            .decoderBlocks: { $0.decoderBlocks = [5] },
            .kernels: { $0.kernels = Array(repeating: [1, 3], count: $0.levels) },
            .strides: { $0.strides = Array(repeating: [1, 2], count: $0.levels - 1) },
            .stacks: { $0.stacks += 1 }, .growth: { $0.growth += 1 }, .encoder: { $0.encoder = "resnet-50" },
            .order: { $0.order = $0.order == .original ? .preactivation : .original },
            .shortcut: { $0.shortcut = .identity },
            .block: { $0.block = .plain }, .normalization: { $0.normalization = .layer },
            .activation: { $0.activation = $0.activation == .relu ? .leakyReLU : .relu },
            .initialization: { $0.initialization = .glorot },
            .biases: { $0.biases = $0.biases == nil && $0.normalization != .none },
            .padding: { $0.padding = $0.padding == .same ? .valid : .same },
            .downsampling: { $0.downsampling = $0.downsampling == .convolution ? .maxPooling : .convolution },
            .upsampling: { $0.upsampling = .interpolation }, .residualScale: { $0.residualScale = 0.5 },
            .zeroLastNorm: { ($0.zeroLastNorm, $0.order) = (true, .original) },
            .deepSupervision: { $0.deepSupervision.toggle() },
        ]
        let isOfResiduals: Set<NetworkSetting> = [.order, .shortcut, .residualScale, .zeroLastNorm]
        for (setting, change) in changes where architecture.settings.contains(setting) {
            // What is of a kind of block counts where the network has that kind.
            let kind: BlockKind? =
                !architecture.settings.contains(.block)
                ? nil : setting == .growth ? .dense : isOfResiduals.contains(setting) ? .residual : nil
            func adjust(_ c: inout NetworkConfiguration) {
                c.block = kind ?? c.block
                if setting == .zeroLastNorm, c.normalization == .none { c.normalization = .batch }
            }
            let before = kind == nil ? plain : try Self.graph(name, dimensions: 2, adjust)
            let changed = try Self.graph(name, dimensions: 2) { c in
                adjust(&c)
                change(&c)
                if setting == .block { c.block = plain.residualBlocks.isEmpty ? .dense : .plain }
            }
            #expect(changed != before, "\(setting)")
        }
    }

    @Test func impossibleBlocksNameTheSetting() throws {
        func fault(_ name: String, _ adjust: (inout NetworkConfiguration) -> Void) throws -> String {
            do {
                _ = try Self.graph(name, adjust)
                return ""
            } catch let error as NetworkConfigurationError {
                return error.description
            }
        }
        #expect(
            try fault("bottleneck-unet") { $0.order = .linearActivation }
                == "network.order must be norm-relu-conv or conv-norm-relu in bottlenecks, which have three layers, "
                + "found linear-relu")
        #expect(
            try fault("hourglass") { ($0.block, $0.order) = (.bottleneck, .activationLinear) }
                .hasPrefix("network.order must be norm-relu-conv"))
        #expect(
            try fault("residual-unet") { ($0.padding, $0.downsampling) = (.valid, .convolution) }
                == "network.downsampling must be max-pooling where padding is valid, as a shortcut past a stride has "
                + "no middle, found convolution")
        #expect(
            try fault("residual-unet") { $0.zeroLastNorm = true }
                .hasPrefix("network.zero_last_norm must be false in the order norm-relu-conv"))
        #expect(
            try fault("nnunet-resenc") { ($0.zeroLastNorm, $0.normalization) = (true, .none) }
                == "network.zero_last_norm must be false in a network without normalization, found true")
    }

    @Test(
        "A network that starts with zero branches is the one without them",
        arguments: ["nnunet-resenc", "hourglass"])
    func zeroLastNorm(name: String) throws {
        let configuration = try SmallNetworks.configuration(name, dimensions: 2) {
            ($0.zeroLastNorm, $0.order, $0.shortcut) = (true, .original, .averagePooling)
        }
        try Libtorch.setThreads(1)
        let network = try Network(configuration, seed: 1)
        let x = try FormulaWeights.input([1, 1, 16, 16])
        let deleted = Probe(deletes: { _ in true })
        #expect(try network(x).floats() == network.outputs(x, probe: deleted)[0].floats())
    }
}
