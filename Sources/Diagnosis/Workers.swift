import Foundation
import Synchronization
import Tensors

/// How far an experiment is.
public struct DiagnosisProgress: Sendable {
    /// From 0 to 1.
    public var fraction: Double
    /// For example `plain-56, seed 2: step 340/900  loss 0.41`.
    public var detail: String

    public init(fraction: Double, detail: String) {
        self.fraction = fraction
        self.detail = detail
    }
}

/// An experiment that stopped where it was asked to, after saving what it had.
public struct DiagnosisStopped: Error {
    public init() {}
}

/// Runs jobs side by side. Each has a thread of its own and computes on that one alone: small networks gain little
/// from more, and what a job computes does not depend on how many there are.
struct Workers: Sendable {
    let threads: Int

    /// A job in progress, as its thread sees it.
    struct Desk: Sendable {
        fileprivate let index: Int
        fileprivate let board: Board

        /// Whether the job should save and throw ``DiagnosisStopped``.
        var shouldStop: Bool { board.shouldStop.load(ordering: .relaxed) }

        func report(_ fraction: Double, _ detail: String) {
            board.state.withLock {
                $0.fractions[index] = fraction
                $0.detail = detail
            }
        }
    }

    /// - Parameters:
    ///   - costs: how long each job takes compared with the others; the longest start first.
    ///   - shouldStop, report: called on this thread, several times a second.
    /// - Returns: The results, in the order of the jobs.
    /// - Throws: What the first job to fail threw, after the others have stopped.
    func run<Job: Sendable, Result: Sendable>(
        _ jobs: [Job], costs: [Double], shouldStop: () -> Bool, report: (DiagnosisProgress) -> Void,
        _ body: @escaping @Sendable (Job, Desk) throws -> Result
    ) throws -> [Result] {
        let board = Board(jobs.count)
        let results = Results<Result>(jobs.count)
        let order = jobs.indices.sorted { costs[$0] != costs[$1] ? costs[$0] > costs[$1] : $0 < $1 }
        let ownThreads = Libtorch.threads
        for _ in 0..<min(threads, jobs.count) {
            board.state.withLock { $0.running += 1 }
            Thread.detachNewThread {
                defer { board.state.withLock { $0.running -= 1 } }
                do {
                    try Libtorch.setThreads(1)
                    while !board.shouldStop.load(ordering: .relaxed), let place = board.take() {
                        let index = order[place]
                        let result = try body(jobs[index], Desk(index: index, board: board))
                        results.values.withLock { $0[index] = result }
                        board.state.withLock { $0.fractions[index] = 1 }
                    }
                } catch {
                    board.fail(error)
                }
            }
        }
        let total = costs.reduce(0, +)
        while true {
            // Jobs first say what an earlier run has left of them.
            usleep(100_000)
            let (running, fractions, detail) = board.state.withLock { ($0.running, $0.fractions, $0.detail) }
            if running == 0 { break }
            if shouldStop() { board.shouldStop.store(true, ordering: .relaxed) }
            let done = zip(fractions, costs).reduce(0) { $0 + $1.0 * $1.1 }
            report(DiagnosisProgress(fraction: done / total, detail: detail))
        }
        // libtorch takes the last number set for threads that are yet to come.
        try Libtorch.setThreads(ownThreads)
        if let error = board.state.withLock({ $0.error }) { throw error }
        let all = results.values.withLock { $0.compactMap { $0 } }
        guard all.count == jobs.count else { throw DiagnosisStopped() }
        return all
    }
}

/// What the threads of a run share.
private final class Board: Sendable {
    struct State: Sendable {
        var next = 0
        var running = 0
        var fractions: [Double]
        var detail = ""
        var error: (any Error)?
    }

    let state: Mutex<State>
    let shouldStop = Atomic<Bool>(false)
    private let count: Int

    init(_ count: Int) {
        self.count = count
        state = Mutex(State(fractions: Array(repeating: 0, count: count)))
    }

    /// The place of the next job in the order, if there is one.
    func take() -> Int? {
        state.withLock { state in
            guard state.next < count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    /// The others stop; a failure says more than a stop.
    func fail(_ error: any Error) {
        shouldStop.store(true, ordering: .relaxed)
        state.withLock { if $0.error == nil || $0.error is DiagnosisStopped { $0.error = error } }
    }
}

private final class Results<Result: Sendable>: Sendable {
    let values: Mutex<[Result?]>

    init(_ count: Int) { values = Mutex(Array(repeating: nil, count: count)) }
}
