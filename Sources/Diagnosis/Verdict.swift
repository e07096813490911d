import Foundation

/// Whether a network will train: a few sentences, the judgement first.
public struct Verdict: Equatable, Sendable {
    public var willTrain: Bool
    public var lines: [String]

    /// Beyond this factor from one end to the other a variance has vanished or exploded: a step that suits one end is
    /// a hundred times too long or too short for the other.
    public static let limit = 1e4

    /// - Parameters:
    ///   - signal: what ``SignalPropagation/measure(_:name:input:seed:)`` found.
    ///   - trial: of the same network.
    ///   - aids: of that network.
    public init(_ signal: SignalPropagation.Series, _ trial: TrainingTrial, _ aids: TrainingAids) {
        let observations = [
            Self.observation("activations", "from the first layer to the last", signal.activationChange),
            Self.observation("gradients", "from the last layer back to the first", signal.gradientChange),
        ].compactMap { $0 }
        let changes = signal.changes.prefix(1).uppercased() + signal.changes.dropFirst()
        willTrain = trial.learns
        if trial.learns {
            lines = [
                "\(signal.name) will train: \(trial.success).",
                observations.isEmpty
                    ? "\(changes)."
                    : "Noticed: \(observations.joined(separator: "; ")). A learning rate that suits all layers is hard "
                        + "to find.",
            ]
        } else {
            lines = [
                "\(signal.name) \(trial.failure).",
                observations.isEmpty
                    ? "\(changes): neither vanishes nor explodes, \(aids.cause(layers: signal.layers.count))."
                    : "The cause: \(observations.joined(separator: "; ")).",
                "\(aids.cure).",
            ]
        }
    }

    /// nil for what stays within bounds.
    private static func observation(_ what: String, _ way: String, _ change: Double) -> String? {
        guard change.isFinite, change > 0 else {
            return "\(what) \(change == 0 ? "vanish" : "explode") altogether \(way)"
        }
        guard change > limit || change < 1 / limit else { return nil }
        return
            "\(what) \(change > 1 ? "explode" : "vanish"): \(way) (the output layer left out) their variance changes "
            + "by a factor of \(factor(change))"
    }
}

extension TrainingTrial {
    /// As text.
    static var lowestRate: String { String(format: "%g", learningRates.min() ?? 0) }

    /// For example `at a learning rate of 0.01 2 of 3 attempts learn to tell bright from dark within 15 steps, at 0.001 0
    /// of 2`.
    fileprivate var success: String {
        guard let best = Self.learningRates.first(where: learns(at:)) else { return "" }
        let rates = [best] + Self.learningRates.filter { $0 != best }
        return rates.compactMap { rate in
            let own = attempts.filter { $0.learningRate == rate }
            let learnt = own.filter(\.learns)
            if own.isEmpty { return nil }
            let share = "\(learnt.count) of \(own.count)"
            guard rate == best else { return "at \(String(format: "%g", rate)) \(share)" }
            return
                "at a learning rate of \(String(format: "%g", rate)) (AdamW), \(share) attempts from different initial "
                + "weights learn to tell bright from dark within \(learnt.map(\.losses.count).max() ?? 0) steps"
        }.joined(separator: ", ")
    }

    /// For example `will not train: at learning rates of 0.001 and 0.01 (AdamW) none of 4 attempts learns to tell bright
    /// from dark; after 50 steps their loss is 0.69 at best, that of guessing 0.69`.
    fileprivate var failure: String {
        let rates = Self.learningRates.map { String(format: "%g", $0) }.joined(separator: " and ")
        let learnt = attempts.count(where: \.learns)
        let judgement =
            learnt == 0
            ? "will not train: at learning rates of \(rates) (AdamW) none of \(attempts.count) attempts learns"
            : "is hard to train: at learning rates of \(rates) (AdamW) only \(learnt) of \(attempts.count) attempts, "
                + "from different initial weights, \(learnt == 1 ? "learns" : "learn")"
        let task = "to tell bright from dark"
        guard let best = attempts.filter({ !$0.learns }).compactMap(\.losses.last).min() else {
            return "\(judgement) \(task): the loss is not a number"
        }
        let steps = attempts.map(\.losses.count).max() ?? 0
        return
            "\(judgement) \(task); after \(steps) steps the loss of the \(learnt == 0 ? "best" : "others") is "
            + "\(factor(best))\(learnt == 0 ? "" : " at best"), that of guessing \(factor(Self.chanceLoss))"
    }
}
