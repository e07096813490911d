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
    public let elementType: ElementType

    public var description: String { "the value \(value) does not fit into \(elementType.rawValue)" }
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
                        throw UnrepresentableValue(value: "\(values[index])", elementType: Target.elementType)
                    }
                    results[index] = result
                }
            }
        }
        return VoxelBuffer(elementType: Target.elementType, shape: voxels.shape, bytes: bytes)
    }
}
