import Foundation
import Networks
import Tensors
import Testing

/// Each normalization beside its formula in loops and beside PyTorch's layer.
struct NormalizationTests {
    /// A network of nothing but the layer `norm`.
    static func layer(
        _ normalization: Normalization, dimensions: Int, channels: Int = 6,
        type: Tensor.ElementType = .float64
    ) throws -> Network {
        var style = LayerStyle()
        style.normalization = normalization
        let graph = try Graph(dimensions: dimensions, inputChannels: channels, style: style) {
            [$0.normalized("norm")]
        }
        return try Network(graph, seed: 1, elementType: type)
    }

    /// Of 6 channels; means and deviations differ with sample and channel, lest one cell's pass for another's.
    static func data(dimensions: Int, samples: Int = 5, seed: UInt64 = 1) -> NormalizationFormula {
        let shape = [samples, 6] + [2, 3, 4].suffix(dimensions)
        let random = CounterRandom(seed: seed, stream: "data")
        let voxels = shape.dropFirst(2).reduce(1, *)
        let values = (0..<shape.reduce(1, *)).map { index in
            let (sample, channel) = (Double(index / voxels / 6), Double(index / voxels % 6))
            return random.normal(UInt64(index)) * (0.5 + 0.3 * channel) + sample - 0.7 * channel
        }
        return NormalizationFormula(shape: shape, values: values)
    }

    static let scale = [0.5, -1.5, 2, 0.8, 1, 3]
    static let shift = [1, 0, -2, 0.25, 0.5, -1]
    static let mean = [0.1, -0.4, 2, 1, 0, -3]
    static let variance = [0.5, 1, 2, 0.01, 4, 1.5]

    static func load(into layer: Network) throws {
        let values = ["weight": scale, "bias": shift, "running_mean": mean, "running_var": variance]
        let names = layer.stateDictionary().keys
        let state = try values.map { ("norm.\($0)", try Tensor($1, shape: [6])) }.filter { names.contains($0.0) }
        try layer.load(Dictionary(uniqueKeysWithValues: state))
    }

    static func tensor(_ data: NormalizationFormula) throws -> Tensor { try Tensor(data.values, shape: data.shape) }

    static func doubles(_ tensor: Tensor) throws -> [Double] { try tensor.values(of: Double.self) }

    static func running(_ layer: Network) throws -> [[Double]] { try layer.buffers.map { try doubles($0.tensor) } }

    static func expectClose(
        _ found: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found.count == expected.count, sourceLocation: sourceLocation)
        let far = zip(found, expected).filter { !(($0 - $1).magnitude < 1e-12) }
        #expect(far.isEmpty, sourceLocation: sourceLocation)
    }

    /// Of 5 samples and 6 channels: parts of 2, 2 and 1, of 1, of all; groups of 3 channels and of 2.
    static let kinds: [Normalization] = [
        .batch, .ghost(virtualBatch: 2), .ghost(virtualBatch: 1), .ghost(virtualBatch: 8), .layer,
        .group(groups: 2), .group(groups: 3), .instance,
    ]

    @Test("In training a value is normalized by its cell's statistics", arguments: kinds, [2, 3])
    func training(normalization: Normalization, dimensions: Int) throws {
        let data = Self.data(dimensions: dimensions)
        let layer = try Self.layer(normalization, dimensions: dimensions)
        try Self.load(into: layer)
        let statistics = data.statistics { data.cell(normalization, $0, $1) }
        let expected = data.normalized(scale: Self.scale, shift: Self.shift) { sample, channel in
            let cell = statistics[data.cell(normalization, sample, channel)]!
            return (cell.mean, cell.biasedVariance)
        }
        Self.expectClose(try Self.doubles(layer(Self.tensor(data))), expected)
        layer.mode = .population
        Self.expectClose(try Self.doubles(layer(Self.tensor(data))), expected)
    }

    @Test("In evaluation only batch norms go by stored statistics", arguments: kinds, [2, 3])
    func evaluation(normalization: Normalization, dimensions: Int) throws {
        let data = Self.data(dimensions: dimensions)
        let layer = try Self.layer(normalization, dimensions: dimensions)
        try Self.load(into: layer)
        layer.mode = .evaluation
        let statistics = data.statistics { data.cell(normalization, $0, $1) }
        let expected = data.normalized(scale: Self.scale, shift: Self.shift) { sample, channel in
            if normalization.hasStoredStatistics { return (Self.mean[channel], Self.variance[channel]) }
            let cell = statistics[data.cell(normalization, sample, channel)]!
            return (cell.mean, cell.biasedVariance)
        }
        let stored = try Self.running(layer)
        Self.expectClose(try Self.doubles(layer(Self.tensor(data))), expected)
        #expect(try Self.running(layer) == stored)
    }

    @Test func groupsThatDoNotDivideTheChannelsAreRefused() throws {
        let configuration = try NetworkConfiguration("unet") {
            $0.features = 6
            $0.normalization = .group(groups: 4)
        }
        let error = try #require(throws: NetworkConfigurationError.self) { try configuration.graph() }
        #expect(error.description.contains("encoder.0.0.normalization has 6), found {group: 4}"))
    }

    /// r ← 0.9 r + 0.1 · (mean, unbiased variance), once a part, in the order of the samples.
    @Test(
        "Running averages move once a part",
        arguments: [Normalization.batch, .ghost(virtualBatch: 2), .ghost(virtualBatch: 1)], [2, 3])
    func runningAverages(normalization: Normalization, dimensions: Int) throws {
        let data = Self.data(dimensions: dimensions)
        let layer = try Self.layer(normalization, dimensions: dimensions)
        try Self.load(into: layer)
        _ = try layer(Self.tensor(data))
        let parts: [Range<Int>] =
            switch normalization {
            case .ghost(virtualBatch: 2): [0..<2, 2..<4, 4..<5]
            case .ghost: [0..<1, 1..<2, 2..<3, 3..<4, 4..<5]
            default: [0..<5]
            }
        var (mean, variance) = (Self.mean, Self.variance)
        for part in parts {
            let statistics = data.statistics { part.contains($0) ? $1 : nil }
            for channel in 0..<6 {
                mean[channel] = 0.9 * mean[channel] + 0.1 * statistics[channel]!.mean
                variance[channel] = 0.9 * variance[channel] + 0.1 * statistics[channel]!.unbiasedVariance
            }
        }
        let found = try Self.running(layer)
        Self.expectClose(found[0], mean)
        Self.expectClose(found[1], variance)
    }

    /// Batches of 5, 3 and 2 samples, which a virtual batch of 2 leaves parts of 1, 2 and 2 of.
    @Test(
        "Statistics of a population are those of all its values together",
        arguments: [Normalization.batch, .ghost(virtualBatch: 2), .ghost(virtualBatch: 4)], [2, 3])
    func population(normalization: Normalization, dimensions: Int) throws {
        let layer = try Self.layer(normalization, dimensions: dimensions)
        try Self.load(into: layer)
        layer.mode = .population
        let batches = [5, 3, 2].map { Self.data(dimensions: dimensions, samples: $0, seed: UInt64($0)) }
        for batch in batches { _ = try layer(Self.tensor(batch)) }
        #expect(try Self.running(layer) == [Self.mean, Self.variance])
        try layer.storePopulationStatistics()
        let all = NormalizationFormula(
            shape: [10] + batches[0].shape.dropFirst(), values: batches.flatMap(\.values))
        let statistics = all.statistics { $1 }
        let found = try Self.running(layer)
        Self.expectClose(found[0], (0..<6).map { statistics[$0]!.mean })
        Self.expectClose(found[1], (0..<6).map { statistics[$0]!.biasedVariance })
    }

    @Test("Ghost batch norm of a batch is batch norm", arguments: [5, 6], [2, 3])
    func ghostOfTheBatch(virtualBatch: Int, dimensions: Int) throws {
        func pass(_ normalization: Normalization) throws -> [[Double]] {
            let layer = try Self.layer(normalization, dimensions: dimensions)
            try Self.load(into: layer)
            let x = try Self.tensor(Self.data(dimensions: dimensions))
            try x.setRequiresGradient(true)
            let y = try layer(x)
            try y.power(2).sum().backward()
            return try [y, #require(try x.gradient())].map(Self.doubles) + Self.running(layer)
        }
        #expect(try pass(.ghost(virtualBatch: virtualBatch)) == pass(.batch))
        #expect(try pass(.ghost(virtualBatch: 4)) != pass(.batch))
    }

    /// Values ±d have the variance d²: on the variance ε gives d / √(d² + 1e-5), on the deviation d / (d + 1e-5).
    @Test(
        "ε is added to the variance, not to the standard deviation", arguments: kinds,
        [
            // 1e-5 / √1.00001e-5, not 1/2
            (1e-5, 3.162261848848e-3),
            // The variance is ε: 1/√2, not 0.9968
            (1e-5.squareRoot(), 0.5.squareRoot()),
        ])
    func epsilon(normalization: Normalization, value: (deviation: Double, expected: Double)) throws {
        let layer = try Self.layer(normalization, dimensions: 2)
        let signs = (0..<5 * 6 * 2).map { $0 % 2 == 0 ? 1.0 : -1 }
        let x = try Tensor(signs.map { $0 * value.deviation }, shape: [5, 6, 1, 2])
        let expected = signs.map { $0 * value.expected }
        Self.expectClose(try Self.doubles(layer(x)), expected)
        guard normalization.hasStoredStatistics else { return }
        let variance = value.deviation * value.deviation
        for buffer in layer.buffers {
            let stored = buffer.name == "norm.running_var" ? variance : 0
            try buffer.tensor.assign(.full([6], stored, type: .float64))
        }
        layer.mode = .evaluation
        Self.expectClose(try Self.doubles(layer(x)), expected)
    }

    /// Layer norm is PyTorch's GroupNorm of one group.
    @Test(
        "Outputs and running statistics equal PyTorch's",
        arguments: [Normalization.batch, .ghost(virtualBatch: 2), .layer, .group(groups: 3), .instance], [2, 3])
    func reference(normalization: Normalization, dimensions: Int) throws {
        let path = try #require(
            Bundle.module.path(forResource: "Data/normalization-reference", ofType: "safetensors"))
        let reference = try Safetensors(contentsOf: path).tensors
        func expected(_ name: String) throws -> Tensor {
            try #require(reference["\(normalization.rawValue).\(dimensions).\(name)"])
        }
        let layer = try Self.layer(normalization, dimensions: dimensions, type: .float32)
        try FormulaWeights.fill(layer)
        let x = try FormulaWeights.input([5, 6] + [2, 3, 2].suffix(dimensions))
        for mode in [Mode.evaluation, .training] {
            layer.mode = mode
            #expect(try largestDifference(layer(x), expected("\(mode)")) < 2e-6)
        }
        for buffer in layer.buffers {
            #expect(try largestDifference(buffer.tensor, expected(buffer.name)) < 1e-6)
        }
    }

    @Test(
        "A single value a channel has no statistics to train with",
        arguments: [
            (Normalization.batch, [1, 3, 1, 1], "1 in samples 0..<1"),
            (.batch, [1, 3, 1, 1, 1], "1 in samples 0..<1"),
            (.batch, [0, 3, 2, 2], "0 in samples 0..<0"),
            (.ghost(virtualBatch: 4), [1, 3, 1, 1], "1 in samples 0..<1"),
            (.ghost(virtualBatch: 1), [2, 3, 1, 1], "1 in samples 1..<2"),
            (.ghost(virtualBatch: 2), [5, 3, 1, 1], "1 in samples 4..<5"),
        ])
    func singleValue(normalization: Normalization, shape: [Int], found: String) throws {
        let layer = try Self.layer(normalization, dimensions: shape.count - 2, channels: 3)
        let x = try Tensor.full(shape, 2, type: .float64)
        let error = TensorError.state(
            "batch norm needs 2 values a channel to train with, found \(found) of an input of shape \(shape)")
        for mode in [Mode.training, .population] {
            layer.mode = mode
            #expect(throws: error) { try layer(x) }
        }
        #expect(try Self.running(layer) == [[0, 0, 0], [1, 1, 1]])
        layer.mode = .evaluation
        Self.expectClose(try Self.doubles(layer(x)), Array(repeating: 2 / 1.00001.squareRoot(), count: x.count))
    }

    @Test(
        "Two values a channel are enough",
        arguments: [
            (Normalization.batch, [2, 3, 1, 1]), (.batch, [1, 3, 1, 2]), (.ghost(virtualBatch: 2), [4, 3, 1, 1]),
        ])
    func twoValues(normalization: Normalization, shape: [Int]) throws {
        let layer = try Self.layer(normalization, dimensions: 2, channels: 3)
        let x = try Tensor((0..<shape.reduce(1, *)).map(Double.init), shape: shape)
        #expect(try Self.doubles(layer(x)).allSatisfy { ($0.magnitude - 1).magnitude < 1e-4 })
        #expect(try Self.running(layer).joined().allSatisfy(\.isFinite))
    }
}
