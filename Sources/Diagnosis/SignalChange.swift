import Foundation

// What a signal is at one end compared with the other: the numbers that text and picture share.
extension SignalPropagation.Series {
    /// The layers that are compared: without the last, which is the output. Its few values are spread by the loss alone,
    /// and a mean over all voxels before it divides every gradient by their number, whatever the depth.
    public var inner: [SignalPropagation.Layer] { layers.count > 1 ? layers.dropLast() : layers }

    /// The variance of activations at the last of ``inner``, in units of that at the first.
    public var activationChange: Double { Self.change(inner.map(\.activation)) }

    /// The variance of gradients at the first of ``inner``, in units of that at the last.
    public var gradientChange: Double { Self.change(inner.reversed().map(\.gradient)) }

    /// Both changes as half a sentence.
    public var changes: String {
        "the variance of activations changes by a factor of \(factor(activationChange)) from the first layer to the last "
            + "before the output, that of gradients by \(factor(gradientChange)) on the way back"
    }

    /// From the first to the last.
    private static func change(_ variances: [Double]) -> Double {
        guard let first = variances.first, let last = variances.last else { return 1 }
        return last / first
    }
}

/// A factor as people write it: `0.24`, `37`, `about 10^-6`.
func factor(_ value: Double) -> String {
    guard value > 0, value.isFinite else { return value > 0 ? "more than numbers hold" : "0" }
    if value < 0.01 || value >= 1_000 { return "about 10^\(Int(log10(value).rounded()))" }
    return String(format: value < 10 ? "%.2g" : "%.0f", value)
}
