import CLabeling
import Volumes

/// Which voxels belong together: what the labelling of a mask and of labels differ in.
protocol RunSource {
    /// Sets the bits of `inside` and `starts` in a row that is all 0.
    func findRuns(of row: RunRow, width: Int)

    /// Finds where the voxels of `row` are like those of a neighbouring row, which may be empty.
    ///
    /// - Parameter slanted: whether all contacts are wanted; else those at x + 1 may be missing, and of those at x - 1 only
    ///   the ones of voxels in one run with the voxel before have to be right.
    func findContacts(of row: RunRow, with neighbour: RunRow, slanted: Bool, _ contacts: ContactRow)
}

/// For the 64 voxels x of a word: whether the voxel is like the neighbouring row's at x, x + 1 and x - 1.
struct Contacts {
    var straight: UInt64
    var right: UInt64
    var left: UInt64

    static let none = Contacts(straight: 0, right: 0, left: 0)
    var any: UInt64 { straight | right | left }
}

/// The contacts of the words of a row.
struct ContactRow {
    let words: Int
    let straight: UnsafeMutablePointer<UInt64>
    let right: UnsafeMutablePointer<UInt64>
    let left: UnsafeMutablePointer<UInt64>

    /// - Parameter memory: three times `words`.
    init(words: Int, memory: UnsafeMutablePointer<UInt64>) {
        self.words = words
        (straight, right, left) = (memory, memory + words, memory + 2 * words)
    }

    subscript(word: Int) -> Contacts {
        @inline(__always) get { Contacts(straight: straight[word], right: right[word], left: left[word]) }
        @inline(__always)
        nonmutating set {
            straight[word] = newValue.straight
            right[word] = newValue.right
            left[word] = newValue.left
        }
    }
}

/// The voxels of a mask that are not 0 are all alike.
struct MaskRuns: RunSource {
    let mask: UnsafePointer<UInt8>

    func findRuns(of row: RunRow, width: Int) {
        guard let number = row.number else { return }
        cl_nonzero_u8(mask + number * width, width, row.inside)
        var last: UInt64 = 0
        for word in 0..<(width + 63) / 64 {
            let bits = row.inside[word]
            row.starts[word] = bits & ~(bits &<< 1 | last)
            last = bits &>> 63
        }
    }

    func findContacts(of row: RunRow, with neighbour: RunRow, slanted: Bool, _ contacts: ContactRow) {
        var word = 0
        while word < contacts.words {
            let voxels = row.inside[word]
            let other = neighbour.inside[word]
            contacts[word] = Contacts(
                straight: voxels & other,
                right: voxels & (other &>> 1 | neighbour.inside[word &+ 1] &<< 63),
                left: voxels & (other &<< 1 | neighbour.inside[word &- 1] &>> 63))
            word &+= 1
        }
    }
}

/// Voxels of equal labels are alike, those of label 0 belong to no run.
struct LabelRuns<Label: ComparedLabel>: RunSource {
    let labels: UnsafePointer<Label>
    let width: Int

    func findRuns(of row: RunRow, width: Int) {
        guard let number = row.number else { return }
        let voxels = labels + number * width
        Label.findNonzero(voxels, width, row.inside)
        Label.findEqual(voxels, voxels + 1, width - 1, row.starts)
        // What is like the voxel before it starts no run.
        var before: UInt64 = 0
        for word in 0..<(width + 63) / 64 {
            let equal = row.starts[word]
            row.starts[word] = row.inside[word] & ~(equal &<< 1 | before)
            before = equal &>> 63
        }
    }

    func findContacts(of row: RunRow, with neighbour: RunRow, slanted: Bool, _ contacts: ContactRow) {
        guard let number = row.number, let neighbourNumber = neighbour.number else {
            for word in 0..<contacts.words { contacts[word] = .none }
            return
        }
        let (voxels, others) = (labels + number &* width, labels + neighbourNumber &* width)
        Label.findEqual(voxels, others, width, contacts.straight)
        if slanted {
            Label.findEqual(voxels, others + 1, width - 1, contacts.right)
            Label.findEqual(voxels + 1, others, width - 1, contacts.left)
            if width % 64 == 1 { (contacts.right[contacts.words - 1], contacts.left[contacts.words - 1]) = (0, 0) }
        }
        var before: UInt64 = 0
        for word in 0..<contacts.words {
            let inside = row.inside[word]
            let found = contacts[word]
            let left = slanted ? found.left : found.straight
            contacts[word] = Contacts(
                straight: inside & found.straight, right: slanted ? inside & found.right : 0,
                left: inside & (left &<< 1 | before))
            before = left &>> 63
        }
    }
}

/// Labels that are compared many at a time.
protocol ComparedLabel: VoxelElement & FixedWidthInteger {
    /// Sets a bit for each voxel that is not 0, in whole words.
    static func findNonzero(_ row: UnsafePointer<Self>, _ width: Int, _ bits: UnsafeMutablePointer<UInt64>)

    /// Sets a bit for each x at which two rows are equal, in whole words.
    static func findEqual(
        _ row: UnsafePointer<Self>, _ other: UnsafePointer<Self>, _ width: Int,
        _ bits: UnsafeMutablePointer<UInt64>)
}

extension UInt32: ComparedLabel {
    static func findNonzero(_ row: UnsafePointer<Self>, _ width: Int, _ bits: UnsafeMutablePointer<UInt64>) {
        cl_nonzero_u32(row, width, bits)
    }

    static func findEqual(
        _ row: UnsafePointer<Self>, _ other: UnsafePointer<Self>, _ width: Int,
        _ bits: UnsafeMutablePointer<UInt64>
    ) {
        cl_equal_u32(row, other, width, bits)
    }
}

extension UInt64: ComparedLabel {
    static func findNonzero(_ row: UnsafePointer<Self>, _ width: Int, _ bits: UnsafeMutablePointer<UInt64>) {
        cl_nonzero_u64(row, width, bits)
    }

    static func findEqual(
        _ row: UnsafePointer<Self>, _ other: UnsafePointer<Self>, _ width: Int,
        _ bits: UnsafeMutablePointer<UInt64>
    ) {
        cl_equal_u64(row, other, width, bits)
    }
}
