import Foundation
import Inference
import Networks
import Tensors
import TestSupport
import Testing
import Volumes

@Suite(.serialized) struct NetworkTilingTests {
    /// A network whose statistics are not those of its initialization.
    private func network(_ configuration: NetworkConfiguration) throws -> Network {
        // Tests run side by side; a pool of threads each would only fight.
        try Libtorch.setThreads(1)
        let network = try Network(configuration, seed: 5)
        network.mode = .population
        try withoutGradients {
            let extents = try network.graph.smallestInput().map { $0 + 24 }
            let channels = configuration.inputChannels
            let noise = noisyVolume(
                ZYX(
                    channels * (extents.count == 2 ? 1 : extents[0]), extents[extents.count - 2], extents.last!))
            _ = try network(Tensor(noise.voxels, shape: [1, channels] + extents))
        }
        try network.storePopulationStatistics()
        network.mode = .evaluation
        return network
    }

    static let networks: [NetworkConfiguration] = [
        try! small(3),
        try! small(2) {
            $0.kernels = [[1, 3, 3], [3, 3, 3]]
            $0.strides = [[1, 2, 2]]
        },
        try! small(2) { $0.upsampling = .interpolation },
        try! small(2) { $0.padding = .valid },
        try! small(2) {
            $0.padding = .valid
            $0.kernels = [[1, 3, 3], [3, 3, 3]]
            $0.strides = [[1, 2, 2]]
        },
        try! small(3, dimensions: 2),
        try! small(3, dimensions: 2) { $0.padding = .valid },
        try! small(2) { $0.inputChannels = 2 },
        try! small(2, dimensions: 2) { $0.inputChannels = 3 },
    ]

    private static func small(
        _ levels: Int, dimensions: Int = 3, _ change: (inout NetworkConfiguration) -> Void = { _ in }
    ) throws -> NetworkConfiguration {
        try NetworkConfiguration("unet", dimensions: dimensions) {
            $0.levels = levels
            $0.features = 8
            change(&$0)
        }
    }

    @Test(arguments: networks, [60_000, 75_000])
    func tiledIsUntiled(configuration: NetworkConfiguration, maximum: Int) throws {
        let network = try network(configuration)
        let shape = ZYX(19, 53, 77)
        // Several channels are pieces of one large volume.
        let count = configuration.inputChannels
        let noise = noisyVolume(ZYX(count * shape.z, shape.y, shape.x))
        let channels = (0..<count).map {
            noise.cropped(to: Box(origin: ZYX($0 * shape.z, 0, 0), shape: shape))
        }
        let predictor = try Predictor(network: network, patch: ZYX(repeating: 64), precision: .f32, device: .cpu)
        func read(_ box: Box) -> [Volume<Float>] { channels.map { $0.cropped(to: box) } }
        func logits(_ region: Box, _ limit: TileLimit) throws -> Volume<Float> {
            try predictor.unroundedLogits(
                of: region, volume: shape, limit: limit, read: read)[0]
        }
        let whole = try logits(Box(shape), .none)
        let expected = try untiled(channels, network, predictor.geometry)
        // Folding a normalization into its convolution rounds otherwise.
        #expect(zip(whole.voxels, expected.voxels).allSatisfy { abs($0 - $1) <= 1e-4 })

        let part = Box(from: ZYX(3, 11, 6), to: ZYX(18, 53, 70))
        for region in [Box(shape), part] {
            let plan = try TilePlan(
                volume: shape, region: region, geometry: predictor.geometry, limit: .voxels(maximum))
            #expect(plan.tiles.count > 1 || region == part)
            let tiled = try logits(region, .voxels(maximum)).voxels
            let same = whole.cropped(to: region).voxels
            #expect(zip(tiled, same).allSatisfy { abs($0 - $1) <= 1e-5 })
            let stored = try predictor.logits(
                of: region, volume: shape, limit: .voxels(maximum), read: read)[0].voxels
            #expect(zip(stored, tiled).allSatisfy { $0 == LogitScale.encode($1) })
        }
    }

    /// The second channel is of a voxel and the one before it along x, where the network's borders allow it to be tiled then.
    @Test(arguments: [(ConvolutionPadding.same, 2), (.same, 3), (.valid, 2), (.valid, 3)], [false, true])
    func averagedTilesAreUntiled(kind: (padding: ConvolutionPadding, dimensions: Int), turns: Bool) throws {
        let network = try network(
            Self.small(2, dimensions: kind.dimensions) { ($0.padding, $0.outputChannels) = (kind.padding, 2) })
        let predictor = try Predictor(
            network: network, patch: ZYX(repeating: 64),
            averaging: PredictionAveraging(
                neighbourAxes: [nil, kind.padding == .same && !turns ? 2 : nil], mirrors: true, turns: turns),
            precision: .f32, device: .cpu)
        let shape = ZYX(19, 53, 77)
        let volume = noisyVolume(shape)
        func logits(_ limit: TileLimit) throws -> [Volume<Float>] {
            try predictor.unroundedLogits(of: Box(shape), volume: shape, limit: limit) { [volume.cropped(to: $0)] }
        }
        for (tiled, whole) in zip(try logits(.voxels(60_000)), try logits(.none)) {
            #expect(zip(tiled.voxels, whole.voxels).allSatisfy { abs($0 - $1) <= 1e-5 })
        }
    }

    /// The logits of a mirrored volume are the mirrored logits where all mirrorings are averaged, and otherwise not. The second
    /// channel is of a voxel and the one before it along x.
    @Test(arguments: [2, 3], [0, 1, 2])
    func aMirroredVolumeHasMirroredLogits(dimensions: Int, axis: Int) throws {
        let network = try network(Self.small(2, dimensions: dimensions) { $0.outputChannels = 2 })
        let shape = ZYX(12, 20, 24)
        let volume = noisyVolume(shape)
        func place(_ z: Int, _ y: Int, _ x: Int) -> ZYX<Int> {
            ZYX(axis == 0 ? shape.z - 1 - z : z, axis == 1 ? shape.y - 1 - y : y, axis == 2 ? shape.x - 1 - x : x)
        }
        var turned = volume
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x {
                    let at = place(z, y, x)
                    turned[z, y, x] = volume[at.z, at.y, at.x]
                }
            }
        }
        /// The largest difference between the logits of the volume and, turned back, those of the mirrored one.
        func difference(_ averaging: PredictionAveraging?) throws -> [Float] {
            let predictor = try Predictor(
                network: network, patch: ZYX(repeating: 64), averaging: averaging, precision: .f32, device: .cpu)
            let logits = try [volume, turned].map { volume in
                try predictor.logits(of: Box(shape), volume: shape, limit: .none) {
                    [volume.cropped(to: $0)]
                }.map { $0.map(LogitScale.decode) }
            }
            return [0, 1].map { channel in
                var largest: Float = 0
                for z in 0..<shape.z {
                    for y in 0..<shape.y {
                        // The pair of x and x - 1 is found, mirrored along x, at the place of x - 1.
                        for x in 1..<shape.x {
                            let at = place(z, y, channel == 1 && axis == 2 ? x - 1 : x)
                            largest = max(
                                largest, abs(logits[0][channel][z, y, x] - logits[1][channel][at.z, at.y, at.x]))
                        }
                    }
                }
                return largest
            }
        }
        let averaged = try difference(PredictionAveraging(neighbourAxes: [nil, 2], mirrors: true))
        #expect(averaged[0] <= 2 / 1024 && averaged[1] <= 2 / 1024, "\(averaged)")
        let alone = try difference(nil)
        #expect((dimensions == 2 && axis == 0) || (alone[0] > 0.01 && alone[1] > 0.01), "\(alone)")
    }

    /// Of a volume that is turned by a quarter within its sections, so that a voxel of y and x comes to x and width - 1 - y, the
    /// logits are turned likewise where all turns are averaged; affinities along y become those along x, of a voxel and the
    /// one before it, and those along x become those along y of the next.
    @Test(arguments: [2, 3], [false, true])
    func aTurnedVolumeHasTurnedLogits(dimensions: Int, mirrors: Bool) throws {
        let network = try network(Self.small(2, dimensions: dimensions) { $0.outputChannels = 3 })
        let (shape, turnedShape) = (ZYX(8, 20, 24), ZYX(8, 24, 20))
        let volume = noisyVolume(shape)
        var turned = Volume<Float>(shape: turnedShape)
        func place(_ y: Int, _ x: Int) -> (y: Int, x: Int) { (x, shape.y - 1 - y) }
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x { turned[z, place(y, x).y, place(y, x).x] = volume[z, y, x] }
            }
        }
        func difference(_ averaging: PredictionAveraging?) throws -> [Float] {
            let predictor = try Predictor(
                network: network, patch: ZYX(repeating: 64), averaging: averaging, precision: .f32, device: .cpu)
            func logits(_ volume: Volume<Float>) throws -> [Volume<Float>] {
                try predictor.logits(of: Box(volume.shape), volume: volume.shape, limit: .none) {
                    [volume.cropped(to: $0)]
                }.map { $0.map(LogitScale.decode) }
            }
            let (before, after) = (try logits(volume), try logits(turned))
            var largest: [Float] = [0, 0, 0]
            for z in 0..<shape.z {
                for y in 1..<shape.y {
                    for x in 1..<shape.x {
                        // Of y and y - 1: along x, and since it runs backwards, at the place of y - 1.
                        for (channel, source, at) in [
                            (0, 0, place(y, x)), (1, 2, place(y - 1, x)), (2, 1, place(y, x)),
                        ] {
                            let gap = before[channel][z, y, x] - after[source][z, at.y, at.x]
                            largest[channel] = max(largest[channel], abs(gap))
                        }
                    }
                }
            }
            return largest
        }
        let averaged = try difference(
            PredictionAveraging(neighbourAxes: [nil, 1, 2], mirrors: mirrors, turns: true))
        #expect(averaged.max()! <= 2 / 1024, "\(averaged)")
        let alone = try difference(nil)
        #expect(alone.min()! > 0.01, "\(alone)")
    }

    /// Windows of 16 × 32 × 32 that overlap by a half lie, along axes of 20, 40 and 70 voxels, where these lists say. Each
    /// voxel's logit is the mean of those of all windows with Gaussian weights, and does not depend on tiles.
    @Test(arguments: [52_000, 1_000_000])
    func overlappingWindowsAreBlended(maximum: Int) throws {
        let network = try network(Self.small(2))
        let (shape, window) = (ZYX(20, 40, 70), ZYX(16, 32, 32))
        let volume = noisyVolume(shape)
        let predictor = try Predictor(
            network: network, patch: window, averaging: PredictionAveraging(neighbourAxes: [nil], overlap: 0.5),
            precision: .f32, device: .cpu)
        let blended = try predictor.logits(of: Box(shape), volume: shape, limit: .voxels(maximum)) {
            [volume.cropped(to: $0)]
        }[0].map(LogitScale.decode)

        var sums = [Double](repeating: 0, count: shape.count)
        var weights = sums
        for z in [0, 4] {
            for y in [0, 8] {
                for x in [0, 13, 25, 38] {
                    let box = Box(origin: ZYX(z, y, x), shape: window)
                    let input = try Tensor(volume.cropped(to: box).voxels, shape: [1, 1] + window.array)
                    let logits = try withoutGradients { try network(input) }.floats()
                    for (index, cell) in Box(window).cells(of: ZYX(repeating: 1)).enumerated() {
                        let distance = zip(cell.origin.array, window.array).reduce(0.0) { sum, axis in
                            let offset = (Double(axis.0) - Double(axis.1 - 1) / 2) / (Double(axis.1) / 8)
                            return sum + offset * offset
                        }
                        let at = cell.origin + box.origin
                        let voxel = (at.z * shape.y + at.y) * shape.x + at.x
                        sums[voxel] += exp(-distance / 2) * Double(logits[index])
                        weights[voxel] += exp(-distance / 2)
                    }
                }
            }
        }
        let expected = zip(sums, weights).map { Float($0 / $1) }
        #expect(zip(blended.voxels, expected).allSatisfy { abs($0 - $1) <= 1.01 / 1024 })
    }

    /// The network itself on the whole volume: zero-padded at its far end, or mirrored by the margin on all sides.
    private func untiled(
        _ channels: [Volume<Float>], _ network: Network, _ geometry: TileGeometry
    ) throws -> Volume<Float> {
        let shape = channels[0].shape
        let inputs = channels.map { padded($0, geometry) }
        let size = inputs[0].shape
        let isFlat = network.graph.dimensions == 2
        // A voxel at a time, in the order of the tensor.
        var voxels: [Float] = []
        for first in 0..<(isFlat ? size.z : channels.count) {
            for second in 0..<(isFlat ? channels.count : size.z) {
                let (channel, z) = isFlat ? (second, first) : (first, second)
                for y in 0..<size.y { for x in 0..<size.x { voxels.append(inputs[channel][z, y, x]) } }
            }
        }
        let tensor = try Tensor(
            voxels,
            shape: isFlat
                ? [size.z, channels.count, size.y, size.x] : [1, channels.count, size.z, size.y, size.x])
        let direct = try withoutGradients { try network(tensor) }
        return Volume(
            shape: size - geometry.margin - geometry.margin, voxels: try direct.floats()
        ).cropped(to: Box(shape))
    }

    private func padded(_ volume: Volume<Float>, _ geometry: TileGeometry) -> Volume<Float> {
        guard geometry.margin != .zero else {
            let far = geometry.stride.cells(covering: volume.shape).zip(geometry.stride, *)
            var input = Volume<Float>(shape: far)
            input.replace(at: .zero, with: volume)
            return input
        }
        let rest = geometry.smallest - geometry.margin - geometry.margin
        // Whole strides more than the smallest output.
        let output = (volume.shape - rest).zip(geometry.stride) { max(0, ($0 + $1 - 1) / $1 * $1) } + rest
        var input = Volume<Float>(shape: output + geometry.margin + geometry.margin)
        for z in 0..<input.shape.z {
            for y in 0..<input.shape.y {
                for x in 0..<input.shape.x {
                    let at = (ZYX(z, y, x) - geometry.margin).zip(volume.shape, mirrored)
                    input[z, y, x] = volume[at.z, at.y, at.x]
                }
            }
        }
        return input
    }

    private func mirrored(_ at: Int, _ length: Int) -> Int {
        var at = at
        while at < 0 || at >= length { at = at < 0 ? -at : 2 * (length - 1) - at }
        return at
    }

    @Test func aNetworkFileReadsBackAsTheSameNetwork() throws {
        let folder = ScratchFolder()
        let path = folder.path("network.safetensors")
        let network = try network(Self.networks[1])
        try NetworkFile.write(network, to: path, metadata: ["note": "seen"])
        let again = try NetworkFile.read(path, device: .cpu)
        #expect(again.configuration == network.configuration)
        let input = try Tensor(noisyVolume(ZYX(8, 8, 8)).voxels, shape: [1, 1, 8, 8, 8])
        let (found, expected) = try withoutGradients { (try again(input).floats(), try network(input).floats()) }
        #expect(found == expected)
    }

    @Test func aFileThatIsNoNetworkIsOneClearError() throws {
        let folder = ScratchFolder()
        let path = folder.path("network.safetensors")
        try Safetensors(["a": Tensor(1)]).write(to: path)
        let error = #expect(throws: NetworkFileError.self) { try NetworkFile.read(path, device: .cpu) }
        #expect(error?.description.hasPrefix("\(path): has no metadata 'network'") == true)
    }
}

private func noisyVolume(_ shape: ZYX<Int>) -> Volume<Float> {
    Volume(shape: shape, voxels: (0..<shape.count).map { Float(($0 &* 7_919 &+ $0 / 31) % 509) / 509 * 3 - 1.5 })
}
