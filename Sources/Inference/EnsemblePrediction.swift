import Volumes

/// Fills a store of logits for each of several networks that cut a volume into tiles alike: a tile is read once for all of
/// them. The next tile is read, and what is done written, while the networks compute.
public struct EnsemblePrediction {
    /// A network, and the store of `Int16`, of as many channels, that its logits go to.
    public struct Member {
        let predictor: Predictor
        fileprivate let target: LogitsTarget

        /// - Parameter boxes: what is kept of each channel; elsewhere is `LogitScale.outside`. nil for all.
        public init(_ predictor: Predictor, into store: BlockStore, within boxes: [Box]? = nil) {
            precondition(store.layout.channels ?? 1 == predictor.channels)
            precondition(boxes?.count ?? predictor.channels == predictor.channels)
            self.predictor = predictor
            target = LogitsTarget(store: store, boxes: boxes)
        }
    }

    private let members: [Member]
    private let geometry: TileGeometry
    private let layout: BlockStore.Layout

    /// - Parameter members: one at least; their geometries and the shapes of their stores and shards are the same.
    public init(_ members: [Member]) {
        self.members = members
        geometry = members[0].predictor.geometry
        layout = members[0].target.store.layout
        for member in members {
            precondition(member.predictor.geometry == geometry)
            precondition(
                member.target.store.layout.shape == layout.shape && member.target.store.layout.shard == layout.shard
            )
            precondition(member.target.boxes == members[0].target.boxes)
        }
    }

    /// Shards that are there are kept, so a prediction that was stopped goes on where it was.
    ///
    /// Tiles consist of whole shards; where memory does not allow that, a shard is composed of several tiles.
    ///
    /// - Parameters:
    ///   - limit: of a tile.
    ///   - progress: called after every tile with the voxels computed and to compute in all, for all members.
    ///   - read: the normalised voxels of a box that lies within the volume, a volume a channel of the image; called from
    ///     another thread.
    /// - Throws: `Interrupted` after a tile when `shouldStop` says so; `TileTooLarge`; `FileFault`; whatever
    ///   `read` and the networks throw.
    public func run(
        limit: TileLimit, threads: Int = 1,
        shouldStop: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in },
        read: @escaping @Sendable (Box) throws -> [Volume<Float>]
    ) throws {
        let box = members[0].target.boxes.map { $0.reduce($0[0]) { $0.union($1) } }
        let units = try TilePlan.ofShards(
            layout.shard, volume: layout.shape, within: box, geometry: geometry, limit: limit)
        if let box { for member in members { try member.target.fill(outside: box, threads: threads, shouldStop) } }
        let missing = units.map { unit in members.map { $0.target.missing(in: unit.region) } }
        let works = units.indices.flatMap { unit in
            units[unit].tiles.indices.compactMap { tile in
                missing[unit].contains { !$0.isEmpty } ? (unit: unit, tile: tile) : nil
            }
        }
        let total = members.count * units.reduce(0) { $0 + $1.inputVoxels }
        var done = 0
        for (unit, missing) in zip(units, missing) {
            done += missing.count { $0.isEmpty } * unit.inputVoxels
        }
        progress(done, total)

        let writing = WriteBehind()
        let (geometry, shape) = (geometry, layout.shape)
        var atWork = members.map(MemberAtWork.init)
        let outcome = Result {
            try readAhead(works.count) { index in
                let (unit, tile) = works[index]
                return try geometry.input(of: units[unit].tiles[tile], volume: shape, read: read)
            } use: { index, input in
                let (unit, place) = works[index]
                let (region, tiles) = (units[unit].region, units[unit].tiles)
                if shouldStop() { throw Interrupted(done: index, total: works.count) }
                // Where windows lie in a tile follows from the volume, so that tiles of one value differ.
                let value = geometry.windows == nil ? ConstantTile.value(of: input) : nil
                for member in members.indices where !missing[unit][member].isEmpty {
                    if place == 0 { atWork[member].begin(region) }
                    try atWork[member].predict(tiles[place], of: shape, from: input, constant: value)
                    done += tiles[place].input.count
                    progress(done, total)
                }
                guard place == tiles.count - 1 else { return }
                let made = members.indices.map { (members[$0].target, missing[unit][$0], atWork[$0].finish()) }
                try writing.begin {
                    for (target, shards, logits) in made {
                        for shard in shards { try target.write(logits, of: region, to: shard, threads: threads) }
                    }
                }
            }
        }
        // What was computed is kept, also of work that was stopped.
        try writing.finish()
        try outcome.get()
    }
}

/// Where a member's logits go.
private struct LogitsTarget: Sendable {
    let store: BlockStore
    /// What is kept of each channel; nil for all.
    let boxes: [Box]?

    private var channels: Range<Int> { 0..<(store.layout.channels ?? 1) }

    /// The shards that reach into a region and are not there yet.
    func missing(in region: Box) -> [Box] {
        store.shards.filter { shard in
            !region.intersection(shard).isEmpty
                && !channels.allSatisfy { store.hasShard(shard, channel: $0) }
        }
    }

    /// Writes what it keeps of a region's logits, a volume a channel, to a shard that reaches into it.
    func write(_ logits: [Volume<Int16>], of region: Box, to shard: Box, threads: Int) throws {
        for (channel, logits) in logits.enumerated() {
            let kept = shard.intersection(region).intersection(boxes?[channel] ?? shard)
            let part = logits.cropped(to: kept.relative(to: region.origin))
                .placed(kept, in: shard, elsewhere: LogitScale.outside)
            try store.writeShard(shard, channel: channel, VoxelBuffer(part), threads: threads)
        }
    }

    /// Writes the shards that do not reach into a box.
    func fill(outside box: Box, threads: Int, _ shouldStop: () -> Bool) throws {
        let shards = store.shards
        for (index, shard) in shards.enumerated() where shard.intersection(box).isEmpty {
            if shouldStop() { throw Interrupted(done: index, total: shards.count) }
            for channel in channels where !store.hasShard(shard, channel: channel) {
                let nothing = Volume<Int16>(shape: shard.shape, repeating: LogitScale.outside)
                try store.writeShard(shard, channel: channel, VoxelBuffer(nothing), threads: threads)
            }
        }
    }
}

/// A member that predicts the tiles of a region one by one.
private struct MemberAtWork {
    private let predictor: Predictor
    private var region = Box(.zero)
    /// Of the region, a volume a channel.
    private var logits: [Volume<Int16>] = []
    /// The last tile of one value.
    private var constant: ConstantTile?

    init(_ member: EnsemblePrediction.Member) { predictor = member.predictor }

    mutating func begin(_ region: Box) {
        self.region = region
        logits = Array(repeating: Volume(shape: region.shape), count: predictor.channels)
    }

    /// - Parameter constant: the value of each channel of the input, where it has but one.
    mutating func predict(
        _ tile: Tile, of volume: ZYX<Int>, from input: [Volume<Float>], constant value: [Float]?
    ) throws {
        let parts: [Volume<Int16>]
        if let value, let constant, constant.serves(tile, of: value) {
            parts = constant.logits
        } else {
            parts = try predictor.logits(of: tile, of: volume, from: input)
            if let value { constant = ConstantTile(tile, value: value, logits: parts) }
        }
        for (channel, part) in parts.enumerated() {
            logits[channel].replace(at: tile.output.origin - region.origin, with: part)
        }
    }

    /// The logits of the region, which it lets go of.
    mutating func finish() -> [Volume<Int16>] {
        defer { logits = [] }
        return logits
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
