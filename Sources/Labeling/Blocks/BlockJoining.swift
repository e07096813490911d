import Volumes

/// Joins the pieces of blocks that touch across the blocks' sides.
///
/// Blocks are added in the order of z, y and x, and each is joined with those before it. Of two voxels that touch, the
/// later block looks at the earlier one's last plane: across z at all nine voxels around, so that blocks that touch
/// by an edge or a corner are joined too; across y at those of its own layer of blocks; across x at those of the block
/// before. What touches any other way is seen from the other voxel.
struct BlockJoining {
    private let grid: ZYX<Int>
    private let connectivity: Connectivity
    private let whole: ZYX<Int>
    private(set) var forest = PieceForest()
    /// The piece of each voxel that is nothing within its block, but has an edge into another.
    private(set) var loners: [Int: Int] = [:]

    /// The last planes of blocks that others are still to be joined with, by the blocks' numbers.
    private var sides: [Int: Sides] = [:]
    private var added = 0

    private struct Sides {
        /// Across z, y and x, in the forest; -1 where there is no piece.
        var pieces: ZYX<[Int]>
        let box: Box
    }

    init(whole: ZYX<Int>, block: ZYX<Int>, connectivity: Connectivity) {
        self.whole = whole
        self.connectivity = connectivity
        grid = block.cells(covering: whole)
    }

    /// Adds the next block's pieces.
    mutating func add(_ pieces: BlockPieces) throws {
        let start = forest.count
        try forest.add(pieces)
        func planes(_ plane: (Int) -> Int) -> ZYX<[Int]> {
            ZYX(0, 1, 2).map { axis in
                pieces.side(axis: axis, plane: plane(axis)).map { $0 == 0 ? -1 : start + Int($0) - 1 }
            }
        }
        let first = planes { _ in 0 }
        let place = ZYX(added / (grid.y * grid.x), added / grid.x % grid.y, added % grid.x)
        for axis in 0..<3 where place.array[axis] > 0 {
            let before = plane(before: place, axis: axis, box: pieces.box)
            if let links = pieces.links(axis: axis) {
                try follow(links, from: first.array[axis], to: before, axis: axis, box: pieces.box)
            } else {
                touch(first.array[axis], before, axis: axis)
            }
        }
        sides[added] = Sides(pieces: planes { pieces.box.shape.array[$0] - 1 }, box: pieces.box)
        sides[added - grid.x * (grid.y + 1) - 1] = nil
        added += 1
    }

    /// The label of each piece, and the size and the source's label of each object; nothing can be added after it.
    mutating func number(minimumVoxels: Int) -> (labels: [UInt32], sizes: [Int], values: [UInt32]?) {
        forest.number(minimumVoxels: minimumVoxels)
    }

    /// The pieces on the other side of a block's first plane, and one voxel further on each side.
    private struct Plane {
        let rows: Int
        let columns: Int
        var pieces: [Int]

        init(rows: Int, columns: Int) {
            (self.rows, self.columns) = (rows, columns)
            pieces = [Int](repeating: -1, count: (rows + 2) * (columns + 2))
        }

        /// Row and column count from -1.
        func index(_ row: Int, _ column: Int) -> Int { (row + 1) * (columns + 2) + column + 1 }
    }

    private func plane(before place: ZYX<Int>, axis: Int, box: Box) -> Plane {
        let (across, along) = axes(of: axis)
        var plane = Plane(rows: box.shape.array[across], columns: box.shape.array[along])
        for row in axis == 0 ? -1...1 : 0...0 {
            for column in axis == 2 ? 0...0 : -1...1 {
                var neighbour = place.array
                neighbour[axis] -= 1
                neighbour[across] += row
                neighbour[along] += column
                guard zip(neighbour, grid.array).allSatisfy({ 0 <= $0 && $0 < $1 }),
                    let sides = sides[(neighbour[0] * grid.y + neighbour[1]) * grid.x + neighbour[2]]
                else { continue }
                let width = sides.box.shape.array[along]
                let height = sides.box.shape.array[across]
                // All of the block straight before, of those beside it the nearest row or column.
                let rows = row < 0 ? height - 1..<height : row > 0 ? 0..<1 : 0..<height
                let columns = column < 0 ? width - 1..<width : column > 0 ? 0..<1 : 0..<width
                for r in rows {
                    let target = row < 0 ? -1 : row > 0 ? plane.rows : r
                    for c in columns {
                        let at = plane.index(target, column < 0 ? -1 : column > 0 ? plane.columns : c)
                        plane.pieces[at] = sides.pieces.array[axis][r * width + c]
                    }
                }
            }
        }
        return plane
    }

    /// The axes of the rows and of the columns of a plane across an axis.
    private func axes(of axis: Int) -> (rows: Int, columns: Int) {
        axis == 0 ? (1, 2) : axis == 1 ? (0, 2) : (0, 1)
    }

    /// Joins pieces that touch, of equal label where they have labels.
    private mutating func touch(_ pieces: [Int], _ before: Plane, axis: Int) {
        guard let others = contacts(axis: axis) else { return }
        for row in 0..<before.rows {
            for column in 0..<before.columns {
                let piece = pieces[row * before.columns + column]
                guard piece >= 0 else { continue }
                let straight = before.pieces[before.index(row, column)]
                // What touches this voxel otherwise touches the one straight before, too.
                if straight >= 0, forest.join(piece, straight) { continue }
                for (r, c) in others {
                    let other = before.pieces[before.index(row + r, column + c)]
                    if other >= 0 { forest.join(piece, other) }
                }
            }
        }
    }

    /// The voxels of the plane before that a voxel touches, but for the one straight before; nil where it touches none.
    private func contacts(axis: Int) -> [(row: Int, column: Int)]? {
        let beside = [(0, -1), (0, 1)]
        switch connectivity {
        case .sides: return axis == 0 ? nil : []
        case .sidesAndCorners: return axis == 0 ? nil : beside
        case .faces: return []
        case .edges: return [(-1, 0), (1, 0)] + beside
        case .corners: return [(-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)] + beside
        }
    }

    /// Joins the pieces of the voxels that edges lead across a side.
    private mutating func follow(_ links: [Bool], from pieces: [Int], to before: Plane, axis: Int, box: Box) throws
    {
        let back = axis == 0 ? ZYX(1, 0, 0) : axis == 1 ? ZYX(0, 1, 0) : ZYX(0, 0, 1)
        for row in 0..<before.rows {
            for column in 0..<before.columns where links[row * before.columns + column] {
                let offset = axis == 0 ? ZYX(0, row, column) : axis == 1 ? ZYX(row, 0, column) : ZYX(row, column, 0)
                let voxel = box.origin + offset
                let piece = pieces[row * before.columns + column]
                let other = before.pieces[before.index(row, column)]
                forest.join(
                    piece >= 0 ? piece : try loner(at: voxel), other >= 0 ? other : try loner(at: voxel - back))
            }
        }
    }

    private mutating func loner(at voxel: ZYX<Int>) throws -> Int {
        let place = whole.index(voxel)
        if let piece = loners[place] { return piece }
        let piece = try forest.add(first: place)
        loners[place] = piece
        return piece
    }
}
