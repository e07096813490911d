import Diagnosis
import Networks
import Tensors
import Testing

/// A residual network's derivative is the sum over its paths, each a product of its blocks' Jacobians.
struct GradientPathsTests {
    static let width = 6

    private func network(blocks: Int) throws -> Network {
        var style = LayerStyle()
        style.normalization = .none
        let graph = try Graph(dimensions: 2, inputChannels: Self.width, style: style) { input in
            [
                (1...blocks).reduce(input) { x, block in
                    let branch = x.activated().convolution(Self.width, kernel: 1, "block \(block).a").activated()
                        .convolution(Self.width, kernel: 1, "block \(block).b")
                    return x.joined(byResidual: branch, "block \(block)")
                }
            ]
        }
        return try Network(graph, seed: 3, elementType: .float64)
    }

    private func input() throws -> Tensor {
        try Tensor.gaussian([1, Self.width, 1, 1], CounterRandom(seed: 5, stream: "x"), type: .float64)
    }

    @Test(arguments: [3, 4])
    func theDerivativeIsTheSumOverPathsOfProductsOfJacobians(blocks: Int) throws {
        let network = try network(blocks: blocks)
        // The outputs of input and blocks, with plain numbers; the branches' Jacobians there.
        var signal = try input().values(of: Double.self)
        var jacobians: [[[Double]]] = []
        for block in 1...blocks {
            let (first, second) = (try matrix(network, "block \(block).a"), try matrix(network, "block \(block).b"))
            let hidden = product(first, signal.map { max($0, 0) })
            let masked = product(
                product(second, diagonal(hidden.map { $0 > 0 ? 1 : 0 })),
                product(first, diagonal(signal.map { $0 > 0 ? 1 : 0 })))
            jacobians.append(masked)
            signal = zip(signal, product(second, hidden.map { max($0, 0) })).map(+)
        }
        #expect(try zip(network(input()).values(of: Double.self), signal).allSatisfy { abs($0 - $1) < 1e-12 })

        for (place, first) in [(GradientPaths.Place.input, 0), (.firstBlock, 1)] {
            let taken = jacobians[first...]
            var sum = [[Double]](repeating: Array(repeating: 0, count: Self.width), count: Self.width)
            var byLength = [Double](repeating: 0, count: taken.count + 1)
            // d(Σ weight · y) along one path: weightᵀ · the product of its Jacobians, the last block's first.
            let weight = (0..<Self.width).map { Double($0) - 2.5 }
            for path in 0..<1 << taken.count {
                let chosen = taken.enumerated().filter { path >> $0.offset & 1 == 1 }.map(\.element)
                let whole = chosen.reduce(diagonal(Array(repeating: 1, count: Self.width))) { product($1, $0) }
                sum = zip(sum, whole).map { zip($0, $1).map(+) }
                byLength[chosen.count] += norm(product(transposed(whole), weight))
            }
            // All rows of the network's derivative, by autograd.
            let derivative = try derivative(network, place)
            let scale = sum.joined().map(abs).max() ?? 0
            for (found, expected) in zip(derivative.joined(), sum.joined()) {
                #expect(abs(found - expected) < 1e-10 * scale)
            }
            // And path by path, as measured.
            let weights = try Tensor(weight, shape: [1, Self.width, 1, 1])
            let paths = try #require(
                try GradientPaths.measure(network, name: "small", input: input(), at: place) {
                    try ($0[0] * weights).sum()
                })
            #expect(paths.lengths.map(\.followed).reduce(0, +) == 1 << taken.count)
            #expect(try #require(paths.sumError) < 1e-12)
            for (length, expected) in zip(paths.lengths, byLength) {
                #expect(abs(length.weight - expected) < 1e-10 * (expected + 1))
            }
        }
    }

    @Test func manyBlocksAreSampledByLength() throws {
        let paths = try GradientPaths.ofReference(blocks: 12)
        #expect(paths.sumError == nil)
        #expect(paths.lengths.map(\.paths) == [1, 11, 55, 165, 330, 462, 462, 330, 165, 55, 11, 1])
        #expect(paths.lengths.map(\.followed).first == 1 && paths.lengths.map(\.followed).last == 1)
        #expect(paths.lengths.allSatisfy { $0.meanNorm > 0 })
    }

    /// A U-Net of two levels with one residual block a stage: past the skip a path meets no block of the coarse level.
    /// With every block 1 + x ways by length, they are (1 + x)² (1 + 1 + x) from the input and (1 + x) (2 + x) from the
    /// first block.
    @Test(
        "A skip is a fork of paths, and their sum is the whole gradient",
        arguments: [
            (GradientPaths.Place.input, [2, 5, 4, 1]), (.firstBlock, [2, 3, 1]),
        ] as [(GradientPaths.Place, [Double])])
    func skips(place: GradientPaths.Place, counts: [Double]) throws {
        let configuration = try NetworkConfiguration("residual-unet", dimensions: 2) {
            ($0.levels, $0.features, $0.blocks) = (2, 4, [1])
        }
        let paths = try self.paths(configuration, place)
        #expect(paths.blocks == 3)
        #expect(paths.lengths.map(\.paths) == counts && paths.lengths.map { Double($0.followed) } == counts)
        #expect(try #require(paths.sumError) < 1e-12)
    }

    @Test(
        "The sum over paths is the whole gradient of every architecture",
        arguments: ["residual-unet", "nnunet-resenc", "hourglass", "bottleneck-unet", "resnet-18"],
        [GradientPaths.Place.input, .firstBlock])
    func architectures(name: String, place: GradientPaths.Place) throws {
        let configuration = try NetworkConfiguration(name, dimensions: 2) {
            ($0.levels, $0.features) = (2, 8)
            if name == "nnunet-resenc" { $0.blocks = [1, 2] }
            if name == "resnet-18" { $0.blocks = [1, 1, 1, 1] }
            if name == "residual-unet" { $0.deepSupervision = true }
        }
        let paths = try paths(configuration, place)
        #expect(try #require(paths.sumError) < 1e-12)
    }

    private func paths(
        _ configuration: NetworkConfiguration, _ place: GradientPaths.Place
    ) throws -> GradientPaths {
        let network = try Network(configuration, seed: 1, elementType: .float64)
        let random = CounterRandom(seed: 1, stream: "x")
        let input = try Tensor.gaussian(
            [2, configuration.inputChannels, 32, 32], random, type: .float64)
        let paths = try GradientPaths.measure(network, name: configuration.architecture, input: input, at: place) {
            try $0.map { try ($0 * $0).mean() }.reduce(Tensor.zeros([])) { try $0 + $1 }
        }
        let stillTrains = network.parameters.allSatisfy { $0.tensor.requiresGradient }
        #expect(stillTrains)
        return try #require(paths)
    }

    /// Of a chain of 9 blocks, 512 paths: by length all that there are, or 40 of them.
    @Test func sampledPathsStandForAll() throws {
        let network = try Network(ReferenceChain.normalizedResidual.graph(blocks: 9, width: 16), seed: 1)
        let input = try Tensor.gaussian([4, 16, 4, 4], CounterRandom(seed: 1, stream: "x"))
        func measure(passes: Int) throws -> [GradientPaths.Length] {
            let paths = try GradientPaths.measure(
                network, name: "chain", input: input, at: .input, passes: passes
            ) { try ($0[0] * $0[0]).mean() }
            return try #require(paths).lengths
        }
        let (all, some) = (try measure(passes: 1_260), try measure(passes: 400))
        #expect(all.map(\.followed) == [1, 9, 36, 84, 126, 126, 84, 36, 9, 1])
        #expect(some.map(\.followed) == [1, 9, 36, 40, 40, 40, 40, 36, 9, 1])
        for (a, b) in zip(all, some) { #expect(abs(b.weight / a.weight - 1) < (b.followed == 40 ? 0.3 : 1e-6)) }
        #expect(some[3].weight != all[3].weight)
    }

    @Test func aDeletedBlockIsLeftOut() throws {
        let network = try network(blocks: 3)
        let x = try input()
        let deletion = try #require(
            try BlockDeletion.measure(network, name: "small") { probe in
                Double(try network.outputs(x, probe: probe)[0].sum().item())
            })
        #expect(deletion.blocks.map(\.name) == ["block 1", "block 2", "block 3"])
        // Without its second block the network is one whose second block gives 0.
        let other = try self.network(blocks: 3)
        for part in other.parameters where part.name.hasPrefix("block 2.b") {
            try part.tensor.assign(part.tensor.detached().zerosLike())
        }
        let expected = try withoutGradients { try Double(other(x).sum().item()) }
        #expect(abs(deletion.blocks[1].loss - expected) < 1e-6)
        #expect(abs(deletion.loss - expected) > 1e-3)
    }

    @Test func aNetworkWithoutResidualBlocksHasNoPaths() throws {
        let network = try Network(ReferenceChain.plain.graph(blocks: 2, width: 4), seed: 1)
        let input = try Tensor.gaussian([1, 4, 8, 8], CounterRandom(seed: 1, stream: "x"))
        #expect(try GradientPaths.measure(network, name: "plain", input: input) { try $0[0].sum() } == nil)
    }

    // MARK: Plain matrices

    private func matrix(_ network: Network, _ layer: String) throws -> [[Double]] {
        let tensor = try #require(network.parameters.first { $0.name == "\(layer).weight" }).tensor
        let values = try tensor.values(of: Double.self)
        return (0..<Self.width).map { row in Array(values[row * Self.width..<(row + 1) * Self.width]) }
    }

    /// Row by row: d(output r) / d(input or first block's output).
    private func derivative(_ network: Network, _ place: GradientPaths.Place) throws -> [[Double]] {
        try (0..<Self.width).map { row in
            var leaf = try input()
            try leaf.setRequiresGradient(true)
            let output = try network.outputs(
                leaf,
                probe: Probe(output: { _, node, result in
                    guard place == .firstBlock, node.name == "block 1" else { return nil }
                    try result.retainGradient()
                    leaf = result
                    return nil
                }))[0]
            try output.narrowed(axis: 1, to: row..<row + 1).sum().backward()
            return try #require(try leaf.gradient()).values(of: Double.self)
        }
    }

    private func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
        a.map { row in b[0].indices.map { column in zip(row, b).reduce(0) { $0 + $1.0 * $1.1[column] } } }
    }

    private func product(_ a: [[Double]], _ x: [Double]) -> [Double] {
        a.map { zip($0, x).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    private func transposed(_ a: [[Double]]) -> [[Double]] { a[0].indices.map { column in a.map { $0[column] } } }

    private func diagonal(_ values: [Double]) -> [[Double]] {
        values.indices.map { row in values.indices.map { $0 == row ? values[row] : 0 } }
    }

    private func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
