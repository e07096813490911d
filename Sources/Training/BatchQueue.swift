import Foundation

/// Makes the batches of coming steps on background threads, a few steps ahead of the trainer.
///
/// The order is fixed: step s always gets the batches of step s, whichever thread made them.
/// `stop` must be called when no more are wanted, or the threads wait for ever.
final class BatchQueue: @unchecked Sendable {
    // Everything below is read and written only while `condition` is locked.
    private let condition = NSCondition()
    private var ready: [Int: [BatchValues]] = [:]
    private var nextToMake: Int
    private var nextToTake: Int
    private var stopped = false

    private let end: Int
    private let ahead: Int
    private let make: @Sendable (Int) -> [BatchValues]

    /// - Parameters:
    ///   - steps: the steps whose batches will be taken, in order.
    ///   - ahead: how many steps may be ready and not yet taken.
    init(steps: Range<Int>, ahead: Int, threads: Int, make: @escaping @Sendable (Int) -> [BatchValues]) {
        nextToMake = steps.lowerBound
        nextToTake = steps.lowerBound
        end = steps.upperBound
        self.ahead = ahead
        self.make = make
        for _ in 0..<max(1, threads) {
            let thread = Thread { self.work() }
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    /// The batches of the next step; waits for them.
    func next() -> [BatchValues] {
        condition.withLock {
            precondition(nextToTake < end && !stopped)
            while ready[nextToTake] == nil { condition.wait() }
            let batches = ready.removeValue(forKey: nextToTake)!
            nextToTake += 1
            condition.broadcast()
            return batches
        }
    }

    func stop() {
        condition.withLock {
            stopped = true
            ready = [:]
            condition.broadcast()
        }
    }

    private func work() {
        while let step = claim() {
            let batches = make(step)
            condition.withLock {
                if !stopped { ready[step] = batches }
                condition.broadcast()
            }
        }
    }

    /// The next step to make, once there is room for it; nil at the end.
    private func claim() -> Int? {
        condition.withLock {
            while !stopped && nextToMake < end && nextToMake >= nextToTake + ahead { condition.wait() }
            guard !stopped && nextToMake < end else { return nil }
            nextToMake += 1
            return nextToMake - 1
        }
    }
}
