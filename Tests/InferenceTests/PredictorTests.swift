import Foundation
import Inference
import TestSupport
import Testing
import Volumes

@Suite struct PredictorTests {
    static let volume = foamIntensities(ZYX(21, 50, 43))
    /// Stands for a network: pools by `stride`, spreads over three cells and adds each voxel's own value.
    static let stride = ZYX(2, 4, 4)
    static var predictor: Predictor {
        Predictor(TileGeometry(stride: stride, halo: ZYX(3, 7, 7)), forward: { [pooledNeighbourhood($0[0])] })
    }

    static func untiled() -> Volume<Int16> {
        let far = stride.cells(covering: volume.shape).zip(stride, *)
        var padded = Volume<Float>(shape: far)
        padded.replace(at: .zero, with: volume)
        return pooledNeighbourhood(padded).cropped(to: Box(volume.shape)).map(LogitScale.encode)
    }

    @Test(arguments: [4_000, 9_000, 20_000, 1_000_000])
    func tilingChangesNothing(maximum: Int) throws {
        let whole = Self.untiled()
        for region in [Box(Self.volume.shape), Box(from: ZYX(3, 13, 7), to: ZYX(19, 41, 43))] {
            let logits = try Self.predictor.logits(
                of: region, volume: Self.volume.shape, maximumTileVoxels: maximum
            ) { [Self.volume.cropped(to: $0)] }
            #expect(logits == [whole.cropped(to: region)])
        }
    }

    @Test(arguments: [4_000, 30_000, 1_000_000])
    func aStoppedPredictionGoesOnAndFillsTheStore(maximum: Int) throws {
        let folder = ScratchFolder()
        let store = try BlockStore.create(
            at: folder.path("store"),
            BlockStore.Layout(
                shape: Self.volume.shape, channels: 1, elementType: .int16, shard: ZYX(16, 16, 16),
                chunk: ZYX(8, 8, 8), voxelSize: nil, attributes: [:]))
        var calls = 0
        func read(_ box: Box) -> [Volume<Float>] {
            calls += 1
            return [Self.volume.cropped(to: box)]
        }
        var stops = 0
        while stops < 20 {
            do {
                let before = calls
                try Self.predictor.predict(
                    into: store, maximumTileVoxels: maximum,
                    shouldStop: { calls - before > 10 << stops }, read: read)
                break
            } catch is Interrupted {
                stops += 1
            }
        }
        #expect(maximum == 4_000 ? stops > 0 : stops == 0)
        #expect(try store.read(Box(Self.volume.shape), channel: 0).volume(of: Int16.self) == Self.untiled())
        let all = calls
        try Self.predictor.predict(into: store, maximumTileVoxels: maximum, read: read)
        #expect(calls == all)
    }

    @Test func aLostShardAloneIsPredictedAgain() throws {
        let folder = ScratchFolder()
        let store = try BlockStore.create(
            at: folder.path("store"),
            BlockStore.Layout(
                shape: Self.volume.shape, channels: 1, elementType: .int16, shard: ZYX(16, 16, 16),
                chunk: ZYX(8, 8, 8), voxelSize: nil, attributes: [:]))
        let read = { [Self.volume.cropped(to: $0)] }
        try Self.predictor.predict(into: store, maximumTileVoxels: 1_000_000, read: read)
        let kept = try FileManager.default.attributesOfItem(atPath: store.shardFile(store.shards[0]))
        try FileManager.default.removeItem(atPath: store.shardFile(store.shards[3]))
        try Self.predictor.predict(into: store, maximumTileVoxels: 1_000_000, read: read)
        #expect(try store.read(Box(Self.volume.shape), channel: 0).volume(of: Int16.self) == Self.untiled())
        let now = try FileManager.default.attributesOfItem(atPath: store.shardFile(store.shards[0]))
        #expect(now[.systemFileNumber] as? Int == kept[.systemFileNumber] as? Int)
    }
}

private func foamIntensities(_ shape: ZYX<Int>) -> Volume<Float> {
    Volume(shape: shape, voxels: (0..<shape.count).map { Float(($0 &* 7_919) % 257) / 257 - 0.5 })
}

private func pooledNeighbourhood(_ input: Volume<Float>) -> Volume<Float> {
    let stride = PredictorTests.stride
    let cells = input.shape.zip(stride, /)
    var pooled = Volume<Float>(shape: cells, repeating: -.infinity)
    var result = input
    for cell in Box(input.shape).cells(of: stride) {
        let at = cell.origin.zip(stride, /)
        pooled[at.z, at.y, at.x] = input.cropped(to: cell).voxels.max()!
    }
    var sums = Volume<Float>(shape: cells)
    for at in Box(cells).cells(of: ZYX(repeating: 1)).map(\.origin) {
        let near = Box(origin: at, shape: ZYX(repeating: 1)).grown(by: ZYX(repeating: 1)).intersection(Box(cells))
        sums[at.z, at.y, at.x] = pooled.cropped(to: near).voxels.reduce(0, +)
    }
    for z in 0..<input.shape.z {
        for y in 0..<input.shape.y {
            for x in 0..<input.shape.x {
                result[z, y, x] += sums[z / stride.z, y / stride.y, x / stride.x]
            }
        }
    }
    return result
}
