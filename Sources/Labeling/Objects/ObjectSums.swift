import Volumes

/// What is known of an object so far, for there may be many millions.
struct ObjectSums: Sendable {
    var voxels = 0
    private var position = ZYX(repeating: 0)
    /// Products of positions as from `start`, zz, yy, xx, zy, zx, yx.
    private var squares = (zz: 0.0, yy: 0.0, xx: 0.0, zy: 0.0, zx: 0.0, yx: 0.0)
    private var start = ZYX(repeating: Int32(0))
    private var low = ZYX(repeating: Int32.max)
    private var high = ZYX(repeating: Int32(-1))
    private var votes = 0
    private var disputed = 0
    private var fewestVotes = UInt8.max

    /// Adds voxels in a row.
    mutating func add(z: Int, y: Int, x: Range<Int>) {
        if voxels == 0 { start = ZYX(Int32(z), Int32(y), Int32(x.lowerBound)) }
        let count = x.count
        voxels += count
        position.z += z * count
        position.y += y * count
        position.x += (x.lowerBound + x.upperBound - 1) * count / 2
        low = ZYX(min(low.z, Int32(z)), min(low.y, Int32(y)), min(low.x, Int32(x.lowerBound)))
        high = ZYX(max(high.z, Int32(z)), max(high.y, Int32(y)), max(high.x, Int32(x.upperBound - 1)))

        let (dz, dy) = (Double(z - Int(start.z)), Double(y - Int(start.y)))
        let n = Double(count)
        let first = Double(x.lowerBound - Int(start.x))
        let sum = n * (first + (n - 1) / 2)
        squares.zz += n * dz * dz
        squares.yy += n * dy * dy
        squares.xx += n * first * first + first * n * (n - 1) + (n - 1) * n * (2 * n - 1) / 6
        squares.zy += n * dz * dy
        squares.zx += dz * sum
        squares.yx += dy * sum
    }

    mutating func add(votes row: UnsafeBufferPointer<UInt8>, members: Int) {
        for value in row {
            votes &+= Int(value)
            disputed &+= Int(value) < members ? 1 : 0
            fewestVotes = min(fewestVotes, value)
        }
    }

    var centroid: ZYX<Double> { position.map { Double($0) / Double(voxels) } }
    var box: Box { Box(from: low.map(Int.init), to: high.map { Int($0) + 1 }) }

    var agreement: ObjectTable.Agreement {
        ObjectTable.Agreement(
            mean: Double(votes) / Double(voxels), fewest: Int(fewestVotes), disputedVoxels: disputed)
    }

    /// Of the positions in all of the object's volume, voxels being boxes.
    func covariance(voxelSize: ZYX<Double>) -> [[Double]] {
        let n = Double(voxels)
        let mean = centroid.zip(start) { $0 - Double($1) }
        func entry(_ sum: Double, _ a: Double, _ b: Double, _ sides: Double, own: Bool = false) -> Double {
            (sum / n - a * b + (own ? 1.0 / 12 : 0)) * sides
        }
        let (z, y, x) = (voxelSize.z, voxelSize.y, voxelSize.x)
        let zy = entry(squares.zy, mean.z, mean.y, z * y)
        let zx = entry(squares.zx, mean.z, mean.x, z * x)
        let yx = entry(squares.yx, mean.y, mean.x, y * x)
        return [
            [entry(squares.zz, mean.z, mean.z, z * z, own: true), zy, zx],
            [zy, entry(squares.yy, mean.y, mean.y, y * y, own: true), yx],
            [zx, yx, entry(squares.xx, mean.x, mean.x, x * x, own: true)],
        ]
    }
}

/// What is known of an object's values in an image.
struct IntensitySums: Sendable {
    private var count = 0
    /// The first value: sums of differences from it lose no digits.
    private var reference = 0.0
    private var sum = 0.0
    private var squares = 0.0
    private var low = Double.infinity
    private var high = -Double.infinity

    mutating func add<Element: VoxelElement>(_ values: UnsafeBufferPointer<Element>) {
        guard let first = values.first else { return }
        if count == 0 { reference = first.double }
        count += values.count
        for value in values {
            let value = value.double
            let difference = value - reference
            sum += difference
            squares += difference * difference
            low = min(low, value)
            high = max(high, value)
        }
    }

    var intensity: ObjectTable.Intensity {
        let (n, mean) = (Double(count), sum / Double(count))
        return ObjectTable.Intensity(
            mean: reference + mean, deviation: max(0, squares / n - mean * mean).squareRoot(), low: low, high: high,
            sum: n * reference + sum)
    }
}
