import Volumes

/// Where the membranes between neighbouring neurites lie.
struct Membranes {
    /// How much of a voxel's signal is membrane, 0…1: the voxels beside a face between two labels, and in part the
    /// ones behind them.
    private(set) var density: [Float]
    /// The other label at the face; meaningful where `density` is not 0.
    private(set) var neighbour: [UInt32]
    /// The distance to the nearest membrane, in units (a chamfer distance, right to some 10 %).
    private(set) var distance: [Float]

    init(_ labels: [UInt32], grid: Grid) {
        let shape = grid.shape
        density = [Float](repeating: 0, count: labels.count)
        neighbour = labels
        let strides = [shape.y * shape.x, shape.x, 1]
        // A membrane that lies flat in a thick section covers only part of it.
        let weights = grid.edge.map { Float(1 / $0) }.array
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x {
                    let index = grid.index(z, y, x)
                    for (axis, position) in [z, y, x].enumerated() where position < shape.array[axis] - 1 {
                        let other = index + strides[axis]
                        guard labels[index] != labels[other] else { continue }
                        density[index] = max(density[index], weights[axis])
                        density[other] = max(density[other], weights[axis])
                        neighbour[index] = labels[other]
                        neighbour[other] = labels[index]
                    }
                }
            }
        }
        distance = density.map { $0 > 0 ? 0.5 : Float.infinity }
        sweepDistance(grid)
        addFlanks()
    }

    private mutating func addFlanks() {
        for index in density.indices where density[index] == 0 && distance[index] <= 1.5 { density[index] = 0.4 }
    }

    /// Two sweeps with the neighbours that share a face.
    private mutating func sweepDistance(_ grid: Grid) {
        let shape = grid.shape
        let (plane, row) = (shape.y * shape.x, shape.x)
        let (edgeZ, edgeY, edgeX) = (Float(grid.edge.z), Float(grid.edge.y), Float(grid.edge.x))
        let diagonal = (edgeY * edgeY + edgeX * edgeX).squareRoot()
        distance.withUnsafeMutableBufferPointer { distance in
            func relax(_ index: Int, _ z: Bool, _ y: Bool, _ x: Bool, _ xBack: Bool, _ sign: Int) {
                var value = distance[index]
                if z { value = min(value, distance[index + sign * plane] + edgeZ) }
                if y {
                    value = min(value, distance[index + sign * row] + edgeY)
                    if x { value = min(value, distance[index + sign * (row + 1)] + diagonal) }
                    if xBack { value = min(value, distance[index + sign * (row - 1)] + diagonal) }
                }
                if x { value = min(value, distance[index + sign] + edgeX) }
                distance[index] = value
            }
            for index in 0..<distance.count {
                let (y, x) = (index / row % shape.y, index % row)
                relax(index, index >= plane, y > 0, x > 0, x < row - 1, -1)
            }
            for index in stride(from: distance.count - 1, through: 0, by: -1) {
                let (y, x) = (index / row % shape.y, index % row)
                relax(index, index < distance.count - plane, y < shape.y - 1, x < row - 1, x > 0, 1)
            }
        }
    }
}
