import Volumes

/// A row of voxels along x as runs: maximal stretches of voxels that are alike.
///
/// Every word holds 64 voxels, the lowest bit first. The words at -1 and at the row's end are readable and 0.
struct RunRow {
    /// Voxels that belong to a run.
    let inside: UnsafeMutablePointer<UInt64>
    /// Voxels at which a run starts.
    let starts: UnsafeMutablePointer<UInt64>
    /// The number of the slab's runs that start before each word.
    let before: UnsafeMutablePointer<UInt32>
    /// The row's number in the whole volume, z · height + y; nil for the empty row beyond a border.
    let number: Int?
}

/// The runs of consecutive sections and the components they form within them.
///
/// Runs are not stored: run k is the k-th bit of `starts`, so what finds a voxel's run is a population count.
/// Memory is two bits and a half a voxel, and four bytes a run.
final class RunSlab {
    let sections: Range<Int>
    let height: Int
    let width: Int
    /// Words a row.
    let words: Int
    private let inside: UnsafeMutablePointer<UInt64>
    private let starts: UnsafeMutablePointer<UInt64>
    private let before: UnsafeMutablePointer<UInt32>
    private(set) var runCount = 0
    /// A run of the same component that is no later; once numbered, the run's component. Entry -1 is readable.
    var runs: UnsafeMutablePointer<UInt32> { runMemory + 1 }
    private var runMemory: UnsafeMutablePointer<UInt32>
    /// Voxels of each component of this slab, components ordered by their first voxel.
    private(set) var sizes: [Int] = []

    init(sections: Range<Int>, height: Int, width: Int) {
        self.sections = sections
        self.height = height
        self.width = width
        words = (width + 63) / 64
        // One empty row at the end; a word of padding before the first row and after each.
        let count = (sections.count * height + 1) * (words + 1) + 1
        inside = .allocate(capacity: count)
        starts = .allocate(capacity: count)
        before = .allocate(capacity: count)
        preferHugePages(inside, bytes: count * 8)
        preferHugePages(starts, bytes: count * 8)
        preferHugePages(before, bytes: count * 4)
        inside.initialize(repeating: 0, count: count)
        starts.initialize(repeating: 0, count: count)
        before.initialize(repeating: 0, count: count)
        runMemory = .allocate(capacity: 1)
    }

    deinit {
        inside.deallocate()
        starts.deallocate()
        before.deallocate()
        runMemory.deallocate()
    }

    /// The row (z, y), z counted in the whole volume; empty where z or y is outside of this slab.
    func row(_ z: Int, _ y: Int) -> RunRow {
        let exists = sections.contains(z) && y >= 0 && y < height
        let local = exists ? (z - sections.lowerBound) * height + y : sections.count * height
        let offset = 1 + local * (words + 1)
        return RunRow(
            inside: inside + offset, starts: starts + offset, before: before + offset,
            number: exists ? z * height + y : nil)
    }

    /// Finds the runs of all rows; each is a component of its own.
    func findRuns<Source: RunSource>(in source: Source) {
        let words = words
        var count = 0
        for z in sections {
            for y in 0..<height {
                let row = row(z, y)
                source.findRuns(of: row, width: width)
                var word = 0
                while word < words {
                    row.before[word] = UInt32(truncatingIfNeeded: count)
                    count &+= row.starts[word].nonzeroBitCount
                    word &+= 1
                }
            }
        }
        runCount = count
        runMemory.deallocate()
        runMemory = .allocate(capacity: count + 1)
        preferHugePages(runMemory, bytes: (count + 1) * 4)
        runMemory.initialize(to: 0)
        let runs = runs
        var run = 0
        while run < count {
            runs[run] = UInt32(truncatingIfNeeded: run)
            run &+= 1
        }
    }

    /// Joins the runs that touch within this slab.
    func joinRuns<Source: RunSource>(in source: Source, connectivity: Connectivity) {
        let runs = runs
        let unite = { (first: UInt32, second: UInt32) in joinSets(runs, first, second) }
        for z in sections {
            for y in 0..<height {
                joinRow(
                    row(z, y), EarlierRows(y: row(z, y - 1), section: self, z: z - 1, around: y),
                    source: source, connectivity: connectivity, words: words,
                    withinSection: unite, acrossSections: unite)
            }
        }
    }

    /// Calls `join` with the components, one of this slab and one of `earlier`, that touch across their border.
    func joinComponents<Source: RunSource>(
        with earlier: RunSlab, in source: Source, connectivity: Connectivity, join: (UInt32, UInt32) -> Void
    ) {
        let runs = runs
        let earlierRuns = earlier.runs
        let z = sections.lowerBound
        for y in 0..<height {
            joinRow(
                row(z, y), EarlierRows(y: row(z, y - 1), section: earlier, z: z - 1, around: y),
                source: source, connectivity: connectivity, words: words,
                withinSection: { _, _ in },
                acrossSections: { join(runs[Int($0)], earlierRuns[Int($1)]) })
        }
    }

    /// Numbers the components from 0 in the order of their first voxel and counts their voxels.
    func numberComponents() {
        let runs = runs
        var count = 0
        var run = 0
        while run < runCount {
            let earlier = Int(runs[run])
            if earlier == run {
                runs[run] = UInt32(truncatingIfNeeded: count)
                count &+= 1
            } else {
                runs[run] = runs[earlier]
            }
            run &+= 1
        }
        var sizes = [Int](repeating: 0, count: count)
        sizes.withUnsafeMutableBufferPointer { sizes in
            forEachRow { row, _ in
                forEachStretch(of: row) { component, _, length in sizes[component] &+= length }
            }
        }
        self.sizes = sizes
    }

    /// Writes `labels[component]`, and 0 outside of runs, into the rows of this slab.
    ///
    /// - Parameter target: the first voxel of the whole volume.
    func write(_ labels: UnsafePointer<UInt32>, to target: UnsafeMutablePointer<UInt32>) {
        forEachRow { row, number in
            writeRow(row, labels, to: target + number * width)
        }
    }

    private func forEachRow(_ body: (RunRow, Int) -> Void) {
        for z in sections {
            for y in 0..<height { body(row(z, y), z * height + y) }
        }
    }

    /// Calls `body` with the component, start and length of each stretch of a run within a word.
    @inline(__always)
    private func forEachStretch(of row: RunRow, _ body: (Int, Int, Int) -> Void) {
        let runs = runs
        var word = 0
        while word < words {
            var rest = row.inside[word]
            let starts = row.starts[word]
            let continued = rest & ~starts
            var run = Int(row.before[word]) &- Int(continued & 1)
            while rest != 0 {
                let first = rest.trailingZeroBitCount
                let length = 1 &+ (~((continued &>> UInt64(first)) &>> 1)).trailingZeroBitCount
                body(Int(runs[run]), word &* 64 &+ first, length)
                run &+= 1
                rest &= ~(lowBits(length) &<< UInt64(first))
            }
            word &+= 1
        }
    }

    private func writeRow(_ row: RunRow, _ labels: UnsafePointer<UInt32>, to target: UnsafeMutablePointer<UInt32>) {
        let runs = runs
        var word = 0
        while word < words {
            let inside = row.inside[word]
            let starts = row.starts[word]
            let voxels = target + word &* 64
            let count = min(64, width &- word &* 64)
            if inside == 0 {
                voxels.update(repeating: 0, count: count)
            } else if inside == lowBits(count), starts & ~1 == 0 {
                let run = Int(row.before[word]) &- 1 &+ Int(starts & 1)
                voxels.update(repeating: labels[Int(runs[run])], count: count)
            } else {
                // Without branches, for where runs are short they cannot be predicted.
                var run = Int(row.before[word]) &- 1
                var x = 0
                while x < count {
                    run &+= Int((starts &>> UInt64(x)) & 1)
                    let keep = 0 &- UInt32(truncatingIfNeeded: (inside &>> UInt64(x)) & 1)
                    voxels[x] = labels[Int(runs[run])] & keep
                    x &+= 1
                }
            }
            word &+= 1
        }
    }
}

/// A word whose lowest `count` bits are set; `count` is 1 to 64.
@inline(__always)
func lowBits(_ count: Int) -> UInt64 { ~0 &>> UInt64(64 &- count) }
