import Volumes

/// Minimum, maximum, mean and standard deviation of a volume, gathered slab by slab.
///
/// Slabs are combined by Chan, Golub and LeVeque's update (1979), which does not lose digits
/// where the mean is large against the deviation.
struct VolumeStatistics {
    struct Summary: Codable, Equatable, Sendable {
        var minimum: Double
        var maximum: Double
        var mean: Double
        var standardDeviation: Double
        /// The fraction of voxels that are exactly 0.
        var zeros: Double
    }

    private var count = 0.0
    private var mean = 0.0
    private var squares = 0.0
    private var minimum = Double.infinity
    private var maximum = -Double.infinity
    private var zeros = 0

    /// Adds a slab.
    ///
    /// - Returns: The place in the slab of the first value that is not finite, or nil.
    mutating func add(_ voxels: VoxelBuffer) -> ZYX<Int>? {
        func read<Element: VoxelElement>(_ type: Element.Type) -> ZYX<Int>? {
            voxels.bytes.withUnsafeBytes { add(values: $0.bindMemory(to: type), shape: voxels.shape) }
        }
        return read(voxels.elementType.scalar)
    }

    private mutating func add<Element: VoxelElement>(
        values: UnsafeBufferPointer<Element>, shape: ZYX<Int>
    ) -> ZYX<Int>? {
        guard !values.isEmpty else { return nil }
        var sum = 0.0
        for (index, value) in values.enumerated() {
            let value = value.double
            guard value.isFinite else {
                return ZYX(index / (shape.y * shape.x), index / shape.x % shape.y, index % shape.x)
            }
            sum += value
            minimum = min(minimum, value)
            maximum = max(maximum, value)
            if value == 0 { zeros += 1 }
        }
        let slabMean = sum / Double(values.count)
        var slabSquares = 0.0
        for value in values {
            let deviation = value.double - slabMean
            slabSquares += deviation * deviation
        }
        combine(count: Double(values.count), mean: slabMean, squares: slabSquares)
        return nil
    }

    private mutating func combine(count other: Double, mean otherMean: Double, squares otherSquares: Double) {
        let total = count + other
        let delta = otherMean - mean
        mean += delta * other / total
        squares += otherSquares + delta * delta * count * other / total
        count = total
    }

    var summary: Summary {
        Summary(
            minimum: minimum, maximum: maximum, mean: mean,
            standardDeviation: count > 0 ? (squares / count).squareRoot() : 0,
            zeros: count > 0 ? Double(zeros) / count : 0)
    }
}
