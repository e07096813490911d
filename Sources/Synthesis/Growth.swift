import Volumes

/// Cores grown until they fill the volume: the eikonal equation |∇T| = slowness solved by fast marching
/// (Sethian 1996, PNAS), with buckets for the front. A voxel takes the label of the neighbour that reaches it
/// first, so each label stays 6-connected to its core.
struct Growth {
    private(set) var labels: [UInt32]
    /// When the front arrived, in units at slowness 1.
    private(set) var arrival: [Float]

    init(cores: [UInt32], slowness: [Float], grid: Grid) {
        labels = cores
        arrival = cores.map { $0 == 0 ? .infinity : 0 }
        var isFixed = [Bool](repeating: false, count: cores.count)
        let start = cores.indices.filter { cores[$0] != 0 }.map { Int32($0) }
        labels.withUnsafeMutableBufferPointer { labels in
            arrival.withUnsafeMutableBufferPointer { arrival in
                isFixed.withUnsafeMutableBufferPointer { isFixed in
                    slowness.withUnsafeBufferPointer { slowness in
                        Front(
                            labels: labels, arrival: arrival, isFixed: isFixed, slowness: slowness, grid: grid
                        ).march(from: start)
                    }
                }
            }
        }
    }
}

private struct Front {
    let labels: UnsafeMutableBufferPointer<UInt32>
    let arrival: UnsafeMutableBufferPointer<Float>
    let isFixed: UnsafeMutableBufferPointer<Bool>
    let slowness: UnsafeBufferPointer<Float>
    let grid: Grid

    private static let bucketWidth: Float = 0.25

    func march(from start: [Int32]) {
        let shape = grid.shape
        let (strideZ, strideY) = (shape.y * shape.x, shape.x)
        var buckets = [start]
        var current = 0
        while current < buckets.count {
            var position = 0
            while position < buckets[current].count {
                let index = Int(buckets[current][position])
                position += 1
                if isFixed[index] { continue }
                isFixed[index] = true
                let (z, y, x) = (index / strideZ, index / strideY % shape.y, index % strideY)
                func reach(_ neighbour: Int, _ z: Int, _ y: Int, _ x: Int) {
                    if isFixed[neighbour] { return }
                    let time = arrivalTime(neighbour, z, y, x)
                    guard time < arrival[neighbour] else { return }
                    arrival[neighbour] = time
                    labels[neighbour] = labels[index]
                    let bucket = max(current, Int(time / Front.bucketWidth))
                    while buckets.count <= bucket { buckets.append([]) }
                    buckets[bucket].append(Int32(neighbour))
                }
                if z > 0 { reach(index - strideZ, z - 1, y, x) }
                if z < shape.z - 1 { reach(index + strideZ, z + 1, y, x) }
                if y > 0 { reach(index - strideY, z, y - 1, x) }
                if y < shape.y - 1 { reach(index + strideY, z, y + 1, x) }
                if x > 0 { reach(index - 1, z, y, x - 1) }
                if x < shape.x - 1 { reach(index + 1, z, y, x + 1) }
            }
            buckets[current] = []
            current += 1
        }
    }

    /// The upwind solution at a voxel from the earlier fixed neighbour along each axis.
    private func arrivalTime(_ index: Int, _ z: Int, _ y: Int, _ x: Int) -> Float {
        let shape = grid.shape
        func earlier(_ position: Int, _ count: Int, _ stride: Int) -> Float {
            let before = position > 0 && isFixed[index - stride] ? arrival[index - stride] : .infinity
            let after = position < count - 1 && isFixed[index + stride] ? arrival[index + stride] : .infinity
            return min(before, after)
        }
        var first = (earlier(z, shape.z, shape.y * shape.x), Float(1 / (grid.edge.z * grid.edge.z)))
        var second = (earlier(y, shape.y, shape.x), Float(1 / (grid.edge.y * grid.edge.y)))
        var third = (earlier(x, shape.x, 1), Float(1 / (grid.edge.x * grid.edge.x)))
        if second.0 < first.0 { swap(&first, &second) }
        if third.0 < second.0 { swap(&second, &third) }
        if second.0 < first.0 { swap(&first, &second) }

        let square = slowness[index] * slowness[index]
        var (sum, sumTime, sumSquares) = (Float(0), Float(0), Float(0))
        var result = Float.infinity
        func include(_ neighbour: (Float, Float)) -> Bool {
            guard neighbour.0 < result else { return false }
            sum += neighbour.1
            sumTime += neighbour.1 * neighbour.0
            sumSquares += neighbour.1 * neighbour.0 * neighbour.0
            let discriminant = sumTime * sumTime - sum * (sumSquares - square)
            guard discriminant >= 0 else { return false }
            result = (sumTime + discriminant.squareRoot()) / sum
            return true
        }
        if include(first), include(second) { _ = include(third) }
        return result
    }
}
