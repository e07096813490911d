/// One value per axis, always in the order z, y, x: a shape, a position, a voxel size.
///
/// Everything in the product that has three axes has this type, so no array of three numbers
/// is ever read in the wrong order, and every printed shape carries its letters.
@frozen
public struct ZYX<Scalar> {
    public var z, y, x: Scalar

    @inlinable
    public init(z: Scalar, y: Scalar, x: Scalar) {
        self.z = z
        self.y = y
        self.x = x
    }

    @inlinable
    public init(_ z: Scalar, _ y: Scalar, _ x: Scalar) {
        self.init(z: z, y: y, x: x)
    }

    /// The same value along each axis.
    @inlinable
    public init(repeating value: Scalar) {
        self.init(z: value, y: value, x: value)
    }

    @inlinable
    public func map<Result>(_ transform: (Scalar) throws -> Result) rethrows -> ZYX<Result> {
        ZYX<Result>(z: try transform(z), y: try transform(y), x: try transform(x))
    }

    /// Combines two triples axis by axis.
    @inlinable
    public func zip<Other, Result>(
        _ other: ZYX<Other>, _ combine: (Scalar, Other) throws -> Result
    ) rethrows -> ZYX<Result> {
        ZYX<Result>(z: try combine(z, other.z), y: try combine(y, other.y), x: try combine(x, other.x))
    }

    /// The values in the order z, y, x.
    @inlinable
    public var array: [Scalar] { [z, y, x] }
}

extension ZYX: Equatable where Scalar: Equatable {}
extension ZYX: Hashable where Scalar: Hashable {}
extension ZYX: Sendable where Scalar: Sendable {}
extension ZYX: Codable where Scalar: Codable {}

extension ZYX: CustomStringConvertible {
    /// For example `z 60 × y 512 × x 512`.
    public var description: String { "z \(z) × y \(y) × x \(x)" }
}

extension ZYX where Scalar == Int {
    /// A voxel's place, for example `z 3, y 0, x 12`.
    public var place: String { "z \(z), y \(y), x \(x)" }
}

extension ZYX where Scalar: AdditiveArithmetic {
    @inlinable
    public static func + (left: ZYX, right: ZYX) -> ZYX { left.zip(right, +) }
    @inlinable
    public static func - (left: ZYX, right: ZYX) -> ZYX { left.zip(right, -) }
}

extension ZYX where Scalar == Int {
    @inlinable
    public static var zero: ZYX { ZYX(repeating: 0) }

    /// The number of voxels of a box of this shape.
    @inlinable
    public var count: Int { z * y * x }

    /// The number of cells of this shape that cover `whole`, the last of an axis perhaps in part.
    public func cells(covering whole: ZYX) -> ZYX {
        whole.zip(self) { ($0 + $1 - 1) / $1 }
    }
}
