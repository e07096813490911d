import Foundation
import Volumes

/// What five members of an ensemble might say of a volume whose objects are known: any block of it, from the seed alone.
///
/// The volume is a lattice of cells of 40 voxels. A sixty-fourth of its columns along z is a tube through all of the volume;
/// every other cell holds an ellipsoid, a speck, or an ellipsoid that only some of the members see. Each member draws an
/// object a little smaller by its own measure, so that what all agree on is the smallest.
struct SyntheticEnsemble: Sendable {
    static let members = 5
    static let cell = 40
    /// Smaller objects are specks.
    static let minimumVoxels = 200

    let shape: ZYX<Int>
    let seed: UInt64

    /// Cells that lie in the volume as a whole.
    private var cells: ZYX<Int> { shape.map { $0 / Self.cell } }

    enum Kind {
        case tube, ellipsoid, speck
        /// Seen by fewer members than all.
        case phantom(members: Int)
    }

    struct Object {
        let kind: Kind
        /// From 1.
        let id: UInt32
        let centre: ZYX<Float>
        let radii: ZYX<Float>
        /// By member: the share of the radii that it draws.
        let scales: [Float]

        /// Where a voxel lies: 0 at the centre, 1 where the radii end.
        @inline(__always)
        func distance(_ z: Int, _ y: Int, _ x: Int) -> Float {
            var (cy, cx) = (centre.y, centre.x)
            var dz: Float = 0
            if case .tube = kind {
                cy += 5 * sin(Float(z) * 0.05 + radii.z)
                cx += 5 * cos(Float(z) * 0.04 + radii.z)
            } else {
                dz = (Float(z) - centre.z) / radii.z
            }
            let (dy, dx) = ((Float(y) - cy) / radii.y, (Float(x) - cx) / radii.x)
            return (dz * dz + dy * dy + dx * dx).squareRoot()
        }

        /// The share of the radii that all members draw.
        var agreed: Float {
            if case .phantom = kind { 0 } else { scales.min() ?? 0 }
        }
    }

    /// The object of a cell.
    func object(_ z: Int, _ y: Int, _ x: Int) -> Object {
        var column = Random(seed ^ UInt64(y) << 20 ^ UInt64(x) << 40)
        let corner = ZYX(Float(z * Self.cell), Float(y * Self.cell), Float(x * Self.cell))
        if column.next() % 64 == 0 {
            let id = UInt32((y * cells.x + x) + 1)
            return Object(
                kind: .tube, id: id, centre: corner.map { $0 + 20 }, radii: ZYX(column.unit() * 6, 7, 7),
                scales: scales(&column))
        }
        var random = Random(seed ^ 0x51 ^ UInt64(z) ^ UInt64(y) << 20 ^ UInt64(x) << 40)
        let draw = random.unit()
        let kind: Kind =
            draw < 0.05 ? .speck : draw < 0.15 ? .phantom(members: 1 + Int(random.next() % 4)) : .ellipsoid
        let isSpeck = if case .speck = kind { true } else { false }
        let radii = ZYX(random.unit(), random.unit(), random.unit()).map { isSpeck ? 2 + $0 : 9 + 8 * $0 }
        let centre = corner.zip(radii) { $0 + 20 + (2 * random.unit() - 1) * (18 - $1) }
        let id = UInt32(((z + 1) * cells.y + y) * cells.x + x + 1)
        return Object(kind: kind, id: id, centre: centre, radii: radii, scales: scales(&random))
    }

    private func scales(_ random: inout Random) -> [Float] {
        (0..<Self.members).map { _ in 1 - 0.15 * random.unit() }
    }

    /// Calls `body` with each row of a box within a cell, and its object.
    private func forEachRow(in box: Box, _ body: (Object, _ z: Int, _ y: Int, _ x: Range<Int>) -> Void) {
        let last = cells
        func range(_ axis: KeyPath<ZYX<Int>, Int>) -> Range<Int> {
            let first = box.origin[keyPath: axis] / Self.cell
            let end = (box.end[keyPath: axis] + Self.cell - 1) / Self.cell
            return first..<max(first, min(last[keyPath: axis], end))
        }
        for z in range(\.z) {
            for y in range(\.y) {
                for x in range(\.x) {
                    let object = object(z, y, x)
                    let cell = Box(
                        origin: ZYX(z, y, x).map { $0 * Self.cell }, shape: ZYX(repeating: Self.cell)
                    ).intersection(box)
                    for z in cell.origin.z..<cell.end.z {
                        for y in cell.origin.y..<cell.end.y { body(object, z, y, cell.origin.x..<cell.end.x) }
                    }
                }
            }
        }
    }

    /// The logits of each member in a box, in `LogitScale`; the lowest bit is noise.
    func logits(in box: Box) -> [Volume<Int16>] {
        var result = (0..<Self.members).map { _ in Volume<Int16>(shape: box.shape, repeating: -8192) }
        forEachRow(in: box) { object, z, y, columns in
            let row = ((z - box.origin.z) * box.shape.y + y - box.origin.y) * box.shape.x - box.origin.x
            for x in columns {
                let distance = object.distance(z, y, x)
                guard distance < 1.25 else { continue }
                for member in 0..<Self.members {
                    if case .phantom(let members) = object.kind, member >= members { break }
                    let away = object.scales[member] - distance
                    let size = Int16(min(8000, abs(away) * 8000)) & ~127
                    result[member].voxels[row + x] = away >= 0 ? size : -size - 16
                }
            }
        }
        for member in 0..<Self.members {
            var random = Random(
                seed &+ UInt64(member) &* 0x9e37 ^ UInt64(box.origin.z) << 40 ^ UInt64(box.origin.y) << 20
                    ^ UInt64(box.origin.x))
            result[member].voxels.withUnsafeMutableBufferPointer { voxels in
                var bits: UInt64 = 0
                for voxel in voxels.indices {
                    if voxel % 64 == 0 { bits = random.next() }
                    voxels[voxel] += Int16(bits & 1)
                    bits >>= 1
                }
            }
        }
        return result
    }

    /// The objects that all members see and that are no specks, by their ids; 0 elsewhere.
    func truth(in box: Box) -> Volume<UInt32> {
        var result = Volume<UInt32>(shape: box.shape)
        forEachRow(in: box) { object, z, y, columns in
            if case .speck = object.kind { return }
            let agreed = object.agreed
            guard agreed > 0 else { return }
            let row = ((z - box.origin.z) * box.shape.y + y - box.origin.y) * box.shape.x - box.origin.x
            for x in columns where object.distance(z, y, x) <= agreed { result.voxels[row + x] = object.id }
        }
        return result
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
private struct Random {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
        // Neighbouring seeds are of the same stream.
        state = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    /// From 0 to 1.
    mutating func unit() -> Float { Float(next() >> 40) / Float(1 << 24) }
}
