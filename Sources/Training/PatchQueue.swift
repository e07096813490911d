import Foundation

/// Makes the patches of coming steps on background threads, a few steps ahead of the trainer.
///
/// The order is fixed: step s always gets the patches of step s, whichever thread made them.
/// `stop` must be called when no more are wanted, or the threads wait for ever.
final class PatchQueue: @unchecked Sendable {
    // Everything below is read and written only while `condition` is locked.
    private let condition = NSCondition()
    private var ready: [Int: [TrainingPatch]] = [:]
    private var nextToMake: Int
    private var nextToTake: Int
    private var stopped = false

    private let end: Int
    private let ahead: Int
    private let make: @Sendable (Int) -> [TrainingPatch]

    /// - Parameters:
    ///   - steps: the steps whose patches will be taken, in order.
    ///   - ahead: how many steps may be ready and not yet taken.
    init(steps: Range<Int>, ahead: Int, threads: Int, make: @escaping @Sendable (Int) -> [TrainingPatch]) {
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

    /// The patches of the next step; waits for them.
    func next() -> [TrainingPatch] {
        condition.withLock {
            precondition(nextToTake < end && !stopped)
            while ready[nextToTake] == nil { condition.wait() }
            let patches = ready.removeValue(forKey: nextToTake)!
            nextToTake += 1
            condition.broadcast()
            return patches
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
            let patches = make(step)
            condition.withLock {
                if !stopped { ready[step] = patches }
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
