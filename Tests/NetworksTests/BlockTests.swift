import Networks
import Tensors
import Testing

/// What blocks compute, by hand: convolutions of one voxel, without normalization, are products.
struct BlockTests {
    static func style(_ normalization: Normalization = .none, scale: Double = 1) -> LayerStyle {
        var style = LayerStyle()
        (style.normalization, style.residualScale) = (normalization, scale)
        return style
    }

    /// The result of a block of 1-convolutions on one voxel of these channels.
    func result(
        _ input: [Float], weights: [String: [Float]], scale: Double = 1, _ block: (Signal) -> Signal
    ) throws -> [Float] {
        let graph = try Graph(dimensions: 2, inputChannels: input.count, style: Self.style(scale: scale)) {
            [block($0)]
        }
        let network = try Network(graph, seed: 1)
        var state = network.stateDictionary()
        for (name, values) in weights { state[name] = try Tensor(values, shape: try #require(state[name]).shape) }
        try network.load(state)
        return try network(Tensor(input, shape: [1, input.count, 1, 1])).floats()
    }

    static let weights: [String: [Float]] = [
        "b.0.convolution.weight": [-2], "b.0.convolution.bias": [1], "b.1.convolution.weight": [0.5],
        "b.1.convolution.bias": [-1],
    ]

    /// The first convolution is 1 − 2x, the second x / 2 − 1.
    @Test(
        "Each order computes its formula",
        arguments: [
            // x + ReLU(1 − 2x): 3 + 0, −3 + 7
            (ResidualOrder.linearActivation, [3, 4]),
            // x + 1 − 2 ReLU(x): 3 − 5, −3 + 1
            (.activationLinear, [-2, -2]),
            // x + ReLU(1 − 2 ReLU(x)) / 2 − 1: 3 + 0 − 1, −3 + 1/2 − 1
            (.preactivation, [2, -3.5]),
            // ReLU(x + ReLU(1 − 2x) / 2 − 1): ReLU(3 + 0 − 1), ReLU(−3 + 3.5 − 1)
            (.original, [2, 0]),
        ] as [(ResidualOrder, [Float])])
    func formula(order: ResidualOrder, expected: [Float]) throws {
        let weights = Self.weights.filter {
            order == .preactivation || order == .original || $0.key.hasPrefix("b.0")
        }
        for (x, y) in zip([3, -3] as [Float], expected) {
            #expect(
                try result([x], weights: weights) {
                    $0.residualBlock(1, kernel: 1, ResidualKind(order: order), "b")
                } == [y])
        }
    }

    @Test func linearThenActivationAddsNothingNegative() throws {
        let graph = try Graph(dimensions: 2, inputChannels: 3, style: Self.style(.batch)) {
            [$0.residualBlock(3, kernel: 3, ResidualKind(order: .linearActivation), "b")]
        }
        let x = try FormulaWeights.input([2, 3, 5, 7])
        let added = try (Network(graph, seed: 1)(x) - x).floats()
        #expect(added.allSatisfy { $0 > -1e-6 } && added.contains { $0 > 0.1 })
    }

    @Test func residualSumsAreScaled() throws {
        // (3 + ReLU(1 − 2 · 3)) / 2
        #expect(
            try result([3], weights: Self.weights.filter { $0.key.hasPrefix("b.0") }, scale: 0.5) {
                $0.residualBlock(1, kernel: 1, ResidualKind(order: .linearActivation), "b")
            } == [1.5])
    }

    @Test func bottleneckNarrowsToAQuarterAndWidensAgain() throws {
        let weights: [String: [Float]] = [
            "b.0.convolution.weight": [1, 2, 3, 4], "b.1.convolution.weight": [-1], "b.1.convolution.bias": [20],
            "b.2.convolution.weight": [1, 0, -1, 2], "b.2.convolution.bias": [0, 0.5, 0, 0],
        ]
        // 1 + 2 + 0 + 12 = 15; 20 − 15 = 5; 5, 0, −5, 10
        #expect(
            try result([1, 1, 0, 3], weights: weights) {
                $0.bottleneckBlock(4, kernel: 1, ResidualKind(order: .original), "b")
            } == [6, 1.5, 0, 13])
    }

    /// At equal width: 2 · 9 · 64² of two convolutions of 3 beside 64 · 16 · 2 + 9 · 16² of a bottleneck.
    @Test func bottleneckHasASixteenthOfTheParameters() throws {
        func graph(_ block: (Signal) -> Signal) throws -> Graph {
            try Graph(dimensions: 2, inputChannels: 64) { [block($0)] }
        }
        let kind = ResidualKind(order: .preactivation)
        let standard = try graph { $0.residualBlock(64, kernel: 3, kind, "b") }
        let bottleneck = try graph { $0.bottleneckBlock(64, kernel: 3, kind, "b") }
        #expect(standard.parameterCount(countingNormalization: false) == 73_728)
        #expect(bottleneck.parameterCount(countingNormalization: false) == 4_352)
        #expect(try standard.multiplyAdds(of: [8, 8]) == 64 * 73_728)
        #expect(try bottleneck.multiplyAdds(of: [8, 8]) == 64 * 4_352)
    }

    static let orders: [(ResidualOrder, [String])] = [
        (.linearActivation, ["convolution 3×3", "batch norm", "ReLU", "add residual"]),
        (.activationLinear, ["batch norm", "ReLU", "convolution 3×3", "add residual"]),
        (
            .preactivation,
            ["batch norm", "ReLU", "convolution 3×3", "batch norm", "ReLU", "convolution 3×3", "add residual"]
        ),
        (
            .original,
            [
                "convolution 3×3", "batch norm", "ReLU", "convolution 3×3", "batch norm", "add residual", "ReLU",
            ]
        ),
    ]

    @Test("Orders are what their names say", arguments: orders)
    func operations(order: ResidualOrder, expected: [String]) throws {
        let graph = try Graph(dimensions: 2, inputChannels: 4) {
            [$0.residualBlock(4, kernel: 3, ResidualKind(order: order), "b")]
        }
        #expect(graph.nodes.dropFirst().map(\.operation.description) == expected)
    }

    @Test("Strides round odd extents up, whatever the shortcut", arguments: ResidualOrder.allCases)
    func oddExtents(order: ResidualOrder) throws {
        for shortcut in [Shortcut.projection, .identity] {
            for channels in [2, 4, 8] {
                let kind = ResidualKind(order: order, shortcut: shortcut)
                let standard = try Graph(dimensions: 3, inputChannels: 4) {
                    [$0.residualBlock(channels, kernel: [1, 3, 5], stride: [1, 2, 3], kind, "b")]
                }
                let x = try FormulaWeights.input([2, 4, 3, 7, 11])
                #expect(try Network(standard, seed: 1)(x).shape == [2, channels, 3, 4, 4])
                if order.rawValue.hasPrefix("linear") || order.rawValue.hasPrefix("relu") { continue }
                let bottleneck = try Graph(dimensions: 3, inputChannels: 4) {
                    [$0.bottleneckBlock(channels, kernel: 3, stride: 2, kind, "b")]
                }
                #expect(try Network(bottleneck, seed: 1)(x).shape == [2, channels, 2, 4, 6])
            }
        }
        let dense = try Graph(dimensions: 2, inputChannels: 4) {
            [$0.denseBlock(6, layers: 2, growth: 3, kernel: 3, stride: 2, "b")]
        }
        #expect(try Network(dense, seed: 1)(FormulaWeights.input([2, 4, 7, 9])).shape == [2, 6, 4, 5])
    }

    /// The identity keeps every second voxel and adds channels of zeros.
    @Test func identityShortcutHasNoParameters() throws {
        let kind = ResidualKind(order: .preactivation, shortcut: .identity)
        let graph = try Graph(dimensions: 2, inputChannels: 1) {
            [$0.residualBlock(3, kernel: 3, stride: 2, kind, "b")]
        }
        // Convolutions 1 → 3 and 3 → 3.
        #expect(graph.parameterCount(countingNormalization: false) == 27 + 81)
        let network = try Network(graph, seed: 1)
        let deleted = Probe(deletes: { _ in true })
        let x = try Tensor((0..<15).map(Float.init), shape: [1, 1, 3, 5])
        let found = try network.outputs(x, probe: deleted)[0].floats()
        #expect(found == [0, 2, 4, 10, 12, 14] + Array(repeating: 0, count: 12))
    }

    @Test func averagePoolingShortcutProjectsOnlyNewChannels() throws {
        let kind = ResidualKind(order: .original, shortcut: .averagePooling)
        func graph(_ channels: Int) throws -> Graph {
            try Graph(dimensions: 2, inputChannels: 2) {
                [$0.residualBlock(channels, kernel: 3, stride: 2, kind, "b")]
            }
        }
        #expect(try graph(2).parameterCount(countingNormalization: false) == 2 * 36)
        #expect(try graph(3).parameterCount(countingNormalization: false) == 54 + 81 + 6)
        let x = try Tensor([1, 2, 3, 6, 0, 0, 4, 4] as [Float], shape: [1, 2, 2, 2])
        let deleted = Probe(deletes: { _ in true })
        let network = try Network(graph(2), seed: 1)
        // The branch ends in one voxel, too few for statistics.
        network.mode = .evaluation
        #expect(try network.outputs(x, probe: deleted)[0].floats() == [3, 2])
    }

    @Test(
        "A branch whose last scale is 0 leaves its block the identity, and learns",
        arguments: [Shortcut.projection, .averagePooling])
    func zeroLastNorm(shortcut: Shortcut) throws {
        var style = Self.style(.batch)
        style.zeroLastNorm = true
        let kind = ResidualKind(order: .original, shortcut: shortcut)
        let graph = try Graph(dimensions: 2, inputChannels: 4, style: style) {
            [$0.residualBlock(4, kernel: 3, kind, "a").bottleneckBlock(4, kernel: 3, kind, "b")]
        }
        let network = try Network(graph, seed: 1)
        // What follows a ReLU.
        let x = try FormulaWeights.input([2, 4, 5, 6]).relu()
        let y = try network(x)
        #expect(try y.floats() == x.floats())
        try (y * x).sum().backward()
        for name in ["a.1", "b.2"] {
            let scale = try #require(network.parameters.first { $0.name == "\(name).normalization.weight" }).tensor
            #expect(try #require(try scale.gradient()).absolute().largest().item() > 0.01)
        }
    }

    /// As Huang et al. (2017) draw it: 3 channels, 35 after one layer, 67 after two; the first ones are the input itself.
    @Test func denseLayersAreConcatenatedBehindTheirInput() throws {
        let plain = try Graph(dimensions: 2, inputChannels: 3) { [$0.denseLayers(2, growth: 32, kernel: 3, "d")] }
        let reduced = try Graph(dimensions: 2, inputChannels: 3) {
            [$0.denseNetLayer(growth: 32, "d.0").denseNetLayer(growth: 32, "d.1")]
        }
        // 3-convolutions of 3 and 35 channels, or of 128 after 1-convolutions of 3 and 35.
        for (graph, weights) in [(plain, 9 * 32 * 38), (reduced, 128 * 38 + 2 * 9 * 128 * 32)] {
            let joints = graph.nodes.filter { $0.operation == .concatenate }.map(\.channels)
            #expect(joints == [35, 67])
            #expect(graph.parameterCount(countingNormalization: false) == weights)
            let x = try FormulaWeights.input([1, 3, 4, 4])
            let y = try Network(graph, seed: 1)(x)
            #expect(try y.narrowed(axis: 1, to: 0..<3).floats() == x.floats())
        }
    }

    @Test func denseBlocksCompressToTheirChannels() throws {
        let graph = try Graph(dimensions: 3, inputChannels: 5) {
            [$0.denseBlock(6, layers: 3, growth: 4, kernel: 3, "d")]
        }
        // 5 + 3 · 4 channels before the compression.
        #expect(graph.parameterCount(countingNormalization: false) == 27 * 4 * (5 + 9 + 13) + 17 * 6)
        #expect(try Network(graph, seed: 1)(FormulaWeights.input([1, 5, 3, 4, 5])).shape == [1, 6, 3, 4, 5])
    }
}
