import Volumes

/// Counts objects, their connected pieces and where they touch, a section of z at a time; of the sections before,
/// the last is kept, and of the pieces those that reach into it.
struct ObjectCount {
    /// What is known of a section once the one after it has been seen.
    struct Section {
        var labels: [UInt64]
        /// Whether the voxel shares a face with one of another object.
        var touches: [Bool]
    }

    /// Voxels of each id.
    private(set) var voxels: [UInt64: Int] = [:]
    /// Voxels of each piece that is whole, of `DataFacts.smallestPiece` or more.
    private(set) var pieces: [Int] = []
    private(set) var touching = 0

    private let width: Int
    /// The section before, and the run that each of its voxels is in; none before the first.
    private var last: Section?
    private var lastRuns: [Int32] = []
    /// A forest of runs: of voxels of one id that are neighbours along x.
    private var parents: [Int32] = []
    private var sizes: [Int] = []

    /// - Parameter width: voxels of a row.
    init(width: Int) { self.width = width }

    /// Adds the next section, row by row.
    ///
    /// - Returns: the section before it.
    mutating func add(_ labels: [UInt64]) -> Section? {
        var current = Section(labels: labels, touches: [Bool](repeating: false, count: labels.count))
        var runs = [Int32](repeating: -1, count: labels.count)
        for index in labels.indices where labels[index] != 0 {
            let id = labels[index]
            if index % width > 0 {
                if labels[index - 1] == id {
                    runs[index] = runs[index - 1]
                } else if labels[index - 1] != 0 {
                    current.touches[index] = true
                    current.touches[index - 1] = true
                }
            }
            if runs[index] < 0 {
                runs[index] = Int32(parents.count)
                parents.append(runs[index])
                sizes.append(0)
            }
            sizes[Int(runs[index])] += 1
            if index >= width {
                let above = labels[index - width]
                if above == id {
                    join(runs[index], runs[index - width])
                } else if above != 0 {
                    current.touches[index] = true
                    current.touches[index - width] = true
                }
            }
            guard let before = last?.labels[index], before != 0 else { continue }
            if before == id {
                join(runs[index], lastRuns[index])
            } else {
                current.touches[index] = true
                last?.touches[index] = true
            }
        }
        let before = close()
        countVoxels(labels)
        (last, lastRuns) = (current, runs)
        keepOpenPieces()
        return before
    }

    /// - Returns: the last section.
    mutating func finish() -> Section? {
        let before = close()
        (last, lastRuns) = (nil, [])
        keepOpenPieces()
        return before
    }

    private mutating func close() -> Section? {
        if let last { touching += last.touches.count { $0 } }
        return last
    }

    /// By runs, of which labels consist.
    private mutating func countVoxels(_ labels: [UInt64]) {
        var start = 0
        while start < labels.count {
            var end = start + 1
            while end < labels.count && labels[end] == labels[start] { end += 1 }
            if labels[start] != 0 { voxels[labels[start], default: 0] += end - start }
            start = end
        }
    }

    // MARK: Pieces

    private mutating func root(_ run: Int32) -> Int32 {
        var run = run
        while parents[Int(run)] != run {
            parents[Int(run)] = parents[Int(parents[Int(run)])]
            run = parents[Int(run)]
        }
        return run
    }

    private mutating func join(_ first: Int32, _ second: Int32) {
        if parents[Int(first)] == parents[Int(second)] { return }
        let (a, b) = (root(first), root(second))
        if a != b { parents[Int(max(a, b))] = min(a, b) }
    }

    /// Numbers the pieces that reach into the last section anew, from 0; the others are whole.
    private mutating func keepOpenPieces() {
        var totals = [Int](repeating: 0, count: parents.count)
        for run in parents.indices { totals[Int(root(Int32(run)))] += sizes[run] }
        var numbers = [Int32](repeating: -1, count: parents.count)
        var open: [Int] = []
        for index in lastRuns.indices where lastRuns[index] >= 0 {
            let piece = Int(root(lastRuns[index]))
            if numbers[piece] < 0 {
                numbers[piece] = Int32(open.count)
                open.append(totals[piece])
            }
            lastRuns[index] = numbers[piece]
        }
        pieces += totals.indices.filter { numbers[$0] < 0 && totals[$0] >= DataFacts.smallestPiece }
            .map { totals[$0] }
        parents = open.indices.map(Int32.init)
        sizes = open
    }
}
