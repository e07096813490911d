import Networks
import Tensors
import Testing

struct InitializationTests {
    /// A layer by itself, and how many connections lead into one of its outputs and out of one of its inputs.
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let dimensions, inputChannels, fanIn, fanOut: Int
        let layer: @Sendable (Signal) -> Signal
    }

    static let cases = [
        // 16 · 9, 32 · 9
        Case(testDescription: "convolution 3×3", dimensions: 2, inputChannels: 16, fanIn: 144, fanOut: 288) {
            $0.convolution(32, kernel: 3, "layer")
        },
        Case(testDescription: "convolution 3×3 / 2", dimensions: 2, inputChannels: 32, fanIn: 288, fanOut: 144) {
            $0.convolution(16, kernel: 3, stride: 2, "layer")
        },
        // 8 · 9, 64 · 9
        Case(testDescription: "convolution 1×3×3", dimensions: 3, inputChannels: 8, fanIn: 72, fanOut: 576) {
            $0.convolution(64, kernel: [1, 3, 3], "layer")
        },
        Case(testDescription: "convolution 1×1", dimensions: 2, inputChannels: 32, fanIn: 32, fanOut: 128) {
            $0.convolution(128, kernel: 1, "layer")
        },
        // Windows do not overlap: an output voxel sees one input voxel, which goes into four.
        Case(
            testDescription: "transposed convolution 2×2", dimensions: 2, inputChannels: 64, fanIn: 64, fanOut: 128
        ) { $0.transposedConvolution(32, stride: 2, "layer") },
        Case(
            testDescription: "transposed convolution 1×2×2", dimensions: 3, inputChannels: 48, fanIn: 48, fanOut: 64
        ) { $0.transposedConvolution(16, stride: [1, 2, 2], "layer") },
    ]

    static func parameters(_ c: Case, _ initialization: Initialization, seed: UInt64 = 1) throws -> [NamedTensor] {
        var style = LayerStyle()
        (style.initialization, style.normalization) = (initialization, .none)
        let graph = try Graph(dimensions: c.dimensions, inputChannels: c.inputChannels, style: style) {
            [c.layer($0)]
        }
        return try Network(graph, seed: seed).parameters
    }

    /// Within 5 standard deviations of what a sample of normal numbers has.
    static func expectNormal(_ weight: Tensor, variance expected: Double) throws {
        let values = try weight.floats().map(Double.init)
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let fourth = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) } / count
        #expect(abs(mean) < 5 * (expected / count).squareRoot())
        #expect(abs(variance / expected - 1) < 5 * (2 / count).squareRoot())
        #expect(abs(fourth / (variance * variance) - 3) < 5 * (24 / count).squareRoot())
    }

    @Test("Weights are normal and of their formula's variance", arguments: cases, Initialization.allCases)
    func variance(layer: Case, initialization: Initialization) throws {
        let parameters = try Self.parameters(layer, initialization)
        #expect(parameters.map(\.name) == ["layer.weight", "layer.bias"])
        let expected =
            switch initialization {
            case .he: 2 / Double(layer.fanIn)
            case .heFanOut: 2 / Double(layer.fanOut)
            case .glorot: 2 / Double(layer.fanIn + layer.fanOut)
            }
        try Self.expectNormal(parameters[0].tensor, variance: expected)
        #expect(try parameters[1].tensor.floats().allSatisfy { $0 == 0 })
    }

    @Test("The matrix of a classifier is drawn by He's fan-in", arguments: Initialization.allCases)
    func linear(initialization: Initialization) throws {
        let layer = Case(testDescription: "linear", dimensions: 2, inputChannels: 128, fanIn: 128, fanOut: 32) {
            $0.averaged().linear(32, "layer")
        }
        let parameters = try Self.parameters(layer, initialization)
        try Self.expectNormal(parameters[0].tensor, variance: 2.0 / 128)
        #expect(try parameters[1].tensor.floats() == Array(repeating: 0, count: 32))
    }

    @Test("Biases and shifts start at 0, scales at 1", arguments: SmallNetworks.names + ["resnet-18"])
    func startingValues(name: String) throws {
        let configuration = try SmallNetworks.configuration(name, dimensions: 2) {
            if name == "resnet-18" { $0.blocks = [1, 1, 1, 1] } else { $0.biases = true }
        }
        for normalization in [Normalization.batch, .group(groups: 2)] {
            var configuration = configuration
            configuration.normalization = normalization
            let network = try Network(configuration, seed: 1)
            var counts: [Float: Int] = [:]
            for (name, tensor) in network.stateDictionary() where tensor.shape.count == 1 {
                let isOne = name.hasSuffix(".weight") || name.hasSuffix(".running_var")
                #expect(try tensor.floats().allSatisfy { $0 == (isOne ? 1 : 0) }, "\(name)")
                counts[isOne ? 1 : 0, default: 0] += 1
            }
            #expect(counts[0, default: 0] > 3 && counts[1, default: 0] > 3)
        }
    }

    @Test(
        "With zero_last_norm the last scales of residual branches start at 0, and no others",
        arguments: ["residual-unet", "bottleneck-unet", "nnunet-resenc", "resnet-18", "resnet-50"], [true, false])
    func zeroLastNorm(name: String, zeroes: Bool) throws {
        let configuration = try SmallNetworks.configuration(name, dimensions: 2) {
            ($0.order, $0.zeroLastNorm) = (.original, zeroes)
            if name.hasPrefix("resnet") { $0.blocks = [1, 2, 1, 1] }
        }
        let network = try Network(configuration, seed: 1)
        let nodes = network.graph.nodes
        // A residual sum reads its shortcut first, then its branch.
        let ends = Set(network.graph.residualBlocks.map { "\(nodes[$0.inputs[1]].name).weight" })
        #expect(ends.count == network.graph.residualBlocks.count && ends.count > 2)
        let scales = network.parameters.filter { $0.tensor.shape.count == 1 && $0.name.hasSuffix(".weight") }
        #expect(ends.isSubset(of: scales.map(\.name)) && scales.count > ends.count)
        for scale in scales {
            let expected: Float = zeroes && ends.contains(scale.name) ? 0 : 1
            #expect(try scale.tensor.floats().allSatisfy { $0 == expected }, "\(scale.name)")
        }
    }

    /// The weights of 1-convolutions of 8 channels, one after the other.
    static func weights(_ names: [String], seed: UInt64 = 1) throws -> [[Float]] {
        let graph = try Graph(dimensions: 2, inputChannels: 8) { input in
            [names.reduce(input) { $0.convolution(8, kernel: 1, bias: false, $1) }]
        }
        return try Network(graph, seed: seed).parameters.map { try $0.tensor.floats() }
    }

    @Test func weightsAreAFunctionOfSeedAndNameAlone() throws {
        let weights = try Self.weights(["a", "b"])
        #expect(try Self.weights(["a", "b"]) == weights)
        #expect(weights[0] != weights[1])
        // Neither of the place in the network nor of the other layers.
        #expect(try Self.weights(["b", "c", "a"]).last == weights[0])
        let other = try Self.weights(["a", "b"], seed: 2)
        #expect(other[0] != weights[0] && other[1] != weights[1])
    }

    /// Large layers are drawn in parts of 65,536, on several threads.
    @Test func everyNumberIsThatOfItsIndex() throws {
        let graph = try Graph(dimensions: 2, inputChannels: 300) {
            [$0.convolution(500, kernel: 1, bias: false, "large")]
        }
        let values = try Network(graph, seed: 3).parameters[0].tensor.floats()
        let random = CounterRandom(seed: 3, stream: "large.weight")
        let deviation = (2.0 / 300).squareRoot()
        #expect(values.count == 150_000)
        let strangers = values.indices.filter { values[$0] != Float(deviation * random.normal(UInt64($0))) }
        #expect(strangers.first == nil)
    }
}
