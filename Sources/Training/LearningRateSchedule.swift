import Foundation

/// How the learning rate rises and falls over the steps.
public struct LearningRateSchedule: Codable, Equatable, Sendable {
    public enum Decay: Codable, Equatable, Sendable {
        /// (1 - done)^power, `done` being the share of the steps after the warm-up.
        case polynomial(power: Double)
        /// (1 + cos π·done) / 2 (Loshchilov & Hutter 2017).
        case cosine
    }

    public var decay: Decay
    /// Steps over which the rate rises evenly to its full height.
    public var warmUp: Int

    public init(decay: Decay = .polynomial(power: 0.9), warmUp: Int = 0) {
        self.decay = decay
        self.warmUp = warmUp
    }

    /// The share of the full rate that a step, from 0, is taken with.
    func share(ofStep step: Int, of steps: Int) -> Double {
        if step < warmUp { return Double(step + 1) / Double(warmUp + 1) }
        let done = Double(step - warmUp) / Double(steps - warmUp)
        return switch decay {
        case .polynomial(let power): pow(1 - done, power)
        case .cosine: (1 + cos(.pi * done)) / 2
        }
    }
}
