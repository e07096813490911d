import Dispatch
import Foundation
import Synchronization

/// Values of which each thread of a loop uses one at a time: decoders with their buffers, handles of libraries that
/// serve one thread.
final class Workers<Worker>: @unchecked Sendable {
    private let make: () throws -> Worker
    private var idle: [Worker] = []
    private let lock = Mutex(())

    /// Makes workers when they are needed, and keeps them until it goes away itself.
    init(_ make: @escaping () throws -> Worker) { self.make = make }

    /// Calls `body` once for each of 0..<count, on up to `threads` threads, each with a worker of its own.
    ///
    /// - Throws: the first error thrown; indices not yet begun are then skipped.
    func forEach(
        _ count: Int, threads: Int = ProcessInfo.processInfo.activeProcessorCount,
        _ body: @Sendable (Int, Worker) throws -> Void
    ) throws {
        let next = Atomic(0)
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
            do {
                let worker = try take()
                defer { giveBack(worker) }
                while true {
                    let index = next.add(1, ordering: .relaxed).oldValue
                    guard index < count, failure.withLock({ $0 == nil }) else { return }
                    try body(index, worker)
                }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func take() throws -> Worker {
        try lock.withLock { _ in idle.popLast() } ?? make()
    }

    private func giveBack(_ worker: Worker) {
        lock.withLock { _ in idle.append(worker) }
    }
}
