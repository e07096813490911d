import Dispatch
import Synchronization

/// The values of `transform` for 0..<count, computed on up to `threads` threads.
///
/// - Throws: the first error thrown; indices not yet begun are then skipped.
package func parallelMap<Value: Sendable>(
    _ count: Int, threads: Int, _ transform: @Sendable (Int) throws -> Value
) throws -> [Value] {
    guard threads > 1, count > 1 else { return try (0..<count).map(transform) }
    let next = Atomic(0)
    let results = Mutex([Value?](repeating: nil, count: count))
    let failure = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < count, failure.withLock({ $0 == nil }) else { return }
            do {
                let value = try transform(index)
                results.withLock { $0[index] = value }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    return results.withLock { $0.compactMap { $0 } }
}

/// Calls `use` with each of 0..<count and what `make` gives for it, in order; up to `threads` are made at a time.
///
/// - Throws: the first error of either; what has not begun by then is left.
package func parallelForEach<Value: Sendable>(
    _ count: Int, threads: Int, make: @Sendable (Int) throws -> Value, use: (Int, Value) throws -> Void
) throws {
    let threads = max(1, threads)
    for first in stride(from: 0, to: count, by: threads) {
        let made = try parallelMap(min(threads, count - first), threads: threads) { try make(first + $0) }
        for (place, value) in made.enumerated() { try use(first + place, value) }
    }
}

/// Calls `use` with each of 0..<count and what `make` gives for it, in order; meanwhile the next is made, on another
/// thread.
///
/// - Throws: the first error of either.
package func readAhead<Value: Sendable>(
    _ count: Int, make: @escaping @Sendable (Int) throws -> Value, use: (Int, Value) throws -> Void
) throws {
    let queue = DispatchQueue(label: "read ahead")
    func begin(_ index: Int) -> Pending<Value>? {
        guard index < count else { return nil }
        let pending = Pending<Value>()
        queue.async { pending.finish(Result { try make(index) }) }
        return pending
    }
    var pending = begin(0)
    // Nothing is read any more once this returns.
    defer { queue.sync {} }
    for index in 0..<count {
        guard let value = try pending?.value() else { return }
        pending = begin(index + 1)
        try use(index, value)
    }
}

/// A value that another thread makes.
private final class Pending<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)
    private let isReady = DispatchSemaphore(value: 0)

    func finish(_ value: Result<Value, any Error>) {
        result.withLock { $0 = value }
        isReady.signal()
    }

    func value() throws -> Value? {
        isReady.wait()
        return try result.withLock { $0 }?.get()
    }
}

/// Does work in order on another thread, one piece at a time, while the next is prepared.
package final class WriteBehind: Sendable {
    private let queue = DispatchQueue(label: "write behind")
    private let isFree = DispatchSemaphore(value: 1)
    private let failure = Mutex<(any Error)?>(nil)

    package init() {}

    /// Begins `work` once what came before is done.
    ///
    /// - Throws: what earlier work threw.
    package func begin(_ work: @escaping @Sendable () throws -> Void) throws {
        isFree.wait()
        if let error = failure.withLock({ $0 }) {
            isFree.signal()
            throw error
        }
        queue.async { [self] in
            do { try work() } catch { failure.withLock { $0 = error } }
            isFree.signal()
        }
    }

    /// Waits for all of it.
    ///
    /// - Throws: what it threw.
    package func finish() throws {
        isFree.wait()
        isFree.signal()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
