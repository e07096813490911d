import Networks
import Synchronization
import Tensors
import Volumes

/// What the prediction of a tile takes: memory at its peak, and work.
public struct TileCost: Sendable {
    private let cost: PredictionCost
    private let known = KnownCosts()
    private let margin: ZYX<Int>
    private let windows: SlidingWindows?
    /// Bytes of a number inside of the network.
    private let size: Double
    /// Bytes for each voxel of a tile's input, and for each of its output.
    private let (perInput, perOutput): (Double, Double)

    /// - Parameters:
    ///   - members: networks that predict a tile one after another.
    ///   - channels: of a network's outputs, that are kept.
    public init(
        _ network: Graph, _ geometry: TileGeometry, precision: Precision, members: Int, channels: Int
    ) {
        // Normalizations that do not fold compute in f32.
        size = network.hasStoredStatistics ? Double(precision.elementType.size) : 4
        let outputs = Double(network.nodes[network.outputs[0]].channels)
        // The image's channels, also of the tile that is read ahead, and the logits, as volumes and as tensors, in f32; the
        // members' results in 16 bits, of the tile and of the one that is written.
        perInput = 12 * Double(network.nodes[0].channels)
        perOutput = 8 * outputs + 4 * Double(channels * members)
        cost = PredictionCost(of: network)
        margin = geometry.margin
        windows = geometry.windows
    }

    /// Bytes, input and output included: the most that the folded network keeps at once, and a quarter more for the
    /// convolutions' own working memory.
    public func bytes(of tile: Tile) -> Int {
        let (input, output) = (Double(tile.input.count), Double(tile.output.count))
        let ends = perInput * input + perOutput * output
        let piece = windows.map { Tile(input: Box($0.shape), output: Box($0.shape)) } ?? tile
        guard let cost = cost(of: piece) else { return .max }
        // Sums of windows have to be divided.
        let sums = windows == nil ? 0 : 4 * output
        return Int(min(1.25 * (cost.liveNumbers * size + ends + sums), 9e18))
    }

    /// Voxels of a tile all of which is wanted that take as long to compute.
    public func computedVoxels(of tile: Tile) -> Double {
        let whole = Tile(input: tile.input, output: tile.input.grown(by: .zero - margin))
        guard windows == nil, let part = cost(of: tile), let all = cost(of: whole), all.multiplyAdds > 0 else {
            return Double(tile.input.count)
        }
        return Double(tile.input.count) * part.multiplyAdds / all.multiplyAdds
    }

    /// nil where the network does not take the input.
    private func cost(of tile: Tile) -> (multiplyAdds: Double, liveNumbers: Double)? {
        let form = tile.atOrigin
        if let known = known.costs.withLock({ $0[form] }) { return known }
        let kept = tile.output.relative(to: tile.input.origin + margin)
        let ranges = zip(kept.origin.array, kept.end.array).map { $0..<max($0, $1) }
        let (skipped, sections) = cost.dimensions == 2 ? (1, Double(tile.input.shape.z)) : (0, 1)
        guard
            let section = try? cost(
                of: Array(tile.input.shape.array.dropFirst(skipped)), keeping: Array(ranges.dropFirst(skipped)))
        else { return nil }
        let cost = (Double(section.multiplyAdds) * sections, Double(section.liveNumbers) * sections)
        known.costs.withLock { $0[form] = cost }
        return cost
    }
}

/// The tiles of a volume, and those that are considered for it, have few forms.
private final class KnownCosts: Sendable {
    let costs = Mutex<[Tile: (multiplyAdds: Double, liveNumbers: Double)]>([:])
}

/// How large a tile may be.
public enum TileLimit: Sendable {
    /// So many voxels of input.
    case voxels(Int)
    /// So many bytes of memory.
    case memory(Int, TileCost)

    public static let none = TileLimit.voxels(.max)

    func allows(_ tile: Tile) -> Bool {
        switch self {
        case .voxels(let most): tile.input.count <= most
        case .memory(let bytes, let cost): cost.bytes(of: tile) <= bytes
        }
    }

    /// What is wrong with a tile that it does not allow.
    fileprivate func complaint(about tile: Tile) -> String {
        switch self {
        case .voxels(let most): "but at most \(most) are allowed"
        case .memory(let bytes, let cost):
            "and takes \(cost.bytes(of: tile) >> 20) MiB, but \(bytes >> 20) MiB are given"
        }
    }
}

/// Not even the smallest tile fits.
public struct TileTooLarge: Error, Equatable, CustomStringConvertible {
    /// The input of the smallest tile.
    public let needed: ZYX<Int>
    public let description: String

    init(_ tile: Tile, _ limit: TileLimit) {
        needed = tile.input.shape
        description =
            "the smallest tile of this network has \(needed) input voxels (\(needed.count)), "
            + limit.complaint(about: tile) + "; allow more memory or use a network with fewer levels"
    }
}
