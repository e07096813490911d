import Volumes

/// Applies a network to volumes of any size, tile by tile, with the result of the untiled network.
///
/// Results are logits in `LogitScale`'s units, a volume a channel of the network's output. Reading is the caller's:
/// `read` gives the normalised voxels of a box that lies within the volume, a volume a channel of the image.
public struct Predictor {
    public let geometry: TileGeometry
    /// How many volumes of logits there are.
    public let channels: Int
    private let forward: ([Volume<Float>]) throws -> [Volume<Float>]

    /// - Parameter forward: the network: normalised intensities of all channels to the logits of `channels`, of the same
    ///   shape without the geometry's margin.
    public init(
        _ geometry: TileGeometry, channels: Int = 1,
        forward: @escaping ([Volume<Float>]) throws -> [Volume<Float>]
    ) {
        self.geometry = geometry
        self.channels = channels
        self.forward = forward
    }

    /// The logits of one region of a volume.
    ///
    /// - Parameters:
    ///   - maximumTileVoxels: what memory allows; see `TileMemory`.
    ///   - progress: called after every tile with the voxels computed and to compute in all; what it throws ends the work.
    /// - Throws: `TileTooLarge`; whatever `progress`, `read` and the network throw.
    public func logits(
        of region: Box, volume: ZYX<Int>, maximumTileVoxels: Int,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in },
        read: (Box) throws -> [Volume<Float>]
    ) throws -> [Volume<Int16>] {
        let plan = try TilePlan(
            volume: volume, region: region, geometry: geometry, maximumVoxels: maximumTileVoxels)
        var result = [Volume<Int16>](repeating: Volume(shape: region.shape), count: channels)
        var done = 0
        for tile in plan.tiles {
            for (channel, part) in try logits(of: tile, volume: volume, read: read).enumerated() {
                result[channel].replace(at: tile.output.origin - region.origin, with: part)
            }
            done += tile.input.count
            try progress(done, plan.computedVoxels)
        }
        return result
    }

    /// Fills a store of `Int16`, of as many channels, with the logits of a volume of the store's shape; shards that are
    /// there are kept, so a prediction that was stopped goes on where it was.
    ///
    /// Tiles consist of whole shards; where memory does not allow that, a shard is composed of several tiles.
    ///
    /// - Throws: `Interrupted` after a tile when `shouldStop` says so; `TileTooLarge`; `FileFault`; whatever
    ///   `read` and the network throw.
    public func predict(
        into store: BlockStore, maximumTileVoxels: Int, threads: Int = 1,
        shouldStop: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in },
        read: (Box) throws -> [Volume<Float>]
    ) throws {
        precondition(store.layout.channels ?? 1 == channels)
        let units = try TilePlan.ofShards(
            store.layout.shard, volume: store.layout.shape, geometry: geometry, maximumVoxels: maximumTileVoxels)
        let total = units.reduce(0) { $0 + $1.computedVoxels }
        let tiles = units.reduce(0) { $0 + $1.tiles.count }
        let shards = store.shards
        var (done, doneTiles) = (0, 0)
        for unit in units {
            let missing = shards.filter { shard in
                unit.region.contains(shard) && !(0..<channels).allSatisfy { store.hasShard(shard, channel: $0) }
            }
            if missing.isEmpty {
                done += unit.computedVoxels
                doneTiles += unit.tiles.count
                progress(done, total)
                continue
            }
            var result = [Volume<Int16>](repeating: Volume(shape: unit.region.shape), count: channels)
            for tile in unit.tiles {
                if shouldStop() { throw Interrupted(done: doneTiles, total: tiles) }
                for (channel, part) in try logits(of: tile, volume: store.layout.shape, read: read).enumerated() {
                    result[channel].replace(at: tile.output.origin - unit.region.origin, with: part)
                }
                done += tile.input.count
                doneTiles += 1
                progress(done, total)
            }
            for shard in missing {
                for channel in 0..<channels {
                    let part = result[channel].cropped(to: shard.relative(to: unit.region.origin))
                    try store.writeShard(shard, channel: channel, VoxelBuffer(part), threads: threads)
                }
            }
        }
    }

    private func logits(
        of tile: Tile, volume: ZYX<Int>, read: (Box) throws -> [Volume<Float>]
    ) throws -> [Volume<Int16>] {
        let input =
            geometry.margin == .zero
            ? try padded(tile.input, volume: volume, read: read)
            : try Volume.mirrored(tile.input, in: volume, reading: read)
        let first = tile.input.origin + geometry.margin
        return try forward(input).map {
            $0.cropped(to: tile.output.relative(to: first)).map(LogitScale.encode)
        }
    }

    /// Zeros beyond the volume's far end.
    private func padded(
        _ box: Box, volume: ZYX<Int>, read: (Box) throws -> [Volume<Float>]
    ) rethrows -> [Volume<Float>] {
        let inside = box.intersection(Box(volume))
        let input = try read(inside)
        precondition(input.allSatisfy { $0.shape == inside.shape })
        if inside == box { return input }
        return input.map { channel in
            var whole = Volume<Float>(shape: box.shape)
            whole.replace(at: .zero, with: channel)
            return whole
        }
    }
}
