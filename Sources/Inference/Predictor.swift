import Volumes

/// Applies a network to volumes of any size, tile by tile, with the result of the untiled network.
///
/// Results are logits in `LogitScale`'s units, a volume a channel of the network's output. Reading is the caller's:
/// `read` gives the normalised voxels of a box that lies within the volume, a volume a channel of the image.
public struct Predictor {
    public let geometry: TileGeometry
    /// How many volumes of logits there are.
    public let channels: Int
    private let forward: (_ input: [Volume<Float>], _ kept: Box) throws -> [Volume<Float>]

    /// - Parameter forward: the network: normalised intensities of all channels to the logits of `channels`, of the same
    ///   shape without the geometry's margin.
    public init(
        _ geometry: TileGeometry, channels: Int = 1,
        forward: @escaping ([Volume<Float>]) throws -> [Volume<Float>]
    ) {
        self.init(geometry, channels: channels) { input, kept in try forward(input).map { $0.cropped(to: kept) } }
    }

    /// - Parameter forward: the network, of whose logits a part is wanted.
    init(
        _ geometry: TileGeometry, channels: Int,
        forwardKeeping forward: @escaping (_ input: [Volume<Float>], _ kept: Box) throws -> [Volume<Float>]
    ) {
        self.geometry = geometry
        self.channels = channels
        self.forward = forward
    }

    /// The logits of one region of a volume.
    ///
    /// - Parameters:
    ///   - limit: of a tile.
    ///   - progress: called after every tile with the voxels computed and to compute in all; what it throws ends the work.
    /// - Throws: `TileTooLarge`; whatever `progress`, `read` and the network throw.
    public func logits(
        of region: Box, volume: ZYX<Int>, limit: TileLimit,
        progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in },
        read: (Box) throws -> [Volume<Float>]
    ) throws -> [Volume<Int16>] {
        try compose(region, volume, limit, as: LogitScale.encode, progress: progress, read: read)
    }

    /// `logits` as the network gives them, in its own unit.
    public func unroundedLogits(
        of region: Box, volume: ZYX<Int>, limit: TileLimit, read: (Box) throws -> [Volume<Float>]
    ) throws -> [Volume<Float>] {
        try compose(region, volume, limit, as: { $0 }, progress: { _, _ in }, read: read)
    }

    private func compose<Scalar: VoxelElement>(
        _ region: Box, _ volume: ZYX<Int>, _ limit: TileLimit, as stored: (Float) -> Scalar,
        progress: (_ done: Int, _ total: Int) throws -> Void, read: (Box) throws -> [Volume<Float>]
    ) throws -> [Volume<Scalar>] {
        let plan = try TilePlan(
            volume: volume, region: region, geometry: geometry, limit: limit)
        var result = [Volume<Scalar>](repeating: Volume(shape: region.shape), count: channels)
        var done = 0
        for tile in plan.tiles {
            let input = try geometry.input(of: tile, volume: volume, read: read)
            for (channel, part) in try unroundedLogits(of: tile, of: volume, from: input).enumerated() {
                result[channel].replace(at: tile.output.origin - region.origin, with: part.map(stored))
            }
            done += tile.input.count
            try progress(done, plan.inputVoxels)
        }
        return result
    }

    /// The logits of a tile's output.
    ///
    /// - Parameter input: what `TileGeometry.input` gives for it.
    func logits(of tile: Tile, of volume: ZYX<Int>, from input: [Volume<Float>]) throws -> [Volume<Int16>] {
        try unroundedLogits(of: tile, of: volume, from: input).map { $0.map(LogitScale.encode) }
    }

    private func unroundedLogits(
        of tile: Tile, of volume: ZYX<Int>, from input: [Volume<Float>]
    ) throws -> [Volume<Float>] {
        if let windows = geometry.windows {
            return try windows.blend(tile, of: volume, from: input, channels: channels) {
                try forward($0, Box($0[0].shape))
            }
        }
        return try forward(input, tile.output.relative(to: tile.input.origin + geometry.margin))
    }
}

extension TileGeometry {
    /// What the network sees of a tile: the volume, and beyond it zeros, or where the output has a margin its mirror image.
    func input(of tile: Tile, volume: ZYX<Int>, read: (Box) throws -> [Volume<Float>]) throws -> [Volume<Float>] {
        margin == .zero
            ? try padded(tile.input, volume: volume, read: read)
            : try Volume.mirrored(tile.input, in: volume, reading: read)
    }

    /// Zeros beyond the volume's far end.
    private func padded(
        _ box: Box, volume: ZYX<Int>, read: (Box) throws -> [Volume<Float>]
    ) rethrows -> [Volume<Float>] {
        let inside = box.intersection(Box(volume))
        return try read(inside).map { $0.placed(inside, in: box) }
    }
}
