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
