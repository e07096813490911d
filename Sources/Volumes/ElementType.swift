/// The type of a voxel's value, under the names Zarr and NumPy use.
public enum ElementType: String, Codable, Sendable, CaseIterable {
    case uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, float64

    /// Bytes a voxel.
    public var size: Int { scalar.size }

    /// Whether values are whole numbers, as labels must be.
    public var isInteger: Bool { self != .float32 && self != .float64 }

    /// The Swift type of a value.
    public var scalar: any VoxelElement.Type {
        switch self {
        case .uint8: UInt8.self
        case .int8: Int8.self
        case .uint16: UInt16.self
        case .int16: Int16.self
        case .uint32: UInt32.self
        case .int32: Int32.self
        case .uint64: UInt64.self
        case .int64: Int64.self
        case .float32: Float.self
        case .float64: Double.self
        }
    }
}

/// Work on voxels of a type that is known at run time alone. The compiler makes a copy of `visit` for each type, which
/// a loop over `ElementType.scalar`, an existential, does not get: that runs some 20 times slower.
public protocol VoxelTypeVisitor<Result> {
    associatedtype Result
    associatedtype Failure: Error
    func visit<Element: VoxelElement>(_ type: Element.Type) throws(Failure) -> Result
}

extension ElementType {
    /// What `visitor` does for the Swift type of a value.
    @inlinable
    public func visit<Visitor: VoxelTypeVisitor>(_ visitor: Visitor) throws(Visitor.Failure) -> Visitor.Result {
        switch self {
        case .uint8: try visitor.visit(UInt8.self)
        case .int8: try visitor.visit(Int8.self)
        case .uint16: try visitor.visit(UInt16.self)
        case .int16: try visitor.visit(Int16.self)
        case .uint32: try visitor.visit(UInt32.self)
        case .int32: try visitor.visit(Int32.self)
        case .uint64: try visitor.visit(UInt64.self)
        case .int64: try visitor.visit(Int64.self)
        case .float32: try visitor.visit(Float.self)
        case .float64: try visitor.visit(Double.self)
        }
    }
}

/// A Swift number type that a volume can hold.
public protocol VoxelElement: Numeric, Comparable, BitwiseCopyable, Sendable {
    static var elementType: ElementType { get }
    /// The value as `Double`; exact but for 64-bit integers beyond 2⁵³.
    var double: Double { get }
    /// This value in another type, or nil where that type cannot hold it exactly
    /// (rounding to a floating-point type is allowed; wrapping and truncation are not).
    func converted<Other: VoxelElement>(to type: Other.Type) -> Other?
    init?<Source: BinaryInteger>(exactly source: Source)
    /// The nearest value of a floating-point number, or nil where it is not representable.
    static func nearest(_ value: Double) -> Self?
    /// The value nearest to a number, which must lie between two that the type can hold.
    static func rounding(_ value: Float) -> Self
}

extension VoxelElement {
    static var size: Int { MemoryLayout<Self>.size }
}

extension VoxelElement where Self: FixedWidthInteger {
    @inlinable public var double: Double { Double(self) }
    @inlinable public func converted<Other: VoxelElement>(to type: Other.Type) -> Other? {
        Other.elementType.isInteger ? Other(exactly: self) : Other.nearest(Double(self))
    }
    @inlinable public static func nearest(_ value: Double) -> Self? {
        // Some ten times faster than the generic `Self(exactly: value)`.
        Int64(exactly: value).flatMap { Self(exactly: $0) } ?? UInt64(exactly: value).flatMap { Self(exactly: $0) }
    }
    @inlinable public static func rounding(_ value: Float) -> Self {
        // A Float may round up to more than a wide type holds.
        if bitWidth >= 32 { return Self(clamping: Int128(value.rounded(.toNearestOrEven))) }
        // 1.5·2⁵² leaves the nearest whole number in the last bits: a loop of this is vectorized.
        let shift = 0x1.8p52
        return Self(truncatingIfNeeded: (Double(value) + shift).bitPattern &- shift.bitPattern)
    }
}

extension VoxelElement where Self: BinaryFloatingPoint {
    @inlinable public var double: Double { Double(self) }
    @inlinable public func converted<Other: VoxelElement>(to type: Other.Type) -> Other? {
        Other.nearest(Double(self))
    }
    @inlinable public static func nearest(_ value: Double) -> Self? {
        let nearest = Self(value)
        return nearest.isInfinite && value.isFinite ? nil : nearest
    }
    @inlinable public static func rounding(_ value: Float) -> Self { Self(value) }
}

extension UInt8: VoxelElement { public static var elementType: ElementType { .uint8 } }
extension Int8: VoxelElement { public static var elementType: ElementType { .int8 } }
extension UInt16: VoxelElement { public static var elementType: ElementType { .uint16 } }
extension Int16: VoxelElement { public static var elementType: ElementType { .int16 } }
extension UInt32: VoxelElement { public static var elementType: ElementType { .uint32 } }
extension Int32: VoxelElement { public static var elementType: ElementType { .int32 } }
extension UInt64: VoxelElement { public static var elementType: ElementType { .uint64 } }
extension Int64: VoxelElement { public static var elementType: ElementType { .int64 } }
extension Float: VoxelElement { public static var elementType: ElementType { .float32 } }
extension Double: VoxelElement { public static var elementType: ElementType { .float64 } }
