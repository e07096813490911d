import Foundation
import Inference
import Synchronization
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
                of: region, volume: Self.volume.shape, limit: .voxels(maximum)
            ) { [Self.volume.cropped(to: $0)] }
            #expect(logits == [whole.cropped(to: region)])
        }
    }

    /// A store for the logits of the volume.
    private static func store(_ name: String, in folder: ScratchFolder) throws -> BlockStore {
        try BlockStore.create(
            at: folder.path(name),
            BlockStore.Layout(
                shape: volume.shape, channels: 1, elementType: .int16, shard: ZYX(16, 16, 16),
                chunk: ZYX(8, 8, 8), voxelSize: nil, attributes: [:]))
    }

    private static func logits(_ store: BlockStore) throws -> Volume<Int16> {
        try store.read(Box(volume.shape), channel: 0).volume(of: Int16.self)
    }

    @Test(arguments: [4_000, 30_000, 1_000_000])
    func aStoppedPredictionGoesOnAndFillsTheStore(maximum: Int) throws {
        let folder = ScratchFolder()
        let store = try Self.store("store", in: folder)
        let prediction = EnsemblePrediction([.init(Self.predictor, into: store)])
        let calls = Atomic(0)
        let read: @Sendable (Box) -> [Volume<Float>] = { box in
            calls.add(1, ordering: .relaxed)
            return [Self.volume.cropped(to: box)]
        }
        var stops = 0
        while stops < 20 {
            do {
                let before = calls.load(ordering: .relaxed)
                try prediction.run(
                    limit: .voxels(maximum),
                    shouldStop: { calls.load(ordering: .relaxed) - before > 10 << stops }, read: read)
                break
            } catch is Interrupted {
                stops += 1
            }
        }
        #expect(maximum == 4_000 ? stops > 0 : stops == 0)
        #expect(try Self.logits(store) == Self.untiled())
        let all = calls.load(ordering: .relaxed)
        try prediction.run(limit: .voxels(maximum), read: read)
        #expect(calls.load(ordering: .relaxed) == all)
    }

    @Test func aLostShardAloneIsPredictedAgain() throws {
        let folder = ScratchFolder()
        let store = try Self.store("store", in: folder)
        let prediction = EnsemblePrediction([.init(Self.predictor, into: store)])
        let read: @Sendable (Box) -> [Volume<Float>] = { [Self.volume.cropped(to: $0)] }
        try prediction.run(limit: .voxels(1_000_000), read: read)
        let kept = try FileManager.default.attributesOfItem(atPath: store.shardFile(store.shards[0]))
        try FileManager.default.removeItem(atPath: store.shardFile(store.shards[3]))
        try prediction.run(limit: .voxels(1_000_000), read: read)
        #expect(try Self.logits(store) == Self.untiled())
        let now = try FileManager.default.attributesOfItem(atPath: store.shardFile(store.shards[0]))
        #expect(now[.systemFileNumber] as? Int == kept[.systemFileNumber] as? Int)
    }

    /// Two networks, the second of which has one shard already: every tile is read once.
    @Test(arguments: [4_000, 30_000, 1_000_000])
    func membersReadATileOnce(maximum: Int) throws {
        let folder = ScratchFolder()
        let stores = try ["one", "two"].map { try Self.store($0, in: folder) }
        let opposite = Predictor(Self.predictor.geometry) { [pooledNeighbourhood($0[0]).map { -$0 }] }
        let kept = stores[1].shards[5]
        let whole = Self.untiled()
        try stores[1].writeShard(kept, channel: 0, VoxelBuffer(whole.map { -$0 }.cropped(to: kept)))
        let boxes = Mutex<[Box]>([])
        let read: @Sendable (Box) -> [Volume<Float>] = { box in
            boxes.withLock { $0.append(box) }
            return [Self.volume.cropped(to: box)]
        }
        try EnsemblePrediction([.init(Self.predictor, into: stores[0]), .init(opposite, into: stores[1])])
            .run(limit: .voxels(maximum), read: read)
        #expect(try Self.logits(stores[0]) == whole)
        #expect(try Self.logits(stores[1]) == whole.map { -$0 })
        let found = boxes.withLock { $0 }
        #expect(Set(found).count == found.count)
    }

    /// Tiles overlap by their halo, and several members predict each; still every chunk of the image is decoded once, unless
    /// there is no room to keep it.
    @Test(arguments: [1, 5], [4_000, 30_000])
    func everyChunkOfTheImageIsDecodedOnce(members: Int, maximum: Int) throws {
        let folder = ScratchFolder()
        let image = try BlockStore.create(
            at: folder.path("image"),
            BlockStore.Layout(
                shape: Self.volume.shape, elementType: .float32, shard: ZYX(16, 16, 16), chunk: ZYX(8, 8, 8)))
        for shard in image.shards { try image.writeShard(shard, VoxelBuffer(Self.volume.cropped(to: shard))) }
        let chunks = Box(Self.volume.shape).cells(of: ZYX(8, 8, 8)).count
        for (capacity, isKept) in [(1 << 20, true), (0, false)] {
            let kept = KeptChunks(image, capacity: capacity)
            let stores = try (0..<members).map { try Self.store("\(capacity)-\($0)", in: folder) }
            try EnsemblePrediction(stores.map { .init(Self.predictor, into: $0) })
                .run(limit: .voxels(maximum)) { [try kept.read($0, threads: 2).volume(of: Float.self)] }
            #expect(isKept ? kept.decoded == chunks : kept.decoded > chunks)
            for store in stores { #expect(try Self.logits(store) == Self.untiled()) }
        }
    }

    /// Of a volume that is 0.25 but in one corner, the network sees each kind of tile of nothing but 0.25 once.
    @Test func tilesOfOneValueAreComputedOnce() throws {
        let folder = ScratchFolder()
        let shape = ZYX(16, 16, 160)
        var volume = Volume<Float>(shape: shape, repeating: 0.25)
        for x in 0..<4 { volume[3, 5, x] = 1 }
        let seen = Mutex<[Volume<Float>]>([])
        let predictor = Predictor(TileGeometry(stride: Self.stride, halo: ZYX(3, 7, 7))) { input in
            seen.withLock { $0.append(input[0]) }
            return [pooledNeighbourhood(input[0])]
        }
        let store = try BlockStore.create(
            at: folder.path("store"),
            BlockStore.Layout(
                shape: shape, channels: 1, elementType: .int16, shard: ZYX(16, 16, 16), chunk: ZYX(8, 8, 8)))
        let whole = volume
        try EnsemblePrediction([.init(predictor, into: store)]).run(limit: .voxels(16 * 16 * 32)) {
            [whole.cropped(to: $0)]
        }
        let logits = try store.read(Box(shape), channel: 0).volume(of: Int16.self)
        #expect(logits == pooledNeighbourhood(whole).map(LogitScale.encode))
        // Ten shards of a tile each; the first and the last have a border.
        let constant = seen.withLock { $0.count { Set($0.voxels).count == 1 } }
        #expect(constant == 2)
    }

    /// What the disk or a network refuses ends the prediction, with what was computed before on the disk.
    @Test func anErrorOfReadingOrComputingEndsIt() throws {
        struct Refusal: Error {}
        let folder = ScratchFolder()
        let store = try Self.store("store", in: folder)
        #expect(throws: Refusal.self) {
            try EnsemblePrediction([.init(Self.predictor, into: store)]).run(limit: .voxels(30_000)) { _ in
                throw Refusal()
            }
        }
        let count = Atomic(0)
        let failing = Predictor(Self.predictor.geometry) {
            if count.add(1, ordering: .relaxed).newValue == 2 { throw Refusal() }
            return [pooledNeighbourhood($0[0])]
        }
        #expect(throws: Refusal.self) {
            try EnsemblePrediction([.init(failing, into: store)]).run(limit: .voxels(30_000)) {
                [Self.volume.cropped(to: $0)]
            }
        }
        #expect(store.shards.contains { store.hasShard($0, channel: 0) })
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
