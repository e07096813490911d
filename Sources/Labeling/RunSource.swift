import Volumes

/// Which voxels belong together: what the labelling of a mask and of labels differ in.
protocol RunSource {
    /// Sets the bits of `inside` and `starts` in a row that is all 0.
    func findRuns(of row: RunRow, width: Int)

    /// Where the voxels of `row` in a word are like those of a neighbouring row, which may be empty.
    ///
    /// - Parameter slanted: whether all contacts are wanted; else those at x + 1 may be missing, and of those at x - 1 only
    ///   the ones of voxels in one run with the voxel before have to be right.
    func contacts(of row: RunRow, with neighbour: RunRow, word: Int, slanted: Bool) -> Contacts
}

/// For the 64 voxels x of a word: whether the voxel is like the neighbouring row's at x, x + 1 and x - 1.
struct Contacts {
    var straight: UInt64
    var right: UInt64
    var left: UInt64

    static let none = Contacts(straight: 0, right: 0, left: 0)
    var any: UInt64 { straight | right | left }
}

/// The voxels of a mask that are not 0 are all alike.
struct MaskRuns: RunSource {
    let mask: UnsafePointer<UInt8>

    func findRuns(of row: RunRow, width: Int) {
        guard let number = row.number else { return }
        let voxels = UnsafeRawPointer(mask + number * width)
        var last: UInt64 = 0
        var word = 0
        while word * 64 < width {
            let bits = packedBits(voxels + word &* 64, count: min(64, width &- word &* 64))
            row.inside[word] = bits
            row.starts[word] = bits & ~(bits &<< 1 | last)
            last = bits &>> 63
            word &+= 1
        }
    }

    @inline(__always)
    func contacts(of row: RunRow, with neighbour: RunRow, word: Int, slanted: Bool) -> Contacts {
        let voxels = row.inside[word]
        let other = neighbour.inside[word]
        return Contacts(
            straight: voxels & other,
            right: voxels & (other &>> 1 | neighbour.inside[word &+ 1] &<< 63),
            left: voxels & (other &<< 1 | neighbour.inside[word &- 1] &>> 63))
    }
}

/// Voxels of equal labels are alike, those of label 0 belong to no run.
struct LabelRuns<Label: VoxelElement & FixedWidthInteger>: RunSource {
    let labels: UnsafePointer<Label>
    let width: Int

    func findRuns(of row: RunRow, width: Int) {
        guard let number = row.number else { return }
        let voxels = labels + number * width
        var word = 0
        while word &* 64 < width {
            let inside = ~zeros(in: voxels, at: word &* 64, width: width)
            row.inside[word] = inside & lowBits(min(64, width &- word &* 64))
            row.starts[word] = row.inside[word] & ~equals(voxels, voxels, at: word &* 64, shift: -1, width: width)
            word &+= 1
        }
    }

    @inline(__always)
    func contacts(of row: RunRow, with neighbour: RunRow, word: Int, slanted: Bool) -> Contacts {
        guard let number = row.number, let neighbourNumber = neighbour.number else { return .none }
        let inside = row.inside[word]
        let (voxels, others) = (labels + number &* width, labels + neighbourNumber &* width)
        let x = word &* 64
        let straight = inside & equals(voxels, others, at: x, shift: 0, width: width)
        guard slanted else {
            let before: UInt64 = x > 0 && voxels[x &- 1] == others[x &- 1] ? 1 : 0
            return Contacts(straight: straight, right: 0, left: straight &<< 1 | before)
        }
        return Contacts(
            straight: straight, right: inside & equals(voxels, others, at: x, shift: 1, width: width),
            left: inside & equals(voxels, others, at: x, shift: -1, width: width))
    }
}

/// A bit for each byte that is not 0.
func packedBits(_ bytes: UnsafeRawPointer, count: Int) -> UInt64 {
    var bits: UInt64 = 0
    var first = 0
    while first &+ 8 <= count {
        let eight = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: first, as: UInt64.self))
        // The top bit of each byte that is not 0, then those eight bits gathered by one product.
        let top = ((eight & 0x7f7f_7f7f_7f7f_7f7f) &+ 0x7f7f_7f7f_7f7f_7f7f | eight) & 0x8080_8080_8080_8080
        bits |= (((top &>> 7) &* 0x0102_0408_1020_4080) &>> 56) &<< UInt64(first)
        first &+= 8
    }
    while first < count {
        if bytes.load(fromByteOffset: first, as: UInt8.self) != 0 { bits |= 1 &<< UInt64(first) }
        first &+= 1
    }
    return bits
}
