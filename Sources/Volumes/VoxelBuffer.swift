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
