import Foundation

/// Logits as stores keep them: 16-bit fixed point, 1/1024 a unit, from -31.99 to 31.99.
///
/// Near probability 1, where votes are cast, a unit is far finer than a step of an 8-bit probability
/// or of a half-precision number.
public enum LogitScale {
    public static let unitsPerLogit = 1024
    /// Logits beyond ± this are clamped; their probability differs from 0 or 1 by 1e-14.
    public static let limit: Float = 31.99
    /// Stands where no network looked, and is lower than any logit.
    public static let outside = Int16.min

    /// The nearest unit; not-a-number becomes the lowest, so that it never votes.
    @inlinable
    public static func encode(_ logit: Float) -> Int16 {
        guard !logit.isNaN else { return encode(-limit) }
        return Int16((min(max(logit, -limit), limit) * Float(unitsPerLogit)).rounded())
    }

    @inlinable
    public static func decode(_ units: Int16) -> Float { Float(units) / Float(unitsPerLogit) }

    /// The probability of a logit: 1 / (1 + exp(-logit)).
    public static func probability(_ logit: Double) -> Double { 1 / (1 + exp(-logit)) }
}
