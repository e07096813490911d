/// The neighbouring rows of a row (z, y) that come before it: (z, y-1) and (z-1, y-1 ... y+1).
struct EarlierRows {
    let y: RunRow
    let z: RunRow
    let zBeforeY: RunRow
    let zAfterY: RunRow

    /// - Parameter section: the slab that may hold section `z`, before the row's own.
    init(y: RunRow, section: RunSlab, z: Int, around row: Int) {
        self.y = y
        self.z = section.row(z, row)
        zBeforeY = section.row(z, row - 1)
        zAfterY = section.row(z, row + 1)
    }
}

/// Where a row touches each of its `EarlierRows`, word by word; memory that is used for row after row.
final class EarlierContacts {
    let words: Int
    let y, z, zBeforeY, zAfterY: ContactRow
    private let memory: UnsafeMutablePointer<UInt64>

    init(words: Int) {
        self.words = words
        memory = .allocate(capacity: 12 * words)
        memory.initialize(repeating: 0, count: 12 * words)
        y = ContactRow(words: words, memory: memory)
        z = ContactRow(words: words, memory: memory + 3 * words)
        zBeforeY = ContactRow(words: words, memory: memory + 6 * words)
        zAfterY = ContactRow(words: words, memory: memory + 9 * words)
    }

    deinit { memory.deallocate() }

    /// Finds those that `connectivity` asks for.
    func find<Source: RunSource>(
        of row: RunRow, with earlier: EarlierRows, in source: Source, _ connectivity: Connectivity
    ) {
        let slanted = connectivity != .sides && connectivity != .faces
        source.findContacts(of: row, with: earlier.y, slanted: slanted, y)
        if connectivity == .sides || connectivity == .sidesAndCorners { return }
        source.findContacts(of: row, with: earlier.z, slanted: slanted, z)
        source.findContacts(of: row, with: earlier.zBeforeY, slanted: connectivity == .corners, zBeforeY)
        if connectivity == .faces { return }
        source.findContacts(of: row, with: earlier.zAfterY, slanted: connectivity == .corners, zAfterY)
    }
}

/// Joins the runs of `row` with those of the rows before it.
///
/// A pair of runs may touch at many voxels and by way of many rows. Two rules keep the pairs that are joined
/// few, both by bit operations on 64 voxels at a time (the idea of the decision trees of Wu, Otoo and Suzuki 2009):
/// of the voxels at which two runs touch, the first counts alone; and a contact is dropped where the voxel also
/// touches one that in turn touches the contact's, for those are joined already: rows are joined in the order
/// z, y, x, and here in the order (z-1, y), (z, y-1), (z-1, y-1), (z-1, y+1).
@inline(__always)
func joinRow<Source: RunSource>(
    _ row: RunRow, _ earlier: EarlierRows, source: Source, connectivity: Connectivity, contacts: EarlierContacts,
    withinSection: (UInt32, UInt32) -> Void, acrossSections: (UInt32, UInt32) -> Void
) {
    contacts.find(of: row, with: earlier, in: source, connectivity)
    var word = 0
    while word < contacts.words {
        let inside = row.inside[word]
        if inside == 0 {
            word &+= 1
            continue
        }
        let joiner = WordJoiner(row: row, word: word, inside: inside)
        let (y, z) = (contacts.y[word], contacts.z[word])
        switch connectivity {
        case .sides:
            joiner.joinStraight(y, with: earlier.y, except: 0, withinSection)
        case .sidesAndCorners:
            joiner.joinStraight(y, with: earlier.y, except: 0, withinSection)
            joiner.joinSlanted(y, with: earlier.y, exceptRight: 0, exceptLeft: 0, withinSection)
        case .faces:
            let zy = contacts.zBeforeY[word].straight
            joiner.joinStraight(z, with: earlier.z, except: y.straight & zy, acrossSections)
            joiner.joinStraight(y, with: earlier.y, except: 0, withinSection)
        case .edges:
            joiner.joinStraight(z, with: earlier.z, except: 0, acrossSections)
            joiner.joinSlanted(z, with: earlier.z, exceptRight: 0, exceptLeft: 0, acrossSections)
            joiner.joinStraight(y, with: earlier.y, except: z.straight, withinSection)
            joiner.joinSlanted(y, with: earlier.y, exceptRight: z.right, exceptLeft: z.left, withinSection)
            let zBefore = contacts.zBeforeY[word]
            joiner.joinStraight(zBefore, with: earlier.zBeforeY, except: z.any | y.any, acrossSections)
            let zAfter = contacts.zAfterY[word]
            joiner.joinStraight(zAfter, with: earlier.zAfterY, except: z.any, acrossSections)
        case .corners:
            joiner.joinStraight(z, with: earlier.z, except: 0, acrossSections)
            joiner.joinSlanted(z, with: earlier.z, exceptRight: 0, exceptLeft: 0, acrossSections)
            let byZ = (right: z.straight | z.right, left: z.straight | z.left)
            joiner.joinStraight(y, with: earlier.y, except: z.any, withinSection)
            joiner.joinSlanted(y, with: earlier.y, exceptRight: byZ.right, exceptLeft: byZ.left, withinSection)
            let zBefore = contacts.zBeforeY[word]
            let byZY = (right: byZ.right | y.straight | y.right, left: byZ.left | y.straight | y.left)
            joiner.joinStraight(zBefore, with: earlier.zBeforeY, except: z.any | y.any, acrossSections)
            joiner.joinSlanted(
                zBefore, with: earlier.zBeforeY, exceptRight: byZY.right, exceptLeft: byZY.left, acrossSections)
            let zAfter = contacts.zAfterY[word]
            joiner.joinStraight(zAfter, with: earlier.zAfterY, except: z.any, acrossSections)
            joiner.joinSlanted(
                zAfter, with: earlier.zAfterY, exceptRight: byZ.right, exceptLeft: byZ.left, acrossSections)
        }
        word &+= 1
    }
}

/// One word of a row, with what finds the runs that touch there.
private struct WordJoiner {
    let row: RunRow
    let word: Int
    let starts: UInt64
    let before: UInt32
    /// Voxels x of the same run as x - 1, and as x + 1.
    let continued, continuing: UInt64

    @inline(__always)
    init(row: RunRow, word: Int, inside: UInt64) {
        self.row = row
        self.word = word
        starts = row.starts[word]
        before = row.before[word]
        continued = inside & ~starts
        let nextContinued = row.inside[word &+ 1] & ~row.starts[word &+ 1]
        continuing = continued &>> 1 | nextContinued &<< 63
    }

    /// Joins runs that touch at equal x, but for the voxels in `joined`.
    @inline(__always)
    func joinStraight(
        _ contacts: Contacts, with other: RunRow, except joined: UInt64, _ join: (UInt32, UInt32) -> Void
    ) {
        // Where x - 1 is of the same run and touches the same voxel's run, the pair is not new.
        let new = contacts.straight & ~(contacts.left & continued) & ~joined
        forEach(new, other, join) { otherStarts, below in (otherStarts & (below &<< 1 | 1)).nonzeroBitCount &- 1 }
    }

    /// Joins runs that touch at x and x ± 1 only.
    @inline(__always)
    func joinSlanted(
        _ contacts: Contacts, with other: RunRow, exceptRight: UInt64, exceptLeft: UInt64,
        _ join: (UInt32, UInt32) -> Void
    ) {
        let right = contacts.right & ~(contacts.straight | continuing | exceptRight)
        forEach(right, other, join) { otherStarts, below in (otherStarts & (below &<< 1 | 1)).nonzeroBitCount }
        let left = contacts.left & ~(contacts.straight | continued | exceptLeft)
        forEach(left, other, join) { otherStarts, below in (otherStarts & below).nonzeroBitCount &- 1 }
    }

    /// Calls `join` with the runs at each voxel in `voxels`: its own, and the one of `other` that `rank` finds
    /// relative to the runs before the word, given the word's starts and a mask of the voxels before x.
    @inline(__always)
    private func forEach(
        _ voxels: UInt64, _ other: RunRow, _ join: (UInt32, UInt32) -> Void, rank: (UInt64, UInt64) -> Int
    ) {
        if voxels == 0 { return }
        let otherStarts = other.starts[word]
        let otherBefore = other.before[word]
        var rest = voxels
        while rest != 0 {
            let below = (rest & (0 &- rest)) &- 1
            let own = before &+ UInt32(truncatingIfNeeded: (starts & (below &<< 1 | 1)).nonzeroBitCount) &- 1
            join(own, otherBefore &+ UInt32(truncatingIfNeeded: rank(otherStarts, below)))
            rest &= rest &- 1
        }
    }
}

/// Joins the sets of two elements in a forest whose parents never come after their children
/// (Rem's algorithm; Patwary, Blair and Manne 2010).
@inline(__always)
func joinSets(_ parents: UnsafeMutablePointer<UInt32>, _ first: UInt32, _ second: UInt32) {
    var a = first
    var b = second
    while true {
        let parentA = parents[Int(a)]
        let parentB = parents[Int(b)]
        if parentA == parentB { return }
        if parentA > parentB {
            parents[Int(a)] = parentB
            if parentA == a { return }
            a = parentA
        } else {
            parents[Int(b)] = parentA
            if parentB == b { return }
            b = parentB
        }
    }
}
