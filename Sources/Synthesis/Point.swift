import Volumes

/// A place or direction, in units of the finest voxel edge.
typealias Point = ZYX<Double>

extension Point {
    var length: Double { (z * z + y * y + x * x).squareRoot() }
    static func * (point: Point, factor: Double) -> Point { point.map { $0 * factor } }
    func dot(_ other: Point) -> Double { z * other.z + y * other.y + x * other.x }
}

/// The grid of a volume: its shape and its voxels' edges in units of the finest.
struct Grid {
    let shape: ZYX<Int>
    let edge: Point

    init(shape: ZYX<Int>, voxelSize: VoxelSize) {
        self.shape = shape
        let finest = voxelSize.nanometers.array.min() ?? 1
        edge = voxelSize.nanometers.map { $0 / finest }
    }

    /// The extent in units.
    var size: Point { shape.zip(edge) { Double($0) * $1 } }

    func index(_ z: Int, _ y: Int, _ x: Int) -> Int { (z * shape.y + y) * shape.x + x }

    /// Calls `body` with the index and offset from `centre` of each voxel within `radius` (in units).
    func forEachVoxel(within radius: Double, of centre: Point, _ body: (Int, Point) -> Void) {
        let low = ZYX(repeating: 0).zip(range(centre, edge, -radius), max)
        let high = shape.map { $0 - 1 }.zip(range(centre, edge, radius), min)
        guard low.z <= high.z, low.y <= high.y, low.x <= high.x else { return }
        for z in low.z...high.z {
            for y in low.y...high.y {
                for x in low.x...high.x {
                    let offset = Point(Double(z) * edge.z, Double(y) * edge.y, Double(x) * edge.x) - centre
                    if offset.length <= radius { body(index(z, y, x), offset) }
                }
            }
        }
    }

    private func range(_ centre: Point, _ edge: Point, _ radius: Double) -> ZYX<Int> {
        centre.zip(edge) { Int((($0 + radius) / $1).rounded(radius < 0 ? .up : .down)) }
    }
}
