import Volumes

extension VoxelBuffer {
    /// The first whole number that a floating-point type has rounded, as float32 does beyond 2²⁴ and float64 beyond 2⁵³:
    /// labels would become one. nil where all are what they were.
    func firstRounded(in result: VoxelBuffer) throws -> UnrepresentableValue? {
        guard elementType.isInteger, !result.elementType.isInteger, elementType.size >= result.elementType.size
        else { return nil }
        return try elementType.visit(RoundedValue(voxels: self, result: result))
    }
}

private struct RoundedValue: VoxelTypeVisitor {
    let voxels: VoxelBuffer
    let result: VoxelBuffer

    func visit<Element: VoxelElement>(_ type: Element.Type) throws(any Error) -> UnrepresentableValue? {
        let values = voxels.volume(of: type).voxels
        let results = try result.converted(to: Double.self).voxels
        for index in values.indices where Element.nearest(results[index]) != values[index] {
            let (row, x) = index.quotientAndRemainder(dividingBy: voxels.shape.x)
            return UnrepresentableValue(
                value: "\(values[index])", place: ZYX(row / voxels.shape.y, row % voxels.shape.y, x),
                elementType: result.elementType)
        }
        return nil
    }
}
