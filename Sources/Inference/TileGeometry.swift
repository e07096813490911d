import Foundation
import Networks
import Volumes

/// What tiles must know of a network, in voxels along each axis.
public struct TileGeometry: Equatable, Sendable {
    /// The product of all reductions: tiles start on its multiples, or pooling would see other voxels.
    public let stride: ZYX<Int>
    /// The voxels beyond its own that a tile reads.
    public let halo: ZYX<Int>
    /// The voxels on each side of an input that have no output: 0 where convolutions keep extents.
    public let margin: ZYX<Int>
    /// The smallest input; others are multiples of the stride more.
    public let smallest: ZYX<Int>

    /// Whether the result is that of the untiled network, however the volume is cut. Otherwise tiles must have a size
    /// of their own, or the result would follow from the memory of the day.
    public let isExact: Bool
    /// What a tile is predicted by, where that is not one input of the network.
    private(set) var windows: SlidingWindows?

    /// - Parameters:
    ///   - margin, smallest: nil for a network that keeps extents.
    public init(
        stride: ZYX<Int>, halo: ZYX<Int>, margin: ZYX<Int>? = nil, smallest: ZYX<Int>? = nil, isExact: Bool = true
    ) {
        self.stride = stride
        self.halo = halo
        self.isExact = isExact
        self.margin = margin ?? .zero
        self.smallest = smallest ?? stride
    }

    /// That of a network; a 2D one takes sections of z one by one.
    ///
    /// Tiles read all that an output voxel depends on, so that tiling changes nothing. That cannot be where a
    /// normalization looks at the whole tile, and is out of proportion where the network reaches farther than 64 voxels
    /// and than its training patches ever did: there tiles read half a patch (16 voxels at least) beyond their own.
    ///
    /// - Parameters:
    ///   - patch: that of training.
    ///   - averaging: of the prediction; nil for none.
    /// - Throws: `MisfittingExtents` where no input suits the network.
    public init(_ graph: Graph, patch: ZYX<Int>, averaging: PredictionAveraging?) throws {
        if let overlap = averaging?.overlap {
            self.init(
                windows: SlidingWindows(
                    shape: graph.dimensions == 2 ? ZYX(1, patch.y, patch.x) : patch, overlap: overlap))
        } else {
            let geometry = try TileGeometry(graph, patch: patch)
            let symmetries = averaging.map { Symmetries($0, dimensions: graph.dimensions) }
            self = symmetries.map { geometry.grown(by: $0.halo) } ?? geometry
        }
    }

    /// That of windows: a tile holds whole all those that share voxels with its output.
    private init(windows: SlidingWindows) {
        self.init(
            stride: ZYX(repeating: 1), halo: windows.shape - ZYX(repeating: 1), smallest: windows.shape)
        self.windows = windows
    }

    /// - Parameter patch: that of training.
    /// - Throws: `MisfittingExtents` where no input suits the network.
    public init(_ graph: Graph, patch: ZYX<Int>) throws {
        func inSpace(_ list: [Int], section: Int) -> ZYX<Int> {
            graph.dimensions == 2 ? ZYX(section, list[0], list[1]) : ZYX(list[0], list[1], list[2])
        }
        let reach = inSpace(try graph.halo(), section: 0)
        let isNear = reach.zip(patch) { $0 <= max($1, 64) }.array.allSatisfy { $0 }
        let isExact = graph.hasStoredStatistics && isNear
        self.init(
            stride: inSpace(graph.totalStride, section: 1),
            halo: isExact ? reach : reach.zip(patch) { min($0, max($1, 32) / 2) },
            margin: inSpace(try graph.margin(), section: 0),
            smallest: inSpace(try graph.smallestInput(), section: 1), isExact: isExact)
    }

    /// That where an output voxel depends on its neighbours' outputs too. They are not there at a tile's border where
    /// convolutions lose it, so that tiles must have a size of their own.
    private func grown(by reach: ZYX<Int>) -> TileGeometry {
        TileGeometry(
            stride: stride, halo: halo + reach, margin: margin, smallest: smallest,
            isExact: isExact && (margin == .zero || reach == .zero))
    }

    /// How often a voxel of a tile's input is computed, about.
    public var repetition: Double {
        guard let windows else { return 1 }
        return pow(1 - windows.overlap, -Double(windows.shape.array.count { $0 > 1 }))
    }

    /// The input voxels of the largest tile where tiles must have a size of their own.
    public static let fixedTileVoxels = 6_000_000

    /// How large tiles may be in so many bytes.
    public func limit(_ bytes: Int, _ cost: TileCost) -> TileLimit {
        isExact ? .memory(bytes, cost) : .voxels(Self.fixedTileVoxels)
    }

    /// The smallest tile that is worth its halo: a few strides of output, or one window.
    public var smallTile: Tile {
        if let windows { return Tile(input: Box(windows.shape), output: Box(windows.shape)) }
        let wanted = halo.zip(stride) { 2 * $0 + 4 * $1 }
        let shape = ZYX(
            extent(atLeast: wanted.z, \.z), extent(atLeast: wanted.y, \.y), extent(atLeast: wanted.x, \.x))
        let border = margin.zip(halo) { $0 > 0 ? $0 : $1 }
        return Tile(input: Box(shape), output: Box(from: border, to: shape - border))
    }

    /// The smallest tile of a volume: one stride of output with its halo. Where tiles have a size of their own, that is no
    /// smaller one.
    public func leastTile(of volume: ZYX<Int>) -> Tile {
        func least(_ axis: KeyPath<ZYX<Int>, Int>) -> (input: Int, first: Int) {
            let (stride, margin) = (stride[keyPath: axis], margin[keyPath: axis])
            let halo = margin > 0 ? 0 : halo[keyPath: axis]
            // It begins on a multiple of the stride.
            let before = (halo + stride - 1) / stride * stride
            let tile = extent(atLeast: before + stride + halo + 2 * margin, axis)
            let input = min(tile, extent(atLeast: volume[keyPath: axis] + 2 * margin, axis))
            return (input, min(before, input - stride) + margin)
        }
        let (z, y, x) = (least(\.z), least(\.y), least(\.x))
        return Tile(
            input: Box(ZYX(z.input, y.input, x.input)),
            output: Box(origin: ZYX(z.first, y.first, x.first), shape: stride))
    }

    /// The input extent, along one axis, that the network can be applied to and that holds at least `extent`.
    func extent(atLeast extent: Int, _ axis: KeyPath<ZYX<Int>, Int>) -> Int {
        let (least, step) = (smallest[keyPath: axis], stride[keyPath: axis])
        return least + max(0, (extent - least + step - 1) / step) * step
    }
}
