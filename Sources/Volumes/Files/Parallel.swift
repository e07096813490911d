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
