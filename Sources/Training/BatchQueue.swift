import Foundation

/// Makes the batches of coming steps on background threads, a few steps ahead of the trainer.
///
/// The order is fixed: step s always gets the batches of step s, whichever thread made them.
/// `stop` must be called when no more are wanted, or the threads wait for ever.
final class BatchQueue: @unchecked Sendable {
    // Everything below is read and written only while `condition` is locked.
    private let condition = NSCondition()
    private var ready: [Int: Result<[HostBatch], any Error>] = [:]
    private var nextToMake: Int
    private var nextToTake: Int
    private var stopped = false
    private var working: Int

    private let end: Int
    private let ahead: Int
    private let make: @Sendable (Int) throws -> [HostBatch]

    /// - Parameters:
    ///   - steps: the steps whose batches will be taken, in order.
    ///   - ahead: how many steps may be ready and not yet taken.
    init(steps: Range<Int>, ahead: Int, threads: Int, make: @escaping @Sendable (Int) throws -> [HostBatch]) {
        nextToMake = steps.lowerBound
        nextToTake = steps.lowerBound
        end = steps.upperBound
        self.ahead = ahead
        self.make = make
        working = max(1, threads)
        for _ in 0..<working {
            let thread = Thread { self.work() }
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    /// The batches of the next step; waits for them.
    ///
    /// - Throws: what their making threw.
    func next() throws -> [HostBatch] {
        try condition.withLock {
            precondition(nextToTake < end && !stopped)
            while ready[nextToTake] == nil { condition.wait() }
            let batches = ready.removeValue(forKey: nextToTake)!
            nextToTake += 1
            condition.broadcast()
            return try batches.get()
        }
    }

    /// Returns once no thread makes a batch any more: what they use of libtorch must not end before them.
    func stop() {
        condition.withLock {
            stopped = true
            ready = [:]
            condition.broadcast()
            while working > 0 { condition.wait() }
        }
    }

    private func work() {
        while let step = claim() {
            let batches = Result { try make(step) }
            condition.withLock {
                if !stopped { ready[step] = batches }
                condition.broadcast()
            }
        }
        condition.withLock {
            working -= 1
            condition.broadcast()
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
