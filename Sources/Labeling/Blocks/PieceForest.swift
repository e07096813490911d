/// The pieces of all blocks, and which are joined: a forest of disjoint sets (union-find).
struct PieceForest {
    /// A piece of the same object that is no later; its own number for the one that stands for all.
    private var parents: [UInt32] = []
    private var sizes: [Int] = []
    /// The place of the first voxel.
    private var first: [Int] = []
    /// The label in the source; none where there are none.
    private var values: [UInt32] = []

    var count: Int { parents.count }

    mutating func add(_ pieces: BlockPieces) throws {
        guard count + pieces.sizes.count < Int(UInt32.max) else {
            throw LabelingFault.tooManyObjects(count + pieces.sizes.count)
        }
        parents.append(contentsOf: (count..<count + pieces.sizes.count).map { UInt32($0) })
        sizes += pieces.sizes
        first += pieces.first
        values += pieces.values ?? []
    }

    /// Adds a piece of one voxel.
    mutating func add(first place: Int) throws -> Int {
        guard count < Int(UInt32.max) else { throw LabelingFault.tooManyObjects(count) }
        parents.append(UInt32(count))
        sizes.append(1)
        first.append(place)
        return count - 1
    }

    /// Joins two pieces, unless their labels differ; whether they are of one object now.
    @discardableResult
    mutating func join(_ one: Int, _ other: Int) -> Bool {
        if !values.isEmpty, values[one] != values[other] { return false }
        let roots = (root(one), root(other))
        parents[max(roots.0, roots.1)] = UInt32(min(roots.0, roots.1))
        return true
    }

    private mutating func root(_ piece: Int) -> Int {
        var piece = piece
        while Int(parents[piece]) != piece {
            parents[piece] = parents[Int(parents[piece])]
            piece = Int(parents[piece])
        }
        return piece
    }

    /// The label of each piece, and the size and the source's label of each object, objects ordered by first voxel;
    /// nothing can be joined after it.
    mutating func number(minimumVoxels: Int) -> (labels: [UInt32], sizes: [Int], values: [UInt32]?) {
        // A piece comes after the one that stands for it, so one pass finds the whole object.
        for piece in parents.indices {
            let root = Int(parents[Int(parents[piece])])
            parents[piece] = UInt32(root)
            if root != piece {
                sizes[root] += sizes[piece]
                first[root] = min(first[root], first[piece])
            }
        }
        var objects = parents.indices.filter { Int(parents[$0]) == $0 && sizes[$0] >= minimumVoxels }
        objects.sort { first[$0] < first[$1] }
        var labels = [UInt32](repeating: 0, count: parents.count)
        for (number, root) in objects.enumerated() { labels[root] = UInt32(number + 1) }
        for piece in parents.indices { labels[piece] = labels[Int(parents[piece])] }
        return (
            labels, objects.map { sizes[$0] }, values.isEmpty ? nil : objects.map { values[$0] }
        )
    }
}
