/// Least, largest and mean value and standard deviation of voxels that come piece by piece; what is not finite does not
/// count.
struct VoxelStatistics {
    private(set) var smallest = Double.infinity
    private(set) var largest = -Double.infinity
    private var count = 0
    /// Sums of the values' distances from the first one, and of their squares: of values far from 0 that differ little,
    /// squares of the values themselves would lose the deviation.
    private var first: Double?
    private var sum = 0.0
    private var squares = 0.0

    /// 0 without values.
    var mean: Double { count == 0 ? 0 : (first ?? 0) + sum / Double(count) }
    var deviation: Double {
        guard count > 0 else { return 0 }
        let distance = sum / Double(count)
        return max(0, squares / Double(count) - distance * distance).squareRoot()
    }

    mutating func add(_ voxels: VoxelBuffer) { self = voxels.elementType.visit(Addition(voxels: voxels, to: self)) }

    private struct Addition: VoxelTypeVisitor {
        let voxels: VoxelBuffer
        let to: VoxelStatistics

        func visit<Element: VoxelElement>(_ type: Element.Type) throws(Never) -> VoxelStatistics {
            var result = to
            voxels.bytes.withUnsafeBytes { result.add($0.bindMemory(to: type)) }
            return result
        }
    }

    private mutating func add<Element: VoxelElement>(_ values: UnsafeBufferPointer<Element>) {
        for value in values {
            let value = value.double
            guard value.isFinite else { continue }
            let distance = value - (first ?? value)
            if first == nil { first = value }
            count += 1
            sum += distance
            squares += distance * distance
            smallest = min(smallest, value)
            largest = max(largest, value)
        }
    }
}
