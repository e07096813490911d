import Foundation

/// The greatest of 1, 2, 5 times a power of ten that is at most `length`, which is positive.
func roundLength(atMost length: Double) -> Double {
    let power = pow(10, floor(log10(length)))
    // A little above 5 and 2, for a power of ten is rounded too.
    let times = length / power * (1 + 1e-9)
    return power * (times >= 5 ? 5 : times >= 2 ? 2 : 1)
}

/// Round numbers that cover `range`, about `count` of them.
func ticks(covering range: ClosedRange<Double>, count: Int) -> [Double] {
    let length = range.upperBound - range.lowerBound
    guard length > 0, length.isFinite else { return [range.lowerBound] }
    let step = roundLength(atMost: length / Double(max(1, count)) * 1.5)
    let first = Int((range.lowerBound / step - 1e-9).rounded(.up))
    let last = Int((range.upperBound / step + 1e-9).rounded(.down))
    return first <= last ? (first...last).map { Double($0) * step } : []
}

/// Round numbers whose decimal logarithms are in `range`, about `count` of them: powers of ten, or 1, 2, 5 times those
/// where there are few.
func logarithmicTicks(covering range: ClosedRange<Double>, count: Int) -> [Double] {
    let decades = range.upperBound - range.lowerBound
    guard decades.isFinite, abs(range.lowerBound) < 400, abs(range.upperBound) < 400 else { return [] }
    let step = max(1, Int((decades / Double(max(1, count))).rounded(.up)))
    let digits = decades < Double(count) / 3 ? [1.0, 2, 5] : [1]
    let powers = Int(range.lowerBound.rounded(.down))...Int(range.upperBound.rounded(.down))
    let margin = 1e-9
    return powers.filter { $0 % step == 0 }.flatMap { power in digits.map { $0 * pow(10, Double(power)) } }
        .filter { range.lowerBound - margin <= log10($0) && log10($0) <= range.upperBound + margin }
}

/// A tick of a logarithmic axis: `0.01`, `50`, `10⁻⁶`, `2·10⁹`.
func powerOfTen(_ value: Double) -> String {
    let power = Int((log10(value) + 1e-9).rounded(.down))
    if (-2...3).contains(power) { return plain(value) }
    let digits = plain(value / pow(10, Double(power)))
    return (digits == "1" ? "" : "\(digits)·") + "10\(superscript(power))"
}

/// A whole number as an exponent.
func superscript(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return (number < 0 ? "⁻" : "") + String(String(abs(number)).compactMap(\.wholeNumberValue).map { digits[$0] })
}

/// A number as people write it: up to six significant digits, whole numbers without a point.
func plain(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    guard value != 0 else { return "0" }
    let scale = pow(10, 5 - floor(log10(abs(value))))
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
}
