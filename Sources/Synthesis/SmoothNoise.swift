import Volumes

/// Value noise (random numbers on a lattice, smoothly interpolated), of about −1…1.
struct SmoothNoise {
    private let lattice: [Float]
    private let counts: ZYX<Int>
    private let scale: Double

    /// - Parameter scale: the lattice's spacing in units, the size of the noise's features.
    init(seed: UInt64, stream: UInt64, grid: Grid, scale: Double) {
        self.scale = scale
        counts = grid.size.map { Int($0 / scale) + 2 }
        let random = CounterRandom(seed: seed, stream: stream)
        lattice = (0..<counts.count).map { Float(random.uniform(UInt64($0))) * 2 - 1 }
    }

    /// The noise at each voxel of a grid.
    func values(on grid: Grid) -> [Float] {
        let axes = (
            knots(grid.shape.z, grid.edge.z), knots(grid.shape.y, grid.edge.y), knots(grid.shape.x, grid.edge.x)
        )
        return [Float](unsafeUninitializedCapacity: grid.shape.count) { target, count in
            lattice.withUnsafeBufferPointer { lattice in
                var index = 0
                for (cellZ, weightZ) in axes.0 {
                    for (cellY, weightY) in axes.1 {
                        let row = (cellZ * counts.y + cellY) * counts.x
                        let rows = (
                            row, row + counts.x, row + counts.y * counts.x, row + (counts.y + 1) * counts.x
                        )
                        for (cellX, weightX) in axes.2 {
                            @inline(__always) func along(_ row: Int) -> Float {
                                let a = lattice[row + cellX]
                                return a + (lattice[row + cellX + 1] - a) * weightX
                            }
                            let near = along(rows.0) + (along(rows.1) - along(rows.0)) * weightY
                            let far = along(rows.2) + (along(rows.3) - along(rows.2)) * weightY
                            target[index] = near + (far - near) * weightZ
                            index += 1
                        }
                    }
                }
            }
            count = grid.shape.count
        }
    }

    /// The lattice cell of each voxel along an axis, and its smoothed position within.
    private func knots(_ count: Int, _ edge: Double) -> [(Int, Float)] {
        (0..<count).map { index in
            let place = Double(index) * edge / scale
            let cell = place.rounded(.down)
            let t = place - cell
            return (Int(cell), Float(t * t * (3 - 2 * t)))
        }
    }
}
