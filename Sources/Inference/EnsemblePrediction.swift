import Volumes

/// Fills a store of logits for each of several networks that cut a volume into tiles alike: a tile is read once for all of
/// them. The next tile is read, and what is done written, while the networks compute.
public struct EnsemblePrediction {
    /// A network, and the store of `Int16`, of as many channels, that its logits go to.
    public struct Member {
        let predictor: Predictor
        let store: BlockStore
        /// For each channel, what is kept; elsewhere is `LogitScale.outside`. nil for all.
        let boxes: [Box]?

        public init(_ predictor: Predictor, into store: BlockStore, within boxes: [Box]? = nil) {
            precondition(store.layout.channels ?? 1 == predictor.channels)
            precondition(boxes?.count ?? predictor.channels == predictor.channels)
            (self.predictor, self.store, self.boxes) = (predictor, store, boxes)
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
            precondition(member.boxes == members[0].boxes)
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
        let box = members[0].boxes.map { $0.reduce($0[0]) { $0.union($1) } }
        let units = try TilePlan.ofShards(
            layout.shard, volume: layout.shape, within: box, geometry: geometry, maximumVoxels: maximumTileVoxels)
        if let box { for member in members { try member.fill(outside: box, threads: threads, shouldStop) } }
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
        var constants = [ConstantTile?](repeating: nil, count: members.count)
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
                let value = ConstantTile.value(of: input)
                for member in members.indices where !missing[unit][member].isEmpty {
                    let logits: [Volume<Int16>]
                    if let value, let known = constants[member], known.serves(tile, of: value) {
                        logits = known.logits
                    } else {
                        logits = try members[member].predictor.logits(of: tile, of: shape, from: input)
                        constants[member] =
                            value.map { ConstantTile(tile, value: $0, logits: logits) } ?? constants[member]
                    }
                    for (channel, part) in logits.enumerated() {
                        results[member][channel].replace(at: tile.output.origin - region.origin, with: part)
                    }
                    done += tile.input.count
                    progress(done, total)
                }
                guard place == tiles.count - 1 else { return }
                let (made, shards) = (results, missing[unit])
                results = []
                let targets = members.map { ($0.store, $0.boxes) }
                try writing.begin {
                    for ((store, boxes), (channels, shards)) in zip(targets, zip(made, shards)) {
                        for shard in shards {
                            for (channel, logits) in channels.enumerated() {
                                let kept = shard.intersection(region).intersection(boxes?[channel] ?? shard)
                                let part = logits.cropped(to: kept.relative(to: region.origin))
                                try store.writeShard(
                                    shard, channel: channel, VoxelBuffer(part.placed(kept, in: shard)),
                                    threads: threads)
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
    /// The shards that reach into a region and are not there yet.
    fileprivate func missing(in region: Box) -> [Box] {
        store.shards.filter { shard in
            !region.intersection(shard).isEmpty
                && !(0..<predictor.channels).allSatisfy { store.hasShard(shard, channel: $0) }
        }
    }

    /// Writes the shards that do not reach into a box.
    fileprivate func fill(outside box: Box, threads: Int, _ shouldStop: () -> Bool) throws {
        let shards = store.shards
        for (index, shard) in shards.enumerated() where shard.intersection(box).isEmpty {
            if shouldStop() { throw Interrupted(done: index, total: shards.count) }
            for channel in 0..<predictor.channels where !store.hasShard(shard, channel: channel) {
                let nothing = Volume<Int16>(shape: shard.shape, repeating: LogitScale.outside)
                try store.writeShard(shard, channel: channel, VoxelBuffer(nothing), threads: threads)
            }
        }
    }
}

extension Volume<Int16> {
    /// The logits of `box` as those of a shard that holds it.
    fileprivate func placed(_ box: Box, in shard: Box) -> Volume {
        if box == shard { return self }
        var whole = Volume(shape: shard.shape, repeating: LogitScale.outside)
        whole.replace(at: box.origin - shard.origin, with: self)
        return whole
    }
}

/// What a network says of a tile that has the same value everywhere, as around a specimen: it is the same for all such tiles.
private struct ConstantTile {
    private let shape: ZYX<Int>
    private let output: Box
    private let value: [Float]
    let logits: [Volume<Int16>]

    init(_ tile: Tile, value: [Float], logits: [Volume<Int16>]) {
        (shape, output) = (tile.input.shape, tile.output.relative(to: tile.input.origin))
        (self.value, self.logits) = (value, logits)
    }

    func serves(_ tile: Tile, of value: [Float]) -> Bool {
        self.value == value && shape == tile.input.shape && output == tile.output.relative(to: tile.input.origin)
    }

    /// The value of each channel of an input; nil where one of them varies.
    static func value(of input: [Volume<Float>]) -> [Float]? {
        let values = input.compactMap { channel -> Float? in
            guard let first = channel.voxels.first, channel.voxels.allSatisfy({ $0 == first }) else { return nil }
            return first
        }
        return values.count == input.count ? values : nil
    }
}
