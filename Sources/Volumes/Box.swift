/// A box of voxels: `origin` is its first voxel, `end` is one past its last.
public struct Box: Hashable, Codable, Sendable {
    public var origin: ZYX<Int>
    public var shape: ZYX<Int>

    public init(origin: ZYX<Int>, shape: ZYX<Int>) {
        self.origin = origin
        self.shape = shape
    }

    /// The box of a whole volume.
    public init(_ shape: ZYX<Int>) {
        self.init(origin: .zero, shape: shape)
    }

    public init(from origin: ZYX<Int>, to end: ZYX<Int>) {
        self.init(origin: origin, shape: end - origin)
    }

    public var end: ZYX<Int> { origin + shape }
    public var count: Int { shape.count }
    public var isEmpty: Bool { shape.z <= 0 || shape.y <= 0 || shape.x <= 0 }

    public func contains(_ other: Box) -> Bool {
        intersection(other) == other
    }

    /// The smallest box that holds both.
    public func union(_ other: Box) -> Box {
        Box(from: origin.zip(other.origin, min), to: end.zip(other.end, max))
    }

    /// The voxels in both boxes; of shape 0 along an axis where they do not meet.
    public func intersection(_ other: Box) -> Box {
        let low = origin.zip(other.origin, max)
        let high = end.zip(other.end, min)
        return Box(origin: low, shape: high.zip(low) { max(0, $0 - $1) })
    }

    /// The box grown by `margin` voxels on both sides of each axis.
    public func grown(by margin: ZYX<Int>) -> Box {
        Box(from: origin - margin, to: end + margin)
    }

    /// The same box in coordinates that start at `newOrigin`.
    public func relative(to newOrigin: ZYX<Int>) -> Box {
        Box(origin: origin - newOrigin, shape: shape)
    }

    /// The boxes of shape `cell` (smaller at the far ends) that cover this one, in z, y, x order.
    public func cells(of cell: ZYX<Int>) -> [Box] {
        let counts = cell.cells(covering: shape)
        var boxes: [Box] = []
        boxes.reserveCapacity(counts.count)
        for z in 0..<counts.z {
            for y in 0..<counts.y {
                for x in 0..<counts.x {
                    let start = origin + ZYX(z * cell.z, y * cell.y, x * cell.x)
                    boxes.append(Box(origin: start, shape: cell).intersection(self))
                }
            }
        }
        return boxes
    }
}

extension Box {
    /// The middle of the box along its longest axes, with at most about `limit` voxels.
    public func middle(_ limit: Int) -> Box {
        var box = self
        while box.count > limit {
            let axis = [\ZYX<Int>.z, \.y, \.x].max { box.shape[keyPath: $0] < box.shape[keyPath: $1] } ?? \.x
            let length = box.shape[keyPath: axis]
            let kept = max(length / 2, min(length, length * limit / box.count))
            box.origin[keyPath: axis] += (length - kept) / 2
            box.shape[keyPath: axis] = kept
        }
        return box
    }
}

extension Box: CustomStringConvertible {
    /// For example `z 0:60, y 0:512, x 0:512`.
    public var description: String {
        "z \(origin.z):\(end.z), y \(origin.y):\(end.y), x \(origin.x):\(end.x)"
    }
}
