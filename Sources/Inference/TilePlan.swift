import Volumes

/// A piece of work for the network: it reads `input` and its output is kept in `output`.
public struct Tile: Hashable, Sendable {
    /// What the network sees. May reach beyond the volume: at its far end, where voxels are 0 after normalisation,
    /// or, for a network whose output has a margin, on all sides, where the volume is mirrored.
    public let input: Box
    /// What is kept; the outputs of a plan's tiles partition its region.
    public let output: Box

    /// The same tile, were its input at the beginning of the volume.
    public var atOrigin: Tile {
        Tile(input: Box(input.shape), output: output.relative(to: input.origin))
    }
}

/// How a region of a volume is cut into tiles so that the result is that of the untiled network.
///
/// Untiled means the volume zero-padded at its far end to a multiple of the network's total stride. A tile
/// equals it where its input reaches at least the halo beyond its output, or the volume's own border, and
/// starts on a multiple of the stride (otherwise pooling sees other voxels). Much of what a halo goes through is thrown
/// away, so tiles are as large as memory allows, and the cut that reads the fewest voxels is taken.
///
/// Of a network whose output has a margin ("valid" convolutions), untiled means the volume mirrored by that margin
/// on all sides: every tile is its output and the margin around it.
public struct TilePlan: Equatable, Sendable {
    public let region: Box
    public let tiles: [Tile]

    /// Voxels that tiles read for each voxel that is kept; 1 is untiled.
    public var redundancy: Double { Double(inputVoxels) / Double(max(1, region.count)) }

    /// Voxels that tiles read in all.
    public var inputVoxels: Int { tiles.reduce(0) { $0 + $1.input.count } }

    /// Cuts `region` of a volume of shape `volume` into tiles that `limit` allows.
    ///
    /// - Parameters:
    ///   - unit: every tile's output has, but at the region's far end, a multiple of this shape
    ///     (a store's shard); nil where any cut will do.
    /// - Throws: `TileTooLarge` where not even a tile whose output is one unit is allowed.
    public init(
        volume: ZYX<Int>, region: Box, geometry: TileGeometry, limit: TileLimit, unit: ZYX<Int>? = nil
    ) throws {
        self.region = region
        let unit = unit ?? geometry.stride
        let z = axisCuts(volume, region, geometry, unit, \.z)
        let y = axisCuts(volume, region, geometry, unit, \.y)
        let x = axisCuts(volume, region, geometry, unit, \.x)
        guard let best = cheapest(z, y, x, limit) else {
            func least(_ cuts: [AxisCut]) -> Span { cuts.map(\.largest).min { $0.input.count < $1.input.count }! }
            throw TileTooLarge(Tile(least(z), least(y), least(x)), limit)
        }
        tiles = best.z.spans.flatMap { z in
            best.y.spans.flatMap { y in best.x.spans.map { x in Tile(z, y, x) } }
        }
    }
}

extension TilePlan {
    /// The units of work that fill a store: one tile of whole shards each, or, where memory does not allow
    /// the tile of a single shard, one shard of several tiles each.
    ///
    /// - Parameter box: nothing outside of it is computed; nil for all.
    /// - Throws: `TileTooLarge` where not even a tile whose output is one stride is allowed.
    public static func ofShards(
        _ shard: ZYX<Int>, volume: ZYX<Int>, within box: Box? = nil, geometry: TileGeometry, limit: TileLimit
    ) throws -> [TilePlan] {
        let plans = try ofShards(shard, volume: volume, geometry, limit)
        guard let box else { return plans }
        return try plans.compactMap {
            try $0.within(box, volume: volume, geometry: geometry, limit: limit)
        }
    }

    private static func ofShards(
        _ shard: ZYX<Int>, volume: ZYX<Int>, _ geometry: TileGeometry, _ limit: TileLimit
    ) throws -> [TilePlan] {
        func plan(_ region: Box, unit: ZYX<Int>?) throws -> TilePlan {
            try TilePlan(
                volume: volume, region: region, geometry: geometry, limit: limit, unit: unit)
        }
        do {
            return try plan(Box(volume), unit: shard).tiles.map { TilePlan(region: $0.output, tiles: [$0]) }
        } catch is TileTooLarge {
            return try Box(volume).cells(of: shard).map { try plan($0, unit: nil) }
        }
    }

    /// The plan of what lies within `box` alone; nil where nothing does. Where tiles must have a size of their own, those that
    /// reach into it stay whole.
    ///
    /// - Parameters: as of the plan.
    func within(
        _ box: Box, volume: ZYX<Int>, geometry: TileGeometry, limit: TileLimit
    ) throws -> TilePlan? {
        let inside = region.intersection(box)
        if inside.isEmpty { return nil }
        if inside == region || !geometry.isExact { return self }
        return try TilePlan(volume: volume, region: inside, geometry: geometry, limit: limit)
    }

    private init(region: Box, tiles: [Tile]) {
        self.region = region
        self.tiles = tiles
    }
}

/// One axis of a tile.
private struct Span {
    let input: Range<Int>
    let output: Range<Int>

    static let nothing = Span(input: 0..<0, output: 0..<0)
}

extension Tile {
    fileprivate init(_ z: Span, _ y: Span, _ x: Span) {
        func box(_ range: (Span) -> Range<Int>) -> Box {
            Box(
                from: ZYX(range(z).lowerBound, range(y).lowerBound, range(x).lowerBound),
                to: ZYX(range(z).upperBound, range(y).upperBound, range(x).upperBound))
        }
        self.init(input: box(\.input), output: box(\.output))
    }
}

/// One way to cut an axis.
private struct AxisCut {
    let spans: [Span]
    /// The one that takes the most.
    let largest: Span
    let total: Int

    init(_ spans: [Span]) {
        self.spans = spans
        largest =
            spans.max { ($0.input.count, $0.output.count) < ($1.input.count, $1.output.count) } ?? .nothing
        total = spans.reduce(0) { $0 + $1.input.count }
    }
}

/// The ways to cut an axis into pieces of equal length (the last perhaps shorter), from one piece on.
private func axisCuts(
    _ volume: ZYX<Int>, _ region: Box, _ geometry: TileGeometry, _ unit: ZYX<Int>, _ axis: KeyPath<ZYX<Int>, Int>
) -> [AxisCut] {
    let (origin, length) = (region.origin[keyPath: axis], region.shape[keyPath: axis])
    guard length > 0 else { return [AxisCut([])] }
    let (stride, halo, margin) = (
        geometry.stride[keyPath: axis], geometry.halo[keyPath: axis], geometry.margin[keyPath: axis]
    )
    let unit = unit[keyPath: axis]
    let far = geometry.extent(atLeast: volume[keyPath: axis], axis)
    let units = (length + unit - 1) / unit
    var cuts: [AxisCut] = []
    var previous = 0
    for pieces in 1...units {
        let piece = (units + pieces - 1) / pieces * unit
        if piece == previous { continue }
        previous = piece
        let spans = Swift.stride(from: origin, to: origin + length, by: piece).map { start in
            let end = min(start + piece, origin + length)
            if margin > 0 {
                let low = start / stride * stride - margin
                return Span(
                    input: low..<low + geometry.extent(atLeast: end + margin - low, axis), output: start..<end)
            }
            let low = max(0, start - halo) / stride * stride
            let high = min(far, low + geometry.extent(atLeast: end + halo - low, axis))
            return Span(input: low..<high, output: start..<end)
        }
        cuts.append(AxisCut(spans))
    }
    return cuts
}

/// The cut that reads the fewest voxels, and of equals the one with the fewest tiles.
private func cheapest(
    _ zs: [AxisCut], _ ys: [AxisCut], _ xs: [AxisCut], _ limit: TileLimit
) -> ZYX<AxisCut>? {
    var best: (cut: ZYX<AxisCut>, total: Int, tiles: Int)?
    for z in zs {
        for y in ys {
            for x in xs {
                let total = z.total * y.total * x.total
                let tiles = z.spans.count * y.spans.count * x.spans.count
                if let best, (best.total, best.tiles) <= (total, tiles) { continue }
                if limit.allows(Tile(z.largest, y.largest, x.largest)) { best = (ZYX(z, y, x), total, tiles) }
            }
        }
    }
    return best?.cut
}
