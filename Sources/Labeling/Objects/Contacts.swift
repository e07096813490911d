import Volumes

/// The faces of voxels at which objects touch, by pair of objects.
struct ContactCounts: Sendable {
    private var places: [UInt64: Int] = [:]
    private var faces: [ZYX<Int>] = []
    /// Of each axis the pair that came last: the next is often the same.
    private var last: [(key: UInt64, place: Int)] = Array(repeating: (UInt64.max, 0), count: 3)

    /// Adds a face across an axis, between two labels other than 0.
    mutating func add(_ one: UInt32, _ other: UInt32, axis: Int) {
        let key = UInt64(min(one, other)) << 32 | UInt64(max(one, other))
        if last[axis].key != key {
            let place = places[key] ?? faces.count
            if place == faces.count {
                places[key] = place
                faces.append(.zero)
            }
            last[axis] = (key, place)
        }
        switch axis {
        case 0: faces[last[axis].place].z += 1
        case 1: faces[last[axis].place].y += 1
        default: faces[last[axis].place].x += 1
        }
    }

    /// Each pair of labels, the lower first, with its faces across z, y and x; in no order.
    var pairs: [(first: UInt32, second: UInt32, faces: ZYX<Int>)] {
        places.map { (UInt32(truncatingIfNeeded: $0 >> 32), UInt32(truncatingIfNeeded: $0), faces[$1]) }
    }
}
