extension VoxelBuffer {
    /// The values converted to `Element`.
    ///
    /// - Throws: `UnrepresentableValue` for the first value that `Element` cannot hold
    ///   (labels are never wrapped).
    public func converted<Element: VoxelElement>(to type: Element.Type) throws -> Volume<Element> {
        try converted(to: Element.elementType).volume(of: type)
    }

    /// The values in another type.
    ///
    /// - Throws: `UnrepresentableValue` for the first value that the type cannot hold.
    public func converted(to type: ElementType) throws -> VoxelBuffer {
        type == elementType ? self : try elementType.visit(ConversionFrom(voxels: self, target: type))
    }
}

/// A value that its target type cannot hold.
public struct UnrepresentableValue: Error, Equatable, CustomStringConvertible {
    public let value: String
    /// Of its voxel, in the buffer; nil where that is not known.
    public var place: ZYX<Int>?
    public let elementType: ElementType

    public init(value: String, place: ZYX<Int>? = nil, elementType: ElementType) {
        (self.value, self.place, self.elementType) = (value, place, elementType)
    }

    public var description: String {
        value + (place.map { " at \($0.place)" } ?? "") + " cannot be written as \(elementType.rawValue)"
    }
}

private struct ConversionFrom: VoxelTypeVisitor {
    let voxels: VoxelBuffer
    let target: ElementType

    func visit<Source: VoxelElement>(_ source: Source.Type) throws(any Error) -> VoxelBuffer {
        try target.visit(ConversionTo<Source>(voxels: voxels))
    }
}

private struct ConversionTo<Source: VoxelElement>: VoxelTypeVisitor {
    let voxels: VoxelBuffer

    func visit<Target: VoxelElement>(_ target: Target.Type) throws(any Error) -> VoxelBuffer {
        let bytes = try [UInt8](ofSize: voxels.shape.count * Target.size) { bytes in
            let results = bytes.bindMemory(to: Target.self)
            try voxels.bytes.withUnsafeBytes { bytes in
                let values = bytes.bindMemory(to: Source.self)
                for index in results.indices {
                    guard let result = values[index].converted(to: target) else {
                        let (rows, row) = (index / voxels.shape.x, voxels.shape.y)
                        throw UnrepresentableValue(
                            value: shown(values[index]),
                            place: ZYX(rows / row, rows % row, index % voxels.shape.x),
                            elementType: Target.elementType)
                    }
                    results[index] = result
                }
            }
        }
        return VoxelBuffer(elementType: Target.elementType, shape: voxels.shape, bytes: bytes)
    }
}

private func shown(_ value: some VoxelElement) -> String {
    if value.double.isNaN { return "NaN" }
    return value.double.isFinite ? "\(value)" : "infinity"
}
