import Foundation
import Inference
import Networks
import Tensors
import Testing
import Volumes

@Suite(.serialized) struct NetworkTilingTests {
    /// A network whose statistics are not those of its initialization.
    private func network(_ configuration: UNetConfiguration) throws -> UNet {
        // Tests run side by side; a pool of threads each would only fight.
        try Libtorch.setThreads(1)
        let network = try UNet(configuration, seed: 5)
        network.mode = .population
        try withoutGradients {
            let noise = noisyVolume(ZYX(32, 32, 32))
            _ = try network(Tensor(noise.voxels, shape: [1, 1, 32, 32, 32]))
        }
        try network.storePopulationStatistics()
        network.mode = .evaluation
        return network
    }

    static let networks: [UNetConfiguration] = [
        try! UNetConfiguration(levels: 3, features: 16),
        try! UNetConfiguration(levels: 2, features: 16, kernels: [[1, 3, 3], [3, 3, 3]], strides: [[1, 2, 2]]),
        try! UNetConfiguration(levels: 2, features: 16, upsampling: .interpolation),
    ]

    @Test(arguments: networks, [60_000, 75_000])
    func tiledIsUntiled(configuration: UNetConfiguration, maximum: Int) throws {
        let network = try network(configuration)
        let shape = ZYX(19, 53, 77)
        let volume = noisyVolume(shape)
        let predictor = try Predictor(network: network, precision: .f32, device: .cpu)
        func logits(_ maximum: Int) throws -> [Float] {
            try predictor.logits(of: Box(shape), volume: shape, maximumTileVoxels: maximum) {
                volume.cropped(to: $0)
            }.voxels.map(LogitScale.decode)
        }
        // One tile is the network itself on the padded volume.
        let whole = try logits(.max)
        let far = predictor.stride.cells(covering: shape).zip(predictor.stride, *)
        var padded = Volume<Float>(shape: far)
        padded.replace(at: .zero, with: volume)
        let direct = try withoutGradients {
            try network(Tensor(padded.voxels, shape: [1, 1, far.z, far.y, far.x])).floats()
        }
        let expected = Volume(shape: far, voxels: direct).cropped(to: Box(shape)).voxels
        #expect(zip(whole, expected).allSatisfy { abs($0 - $1) <= 1e-4 + 0.5 / 1024 })

        let plan = try TilePlan(
            volume: shape, region: Box(shape), stride: predictor.stride, halo: predictor.halo,
            maximumVoxels: maximum)
        #expect(plan.tiles.count > 1)
        // Rounding to 1/1024 may turn a difference of 1e-5 into one unit.
        let tiled = try logits(maximum)
        #expect(zip(tiled, whole).allSatisfy { abs($0 - $1) <= 1.01 / 1024 })
        #expect(zip(tiled, whole).count { $0 != $1 } < tiled.count / 50)
    }

    @Test func aNetworkFileReadsBackAsTheSameNetwork() throws {
        let path = NSTemporaryDirectory() + "network-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let network = try network(Self.networks[1])
        try NetworkFile.write(network, to: path, metadata: ["note": "seen"])
        let again = try NetworkFile.read(path, device: .cpu)
        #expect(again.configuration == network.configuration)
        let input = try Tensor(noisyVolume(ZYX(8, 8, 8)).voxels, shape: [1, 1, 8, 8, 8])
        let (found, expected) = try withoutGradients { (try again(input).floats(), try network(input).floats()) }
        #expect(found == expected)
    }

    @Test func aFileThatIsNoNetworkIsOneClearError() throws {
        let path = NSTemporaryDirectory() + "network-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Safetensors(["a": Tensor(1)]).write(to: path)
        let error = #expect(throws: NetworkFileError.self) { try NetworkFile.read(path, device: .cpu) }
        #expect(error?.description.hasPrefix("\(path): has no metadata 'network'") == true)
    }
}

private func noisyVolume(_ shape: ZYX<Int>) -> Volume<Float> {
    Volume(shape: shape, voxels: (0..<shape.count).map { Float(($0 &* 7_919 &+ $0 / 31) % 509) / 509 * 3 - 1.5 })
}
