import CLabeling
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
    /// A run of the same component that is no later; once numbered, the run's component, and then its label. Entry -1 is
    /// readable, and so are some after the last.
    var runs: UnsafeMutablePointer<UInt32> { runMemory + 1 }
    private let runMemory: UnsafeMutablePointer<UInt32>
    private static let readableRuns = 8
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
        // As many as there may be; memory is taken only as far as there are runs.
        let most = 1 + sections.count * height * width + Self.readableRuns
        runMemory = .allocate(capacity: most)
        preferHugePages(runMemory, bytes: most * 4)
        runMemory.initialize(to: 0)
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

    /// Finds the runs of all rows and joins those that touch within this slab.
    func joinRuns<Source: RunSource>(in source: Source, connectivity: Connectivity) {
        let runs = runs
        let unite = { (first: UInt32, second: UInt32) in joinSets(runs, first, second) }
        let contacts = EarlierContacts(words: words)
        for z in sections {
            // Section by section, so that its voxels are still at hand where they are compared with their neighbours'.
            for y in 0..<height { findRuns(of: row(z, y), in: source) }
            for y in 0..<height {
                joinRow(
                    row(z, y), EarlierRows(y: row(z, y - 1), section: self, z: z - 1, around: y),
                    source: source, connectivity: connectivity, contacts: contacts,
                    withinSection: unite, acrossSections: unite)
            }
        }
        (runs + runCount).initialize(repeating: 0, count: Self.readableRuns)
    }

    /// Each run is a component of its own.
    private func findRuns<Source: RunSource>(of row: RunRow, in source: Source) {
        source.findRuns(of: row, width: width)
        let first = runCount
        var count = first
        var word = 0
        while word < words {
            row.before[word] = UInt32(truncatingIfNeeded: count)
            count &+= row.starts[word].nonzeroBitCount
            word &+= 1
        }
        let runs = runs
        for run in first..<count { runs[run] = UInt32(truncatingIfNeeded: run) }
        runCount = count
    }

    /// Calls `join` with the components, one of this slab and one of `earlier`, that touch across their border.
    func joinComponents<Source: RunSource>(
        with earlier: RunSlab, in source: Source, connectivity: Connectivity, join: (UInt32, UInt32) -> Void
    ) {
        let runs = runs
        let earlierRuns = earlier.runs
        let contacts = EarlierContacts(words: words)
        let z = sections.lowerBound
        for y in 0..<height {
            joinRow(
                row(z, y), EarlierRows(y: row(z, y - 1), section: earlier, z: z - 1, around: y),
                source: source, connectivity: connectivity, contacts: contacts,
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
            guard let sizes = sizes.baseAddress else { return }
            forEachRow { row, _ in
                cl_count_row(row.inside, row.starts, runs + Int(row.before[0]) - 1, width, sizes)
            }
        }
        self.sizes = sizes
    }

    /// Writes `labels[component]`, and 0 outside of runs, into the rows of this slab, whose components end with it.
    ///
    /// - Parameter target: the first voxel of the whole volume.
    func write(_ labels: UnsafePointer<UInt32>, to target: UnsafeMutablePointer<UInt32>) {
        let runs = runs
        var run = 0
        while run < runCount {
            runs[run] = labels[Int(runs[run])]
            run &+= 1
        }
        forEachRow { row, number in
            cl_write_row(
                row.inside, row.starts, runs + Int(row.before[0]) - 1, width, target + number * width)
        }
    }

    private func forEachRow(_ body: (RunRow, Int) -> Void) {
        for z in sections {
            for y in 0..<height { body(row(z, y), z * height + y) }
        }
    }
}
