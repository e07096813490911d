import Foundation
import Volumes

/// What a network's output must reach for its vote, kept as a logit: near probability 1, where the best
/// thresholds lie, probabilities crowd together and logits do not.
public struct Threshold: Codable, Sendable, Hashable {
    public let logit: Double

    public init(logit: Double) { self.logit = logit }

    /// - Parameter probability: between 0 and 1, both excluded; nil otherwise.
    public init?(probability: Double) {
        guard probability > 0, probability < 1 else { return nil }
        logit = log(probability) - log1p(-probability)
    }

    public var probability: Double { LogitScale.probability(logit) }

    /// The least stored value that reaches the threshold.
    package var units: Int32 {
        let units = (logit * Double(LogitScale.unitsPerLogit)).rounded(.up)
        // Beyond the ends all or none vote.
        return Int32(min(max(units, Double(Int16.min)), Double(Int16.max) + 1))
    }
}

extension Threshold: CustomStringConvertible {
    /// For example `probability 0.98 (logit 3.8918)`.
    public var description: String {
        // Digits enough to tell thresholds apart, counted from the nearer end of 0 … 1.
        let away = min(probability, 1 - probability)
        let digits = away > 0 ? max(4, 2 - Int(log10(away).rounded(.down))) : 4
        return "probability \(rounded(probability, digits: digits)) (logit \(rounded(logit, digits: 4)))"
    }

    private func rounded(_ value: Double, digits: Int) -> String {
        let scale = pow(10, Double(digits))
        return "\((value * scale).rounded() / scale)"
    }
}
