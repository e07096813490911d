import CLabeling
import Volumes

/// Edges between face neighbours: each voxel's to the voxel before it along z, y and x, nonzero where they belong
/// together. Edges that lead out of the volume do not count.
public typealias EdgeMasks = ZYX<Volume<UInt8>>

/// Labels the connected regions of the graph whose edges are given, as those of an affinity network.
///
/// A voxel without an edge belongs to nothing and is 0. Else as for a mask, with 6 neighbours.
///
/// - Throws: `LabelingFault` where shapes differ or 32 bits cannot number the regions.
public func connectedComponents(
    ofEdges edges: EdgeMasks, minimumVoxels: Int = 1, threads: Int = 1
) throws -> Components {
    let shape = edges.x.shape
    for (axis, other) in [("z", edges.z), ("y", edges.y)] where other.shape != shape {
        throw LabelingFault.shapesDiffer("edges along x", shape, "edges along \(axis)", other.shape)
    }
    guard shape.count > 0 else { return emptyComponents(shape) }
    let packed = PackedEdges(edges, threads: threads)
    return try connectedComponents(
        in: EdgeRuns(edges: packed), shape: shape, connectivity: .faces, minimumVoxels: minimumVoxels,
        threads: threads)
}

/// Voxels joined by edges are alike.
struct EdgeRuns: RunSource {
    let edges: PackedEdges

    func findRuns(of row: RunRow, width: Int) {
        guard let number = row.number else { return }
        let (own, nextY, nextZ) = (edges.row(number), edges.nextY(number), edges.nextZ(number))
        var word = 0
        while word < edges.words {
            let x = own.x[word]
            let inside =
                own.z[word] | own.y[word] | x | nextZ[word] | nextY[word] | x &>> 1 | own.x[word &+ 1] &<< 63
            row.inside[word] = inside
            row.starts[word] = inside & ~x
            word &+= 1
        }
    }

    /// Straight contacts alone, for edges join face neighbours. A contact counts as one from the left, too, where
    /// the voxel before touches the same run of the neighbouring row.
    ///
    /// Of a row diagonally before, (z-1, y-1), contacts tell where the voxels are joined by way of (z, y-1) and
    /// (z-1, y): that is what a contact is dropped for (`joinRow`).
    func findContacts(of row: RunRow, with neighbour: RunRow, slanted: Bool, _ contacts: ContactRow) {
        guard let number = row.number, let other = neighbour.number else {
            for word in 0..<contacts.words { contacts[word] = .none }
            return
        }
        guard number - other == edges.height || number - other == 1 else {
            let (z, y) = (edges.row(number - 1).z, edges.row(number - edges.height).y)
            for word in 0..<contacts.words {
                contacts[word] = Contacts(straight: z[word] & y[word], right: 0, left: 0)
            }
            return
        }
        let beside = number - other == edges.height ? edges.row(number).z : edges.row(number).y
        let joined = edges.row(other).x
        for word in 0..<contacts.words {
            let straight = beside[word]
            let before = straight &<< 1 | beside[word &- 1] &>> 63
            contacts[word] = Contacts(straight: straight, right: 0, left: before & joined[word])
        }
    }
}

/// Edges as one bit each, rows padded like those of a `RunSlab`; 0 where they would lead out of the volume.
final class PackedEdges {
    let height: Int
    let words: Int
    private let rows: Int
    private let depth: Int
    private let memory: UnsafeMutablePointer<UInt64>

    struct Row {
        let z, y, x: UnsafePointer<UInt64>
    }

    init(_ edges: EdgeMasks, threads: Int) {
        let shape = edges.x.shape
        (depth, height, words) = (shape.z, shape.y, (shape.x + 63) / 64)
        rows = shape.z * shape.y
        let count = 3 * ((rows + 1) * (words + 1) + 1)
        memory = .allocate(capacity: count)
        preferHugePages(memory, bytes: count * 8)
        memory.initialize(repeating: 0, count: count)
        for (axis, mask) in [edges.z, edges.y, edges.x].enumerated() {
            mask.voxels.withUnsafeBufferPointer { voxels in
                let pieces = evenRanges(of: 0..<rows, parts: threads)
                inParallel(pieces.count) { part in
                    for row in pieces[part] where axis == 2 || (axis == 1 ? row % height > 0 : row >= height) {
                        pack(voxels, row: row, width: shape.x, axis: axis)
                    }
                }
            }
        }
    }

    deinit { memory.deallocate() }

    func row(_ number: Int) -> Row {
        Row(z: start(number, axis: 0), y: start(number, axis: 1), x: start(number, axis: 2))
    }

    /// The edges along y of the next row, which lead to this one; empty at the volume's border.
    func nextY(_ number: Int) -> UnsafePointer<UInt64> {
        start((number + 1) % height == 0 ? rows : number + 1, axis: 1)
    }

    /// The edges along z of the same row of the next section.
    func nextZ(_ number: Int) -> UnsafePointer<UInt64> {
        start(number + height < rows ? number + height : rows, axis: 0)
    }

    private func start(_ row: Int, axis: Int) -> UnsafePointer<UInt64> {
        UnsafePointer(memory + axis * ((rows + 1) * (words + 1) + 1) + 1 + row * (words + 1))
    }

    private func pack(_ voxels: UnsafeBufferPointer<UInt8>, row: Int, width: Int, axis: Int) {
        guard let base = voxels.baseAddress else { return }
        let target = UnsafeMutablePointer(mutating: start(row, axis: axis))
        cl_nonzero_u8(base + row * width, width, target)
        if axis == 2 { target[0] &= ~1 }
    }
}
