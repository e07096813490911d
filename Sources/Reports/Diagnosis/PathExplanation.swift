import Diagnosis
import Foundation

extension GradientPaths {
    /// What there is to see of paths by length, in a few sentences that hold for any number of blocks.
    package var finding: String {
        [numbers, commonest, exactness, carriers].joined(separator: " ")
    }

    /// All paths.
    private var total: Double { lengths.reduce(0) { $0 + $1.paths } }

    /// Whether blocks follow one another, with no other forks: each doubles the number of paths.
    private var isChain: Bool { total == exp2(Double(place == .input ? blocks : blocks - 1)) }

    private var numbers: String {
        let these = blocks == 1 ? "1 residual block makes" : "\(blocks) residual blocks make"
        guard isChain else {
            return "\(these), with the network's other forks such as skips, \(Self.count(total)) paths from "
                + "\(place.end) to the output."
        }
        func power(_ exponent: Int) -> String {
            exponent < 2
                ? "\(1 << exponent)"
                : "2\(superscript(exponent)) \(exponent < 20 ? "=" : "≈") \(Self.count(exp2(Double(exponent))))"
        }
        let whole = "\(these) \(power(blocks)) paths from the network's input to its output"
        guard place == .firstBlock else { return "\(whole)." }
        return
            "\(whole), and \(power(blocks - 1)) from \(place.end); the latter \(blocks > 1 ? "are" : "is") shown."
    }

    private var commonest: String {
        let most = lengths.map(\.paths).max() ?? 0
        let common = lengths.filter { $0.paths == most }.map { "\($0.length)" }.joined(separator: " and ")
        let longest = lengths.map(\.length).max() ?? 0
        if longest == 0 { return "It passes no branch." }
        return
            "Most frequent are those through \(common) of at most \(longest) \(longest == 1 ? "branch" : "branches")."
    }

    private var exactness: String {
        guard let sumError else { return "Some paths of each length, drawn at random, stand for all." }
        // The power of ten above it.
        let digit = sumError > 0 ? pow(10, log10(sumError).rounded(.up)) : 1e-16
        return "Their sum is the gradient, to a relative \(powerOfTen(digit))."
    }

    /// The fewest neighbouring lengths that carry nine tenths.
    private var carriers: String {
        let weights = lengths.map(\.weight)
        let whole = weights.reduce(0, +)
        for width in weights.indices {
            for first in 0..<weights.count - width
            where weights[first...first + width].reduce(0, +) >= 0.9 * whole && width + 1 < weights.count {
                let (low, high) = (lengths[first].length, lengths[first + width].length)
                return "Nine tenths of what they carry come by paths of "
                    + (low == high ? "length \(low)" : "lengths \(low) to \(high)")
                    + (weights.count > 6 && high < (lengths.map(\.length).max() ?? 0)
                        ? ", so a deep residual network behaves like an ensemble of shallower ones." : ".")
            }
        }
        return "All lengths carry a share of it."
    }

    /// Two digits of what nobody counts.
    private static func count(_ value: Double) -> String {
        if value < 1e6 { return plain(value) }
        let unit = pow(10, floor(log10(value)) - 1)
        return powerOfTen((value / unit).rounded() * unit)
    }
}

extension GradientPaths.Place {
    fileprivate var end: String { self == .input ? "the network's input" : "the first block's result" }
}
