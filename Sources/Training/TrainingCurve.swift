import Foundation
import Volumes

/// How a member's training went, as written to `curve.json`.
public struct TrainingCurve: Codable, Equatable, Sendable {
    public struct Point: Codable, Equatable, Sendable {
        /// Steps done.
        public var step: Int
        /// The mean of the loss over the steps since the last point.
        public var trainingLoss: Double
        /// Of the last of these steps.
        public var learningRate: Double
        /// On the member's own validation block; nil where this point has no validation.
        public var validation: ValidationScore?

        enum CodingKeys: String, CodingKey {
            case step, validation
            case trainingLoss = "training_loss"
            case learningRate = "learning_rate"
        }
    }

    /// Why a member did not take all its steps.
    public enum Ending: String, Codable, Sendable {
        /// Its loss was no finite number any more.
        case diverged
        /// Too many validations had passed without a better one.
        case stale
    }

    public var member: Int
    public var points: [Point]
    /// nil where all steps were taken.
    public var ending: Ending?
    /// Steps done by the weights that the member ended with; nil while it trains.
    public var kept: Int?

    /// Of the weights that were kept, or the last.
    public var keptValidation: ValidationScore? {
        points.first { $0.step == kept }?.validation ?? lastValidation
    }

    public var lastValidation: ValidationScore? { points.last { $0.validation != nil }?.validation }
}

/// What a member's network makes of its validation block.
public struct ValidationScore: Codable, Equatable, Sendable {
    /// Weighted cross-entropy plus Dice loss, of all heads, whatever the loss of training is.
    public var loss: Double
    /// Of the target at probability 0.5, over the voxels that count.
    public var dice: Double
    /// Of the objects that labelling makes, at the best of a few thresholds at which there are any, against the annotated
    /// ones within the block; nil where it has no object.
    public var adaptedRandError: Double?
    /// The settings of the `ValidationLabelling` that made the objects; nil in a file of an earlier version.
    public var labelling: String?

    /// Whether nothing was found where there is nothing, which says nothing.
    package var foundNothing: Bool { dice == 1 && adaptedRandError == nil }

    enum CodingKeys: String, CodingKey {
        case loss, dice, labelling
        case adaptedRandError = "adapted_rand_error"
    }
}

/// What a member in training has to report.
public struct TrainingProgress: Sendable {
    public let member: Int
    /// Steps done, and to do in all.
    public let step: Int
    public let steps: Int
    /// The mean loss of about the last 20 steps.
    public let loss: Double
    /// The last validation there was.
    public let validation: ValidationScore?
    /// Of the last steps; nil before the first.
    public let secondsPerStep: Double?
    /// Of all seconds of steps so far, the share in which the network waited for patches.
    public let waiting: Double
    /// A line that should be kept, such as that a damaged checkpoint was set aside.
    public let note: String?
}

/// A curve in the making: the points so far, and the losses since the last.
struct CurveRecorder: Codable, Equatable {
    var curve: TrainingCurve
    private var sum = 0.0
    private var count = 0

    init(member: Int) {
        curve = TrainingCurve(member: member, points: [])
    }

    mutating func add(_ loss: Double) {
        sum += loss
        count += 1
    }

    mutating func point(step: Int, rate: Double, validation: ValidationScore?) {
        curve.points.append(
            TrainingCurve.Point(
                step: step, trainingLoss: count > 0 ? sum / Double(count) : 0, learningRate: rate,
                validation: validation))
        (sum, count) = (0, 0)
    }
}
