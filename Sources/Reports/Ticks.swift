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

/// A number as people write it: up to six significant digits, whole numbers without a point.
func plain(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    guard value != 0 else { return "0" }
    let scale = pow(10, 5 - floor(log10(abs(value))))
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
}
