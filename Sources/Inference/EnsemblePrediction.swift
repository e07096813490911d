import Volumes

/// Fills a store of logits for each of several networks that cut a volume into tiles alike: a tile is read once for all of
/// them. The next tile is read, and what is done written, while the networks compute.
public struct EnsemblePrediction {
    /// A network, and the store of `Int16`, of as many channels, that its logits go to.
    public struct Member {
        let predictor: Predictor
        let store: BlockStore

        public init(_ predictor: Predictor, into store: BlockStore) {
            precondition(store.layout.channels ?? 1 == predictor.channels)
            (self.predictor, self.store) = (predictor, store)
        }
    }

    private let members: [Member]
    private let geometry: TileGeometry
    private let layout: BlockStore.Layout

    /// - Parameter members: one at least; their geometries and the shapes of their stores and shards are the same.
    public init(_ members: [Member]) {
        self.members = members
        geometry = members[0].predictor.geometry
        layout = members[0].store.layout
        for member in members {
            precondition(member.predictor.geometry == geometry)
            precondition(member.store.layout.shape == layout.shape && member.store.layout.shard == layout.shard)
        }
    }

    /// Shards that are there are kept, so a prediction that was stopped goes on where it was.
    ///
    /// Tiles consist of whole shards; where memory does not allow that, a shard is composed of several tiles.
    ///
    /// - Parameters:
    ///   - maximumTileVoxels: what memory allows; see `TileMemory`.
    ///   - progress: called after every tile with the voxels computed and to compute in all, for all members.
    ///   - read: the normalised voxels of a box that lies within the volume, a volume a channel of the image; called from
    ///     another thread.
    /// - Throws: `Interrupted` after a tile when `shouldStop` says so; `TileTooLarge`; `FileFault`; whatever
    ///   `read` and the networks throw.
    public func run(
        maximumTileVoxels: Int, threads: Int = 1,
        shouldStop: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in },
        read: @escaping @Sendable (Box) throws -> [Volume<Float>]
    ) throws {
        let units = try TilePlan.ofShards(
            layout.shard, volume: layout.shape, geometry: geometry, maximumVoxels: maximumTileVoxels)
        let missing = units.map { unit in members.map { $0.missing(in: unit.region) } }
        let works = units.indices.flatMap { unit in
            units[unit].tiles.indices.compactMap { tile in
                missing[unit].contains { !$0.isEmpty } ? (unit: unit, tile: tile) : nil
            }
        }
        let total = members.count * units.reduce(0) { $0 + $1.computedVoxels }
        var done = 0
        for (unit, missing) in zip(units, missing) {
            done += missing.count { $0.isEmpty } * unit.computedVoxels
        }
        progress(done, total)

        let writing = WriteBehind()
        let (geometry, shape) = (geometry, layout.shape)
        var results: [[Volume<Int16>]] = []
        let outcome = Result {
            try readAhead(works.count) { index in
                let (unit, tile) = works[index]
                return try geometry.input(of: units[unit].tiles[tile], volume: shape, read: read)
            } use: { index, input in
                let (unit, place) = works[index]
                let (region, tiles) = (units[unit].region, units[unit].tiles)
                if shouldStop() { throw Interrupted(done: index, total: works.count) }
                if place == 0 {
                    results = members.indices.map { member in
                        let isMissing = !missing[unit][member].isEmpty
                        return isMissing
                            ? Array(
                                repeating: Volume(shape: region.shape), count: members[member].predictor.channels)
                            : []
                    }
                }
                let tile = tiles[place]
                for member in members.indices where !missing[unit][member].isEmpty {
                    let logits = try members[member].predictor.logits(of: tile, from: input)
                    for (channel, part) in logits.enumerated() {
                        results[member][channel].replace(at: tile.output.origin - region.origin, with: part)
                    }
                    done += tile.input.count
                    progress(done, total)
                }
                guard place == tiles.count - 1 else { return }
                let (made, shards) = (results, missing[unit])
                results = []
                let stores = members.map(\.store)
                try writing.begin {
                    for (store, (channels, shards)) in zip(stores, zip(made, shards)) {
                        for shard in shards {
                            for (channel, logits) in channels.enumerated() {
                                let part = logits.cropped(to: shard.relative(to: region.origin))
                                try store.writeShard(shard, channel: channel, VoxelBuffer(part), threads: threads)
                            }
                        }
                    }
                }
            }
        }
        // What was computed is kept, also of work that was stopped.
        try writing.finish()
        try outcome.get()
    }
}

extension EnsemblePrediction.Member {
    /// The shards of a region that are not there yet.
    fileprivate func missing(in region: Box) -> [Box] {
        store.shards.filter { shard in
            region.contains(shard)
                && !(0..<predictor.channels).allSatisfy { store.hasShard(shard, channel: $0) }
        }
    }
}
