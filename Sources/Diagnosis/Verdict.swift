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
    ///   - isNormalized, residualBlocks: of that network.
    public init(
        _ signal: SignalPropagation.Series, _ trial: TrainingTrial, isNormalized: Bool, residualBlocks: Int
    ) {
        // Without the last layer, whose few outputs are spread by the loss alone.
        let layers = signal.layers.dropLast()
        let forward = Self.change(layers.map(\.activation))
        let backward = Self.change(layers.reversed().map(\.gradient))
        let observations = [
            Self.observation("activations", "from the first layer to the last", forward),
            Self.observation("gradients", "from the last layer back to the first", backward),
        ].compactMap { $0 }
        willTrain = trial.learns
        if trial.learns {
            lines = [
                "\(signal.name) will train: within \(trial.stepsToLearn ?? 0) steps it tells bright from dark.",
                observations.isEmpty
                    ? "From end to end the variance of activations changes by a factor of \(Self.power(forward)), "
                        + "that of gradients by \(Self.power(backward))."
                    : "Noticed: \(observations.joined(separator: "; ")). A learning rate that suits all layers is hard "
                        + "to find.",
            ]
        } else {
            let cause =
                observations.isEmpty
                ? "Activations and gradients keep their size on the way, but through \(signal.layers.count) layers"
                    + (residualBlocks == 0 ? " without residual shortcuts" : "")
                    + " the gradient changes at random with the input: it is shattered"
                : "The cause: \(observations.joined(separator: "; "))"
            lines = [
                "\(signal.name) will not train: it does not even learn to tell bright from dark, \(trial.failure).",
                "\(cause).",
                "The cure: \(Self.cure(isNormalized: isNormalized, residualBlocks: residualBlocks)).",
            ]
        }
    }

    /// nil for what stays within bounds.
    private static func observation(_ what: String, _ way: String, _ change: Double) -> String? {
        guard change.isFinite, change > 0 else {
            return "\(what) \(change == 0 ? "vanish" : "explode") altogether \(way)"
        }
        guard change > limit || change < 1 / limit else { return nil }
        return "\(what) \(change > 1 ? "explode" : "vanish"): \(way) their variance changes by a factor of "
            + power(change)
    }

    /// From the first to the last.
    private static func change(_ variances: [Double]) -> Double {
        guard let first = variances.first, let last = variances.last else { return 1 }
        return last / first
    }

    private static func cure(isNormalized: Bool, residualBlocks: Int) -> String {
        if residualBlocks == 0 {
            return "residual connections with batch norm first in each branch; where the network must stay plain, "
                + (isNormalized ? "fewer layers" : "batch norm after every convolution and He initialization")
        }
        let first = "batch norm first in each branch (normalization: batch, order: norm-relu-conv)"
        return isNormalized ? "\(first), or fewer layers" : "\(first), or sums times 1/√2 (residual_scale: 1/sqrt2)"
    }

    fileprivate static func power(_ value: Double) -> String {
        guard value > 0, value.isFinite else { return value > 0 ? "more than numbers hold" : "0" }
        if value < 0.01 || value >= 1_000 { return "about 10^\(Int(log10(value).rounded()))" }
        return String(format: value < 10 ? "%.2g" : "%.0f", value)
    }
}

extension TrainingTrial {
    /// The most that an attempt which learnt took.
    fileprivate var stepsToLearn: Int? { attempts.filter(\.learns).map(\.losses.count).max() }

    /// For example `at rates of 0.001 and 0.01: after 50 steps the loss is 0.69 at best, that of guessing 0.69`.
    fileprivate var failure: String {
        let rates = Self.learningRates.map { String(format: "%g", $0) }.joined(separator: " and ")
        guard let best = attempts.filter({ !$0.learns }).compactMap(\.losses.last).min() else {
            return "at rates of \(rates): its loss is not a number"
        }
        let steps = attempts.map(\.losses.count).max() ?? 0
        return
            "at rates of \(rates): after \(steps) steps the loss is \(Verdict.power(best)) at best, that of guessing "
            + Verdict.power(Self.chanceLoss)
    }
}
