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

        /// What an image of one value is, in words; nil for any other.
        var constancy: String? {
            minimum == maximum ? "every voxel is \(String(format: "%g", minimum))" : nil
        }

        /// Why most of an image may look alike to a network, in words; nil for no reason.
        var outlier: String? {
            let isHigh = maximum - mean > mean - minimum
            let distance = (isHigh ? maximum - mean : mean - minimum) / standardDeviation
            guard distance.isFinite, distance > 300 else { return nil }
            return String(
                format:
                    "a value of %g lies %.0f standard deviations from the mean, beside which all others look alike",
                isHigh ? maximum : minimum, distance)
        }
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
        guard voxels.shape.count > 0 else { return nil }
        // Each type by its name: loops over a type known only at run time are twenty times slower.
        let infinite = voxels.bytes.withUnsafeBytes { bytes -> Int? in
            switch voxels.elementType {
            case .uint8: add(integers: bytes.bindMemory(to: UInt8.self))
            case .int8: add(integers: bytes.bindMemory(to: Int8.self))
            case .uint16: add(integers: bytes.bindMemory(to: UInt16.self))
            case .int16: add(integers: bytes.bindMemory(to: Int16.self))
            case .uint32: add(values: bytes.bindMemory(to: UInt32.self))
            case .int32: add(values: bytes.bindMemory(to: Int32.self))
            case .uint64: add(values: bytes.bindMemory(to: UInt64.self))
            case .int64: add(values: bytes.bindMemory(to: Int64.self))
            case .float32: add(values: bytes.bindMemory(to: Float.self))
            case .float64: add(values: bytes.bindMemory(to: Double.self))
            }
        }
        return infinite.map {
            ZYX($0 / (voxels.shape.y * voxels.shape.x), $0 / voxels.shape.x % voxels.shape.y, $0 % voxels.shape.x)
        }
    }

    /// Sums of up to 16 bits are exact in runs of so many, and those of the runs in 64 bits.
    private mutating func add<Element: FixedWidthInteger & VoxelElement>(
        integers values: UnsafeBufferPointer<Element>
    ) -> Int? {
        let run = 1 << 15
        for start in stride(from: 0, to: values.count, by: run) {
            let part = values[start..<min(start + run, values.count)]
            var (low, high) = (Element.max, Element.min)
            var (sum, squares, zero) = (0 as Int64, 0 as Int64, 0 as Int32)
            for value in part {
                low = min(low, value)
                high = max(high, value)
                let wide = Int64(truncatingIfNeeded: value)
                sum &+= wide
                squares &+= wide &* wide
                zero &+= value == 0 ? 1 : 0
            }
            let (count, total) = (Double(part.count), Double(sum))
            minimum = min(minimum, low.double)
            maximum = max(maximum, high.double)
            zeros += Int(zero)
            combine(count: count, mean: total / count, squares: Double(squares) - total * (total / count))
        }
        return nil
    }

    /// - Returns: The index of the first value that is not finite.
    private mutating func add<Element: VoxelElement>(values: UnsafeBufferPointer<Element>) -> Int? {
        var sum = 0.0
        for (index, value) in values.enumerated() {
            let value = value.double
            guard value.isFinite else { return index }
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
