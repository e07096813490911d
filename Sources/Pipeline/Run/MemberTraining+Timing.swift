import Foundation
import Inference
import Training

extension MemberTraining {
    /// Trains some steps, and no more.
    ///
    /// - Parameters:
    ///   - patience: seconds after which two steps are enough.
    ///   - folder: where training puts what it saves; it must exist.
    ///   - report: told the share of the steps that are done; what it throws ends the training.
    /// - Returns: seconds a step.
    func timed(
        steps: Int, patience: Double = .infinity, folder: String, report: (Double) throws -> Void
    ) throws -> Double? {
        let start = Date()
        var last: TrainingProgress?
        var refusal: (any Error)?
        do {
            try run(
                folder: folder,
                shouldStop: {
                    let step = last?.step ?? 0
                    let isLong = Date().timeIntervalSince(start) > patience
                    return refusal != nil || step >= steps || (step >= 2 && isLong)
                },
                report: { progress in
                    last = progress
                    do { try report(Double(progress.step) / Double(steps)) } catch { refusal = error }
                })
        } catch is Interrupted {}
        if let refusal { throw refusal }
        return last?.secondsPerStep
    }
}
