/// A box of voxels in memory: `voxels` is contiguous, x fastest, then y, then z.
public struct Volume<Element: VoxelElement>: Sendable {
    public let shape: ZYX<Int>
    public var voxels: [Element]

    @inlinable
    public init(shape: ZYX<Int>, voxels: [Element]) {
        precondition(voxels.count == shape.count, "a volume of \(shape) cannot have \(voxels.count) voxels")
        self.shape = shape
        self.voxels = voxels
    }

    @inlinable
    public init(shape: ZYX<Int>, repeating value: Element = 0) {
        self.init(shape: shape, voxels: [Element](repeating: value, count: shape.count))
    }

    /// Where voxel (z, y, x) lies in `voxels`.
    @inlinable
    public func index(_ z: Int, _ y: Int, _ x: Int) -> Int { (z * shape.y + y) * shape.x + x }

    @inlinable
    public subscript(z: Int, y: Int, x: Int) -> Element {
        get { voxels[index(z, y, x)] }
        set { voxels[index(z, y, x)] = newValue }
    }

    /// Each value transformed.
    @inlinable
    public func map<Result: VoxelElement>(_ transform: (Element) throws -> Result) rethrows -> Volume<Result> {
        Volume<Result>(shape: shape, voxels: try voxels.map(transform))
    }

    /// A copy of the voxels in `box`, which must lie within the volume.
    public func cropped(to box: Box) -> Volume {
        precondition(Box(shape).contains(box), "\(box) is not within \(Box(shape))")
        var result: [Element] = []
        result.reserveCapacity(box.count)
        for z in box.origin.z..<box.end.z {
            for y in box.origin.y..<box.end.y {
                let start = index(z, y, box.origin.x)
                result.append(contentsOf: voxels[start..<start + box.shape.x])
            }
        }
        return Volume(shape: box.shape, voxels: result)
    }

    /// Writes `part` with its first voxel at `origin`; it must fit.
    public mutating func replace(at origin: ZYX<Int>, with part: Volume) {
        let box = Box(origin: origin, shape: part.shape)
        precondition(Box(shape).contains(box), "\(box) is not within \(Box(shape))")
        for z in 0..<part.shape.z {
            for y in 0..<part.shape.y {
                let source = part.index(z, y, 0)
                let target = index(origin.z + z, origin.y + y, origin.x)
                voxels.withUnsafeMutableBufferPointer { destination in
                    part.voxels.withUnsafeBufferPointer { values in
                        for x in 0..<part.shape.x { destination[target + x] = values[source + x] }
                    }
                }
            }
        }
    }
}

extension Volume {
    /// The voxels of `box` as those of a box that holds it, with one value elsewhere.
    package func placed(_ box: Box, in whole: Box, elsewhere value: Element = 0) -> Volume {
        precondition(shape == box.shape)
        if box == whole { return self }
        var result = Volume(shape: whole.shape, repeating: value)
        result.replace(at: box.origin - whole.origin, with: self)
        return result
    }
}

extension Volume: Equatable where Element: Equatable {}

extension Volume: CustomStringConvertible {
    /// Its shape and type: a volume's voxels are too many to be of use as text.
    public var description: String { "\(shape) voxels of \(Element.self)" }
}
