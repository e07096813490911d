/// A box of voxels in memory whose type is known at run time: what readers return and stores keep.
///
/// `bytes` holds the values contiguously, x fastest, in this machine's byte order.
public struct VoxelBuffer: Sendable, Equatable {
    public let elementType: ElementType
    public let shape: ZYX<Int>
    public var bytes: [UInt8]

    public init(elementType: ElementType, shape: ZYX<Int>, bytes: [UInt8]) {
        precondition(bytes.count == shape.count * elementType.size)
        self.elementType = elementType
        self.shape = shape
        self.bytes = bytes
    }

    public init<Element: VoxelElement>(_ volume: Volume<Element>) {
        self.init(
            elementType: Element.elementType, shape: volume.shape,
            bytes: volume.voxels.withUnsafeBytes { [UInt8]($0) })
    }

    /// The values as `Element`, which must be the buffer's own type.
    public func volume<Element: VoxelElement>(of type: Element.Type) -> Volume<Element> {
        precondition(Element.elementType == elementType)
        let voxels = [Element](unsafeUninitializedCapacity: shape.count) { target, count in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
            count = shape.count
        }
        return Volume(shape: shape, voxels: voxels)
    }

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
        if type == elementType { return self }
        // Each type by its name: loops over a type known only at run time are twenty times slower.
        return switch type {
        case .uint8: try converted(holding: UInt8.self)
        case .int8: try converted(holding: Int8.self)
        case .uint16: try converted(holding: UInt16.self)
        case .int16: try converted(holding: Int16.self)
        case .uint32: try converted(holding: UInt32.self)
        case .int32: try converted(holding: Int32.self)
        case .uint64: try converted(holding: UInt64.self)
        case .int64: try converted(holding: Int64.self)
        case .float32: try converted(holding: Float.self)
        case .float64: try converted(holding: Double.self)
        }
    }

    private func converted<Target: VoxelElement>(holding target: Target.Type) throws -> VoxelBuffer {
        switch elementType {
        case .uint8: try converted(from: UInt8.self, to: target)
        case .int8: try converted(from: Int8.self, to: target)
        case .uint16: try converted(from: UInt16.self, to: target)
        case .int16: try converted(from: Int16.self, to: target)
        case .uint32: try converted(from: UInt32.self, to: target)
        case .int32: try converted(from: Int32.self, to: target)
        case .uint64: try converted(from: UInt64.self, to: target)
        case .int64: try converted(from: Int64.self, to: target)
        case .float32: try converted(from: Float.self, to: target)
        case .float64: try converted(from: Double.self, to: target)
        }
    }

    private func converted<Source: VoxelElement, Target: VoxelElement>(
        from source: Source.Type, to target: Target.Type
    ) throws -> VoxelBuffer {
        let converted = try bytes.withUnsafeBytes { bytes in
            let values = bytes.bindMemory(to: source)
            return try [UInt8](unsafeUninitializedCapacity: shape.count * Target.size) { storage, count in
                let results = UnsafeMutableRawBufferPointer(storage).bindMemory(to: target)
                for index in 0..<shape.count {
                    guard let result = values[index].converted(to: target) else {
                        throw UnrepresentableValue(
                            value: values[index].double.isFinite
                                ? "\(values[index])" : nonFinite(values[index].double),
                            place: ZYX(
                                index / (shape.y * shape.x), index / shape.x % shape.y, index % shape.x),
                            elementType: Target.elementType)
                    }
                    results[index] = result
                }
                count = shape.count * Target.size
            }
        }
        return VoxelBuffer(elementType: Target.elementType, shape: shape, bytes: converted)
    }

    private func nonFinite(_ value: Double) -> String { value.isNaN ? "NaN" : "infinity" }

    /// A copy of the voxels in `box`, which must lie within the buffer.
    public func cropped(to box: Box) -> VoxelBuffer {
        precondition(Box(shape).contains(box), "\(box) is not within \(Box(shape))")
        if box == Box(shape) { return self }
        let row = box.shape.x * elementType.size
        var result: [UInt8] = []
        result.reserveCapacity(box.count * elementType.size)
        for z in box.origin.z..<box.end.z {
            for y in box.origin.y..<box.end.y {
                let start = ((z * shape.y + y) * shape.x + box.origin.x) * elementType.size
                result.append(contentsOf: bytes[start..<start + row])
            }
        }
        return VoxelBuffer(elementType: elementType, shape: box.shape, bytes: result)
    }
}

/// A value that its target type cannot hold.
public struct UnrepresentableValue: Error, Equatable, CustomStringConvertible {
    public let value: String
    /// Of its voxel, in the buffer; nil where that is not known.
    public var place: ZYX<Int>?
    public let elementType: ElementType

    public var description: String {
        value + (place.map { " at \($0.place)" } ?? "") + " cannot be written as \(elementType.rawValue)"
    }
}
