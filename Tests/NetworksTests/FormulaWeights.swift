import Networks
import Tensors

/// Weights that Swift and Python compute by one formula, so that only outputs need to be committed; its twin is
/// `Data/formula_weights.py`.
///
/// A tensor's name, hashed with FNV-1a, is the seed; SplitMix64 of the seed and an element's row-major index, its upper
/// 53 bits, is u in [−1, 1). From u, in double precision, then rounded to f32:
/// - rank 2 and more: u · √(6 / fan-in), of variance 2 / fan-in; fan-in is the product of all extents but the first;
/// - `….weight` of a normalization: 0.5 + 0.25 u (or another mean), so that deep residual sums stay of the order of 1;
/// - `….running_var`: 1 + 0.5 u;
/// - `….bias`, `….running_mean`: 0.1 u;
/// - an input, under the name `input`: u.
enum FormulaWeights {
    /// Fills all parameters and buffers of a network.
    static func fill(_ network: Network, meanScale: Double = 0.5) throws {
        try withoutGradients {
            for (name, tensor) in network.stateDictionary() {
                try tensor.assign(Self.tensor(name, tensor.shape, meanScale: meanScale))
            }
        }
    }

    static func input(_ shape: [Int]) throws -> Tensor {
        try Tensor(numbers("input", shape.reduce(1, *)) { Float($0) }, shape: shape)
    }

    static func tensor(_ name: String, _ shape: [Int], meanScale: Double = 0.5) throws -> Tensor {
        let (count, fanIn) = (shape.reduce(1, *), shape.dropFirst().reduce(1, *))
        let deviation = (6 / Double(fanIn)).squareRoot()
        let values =
            if shape.count > 1 {
                numbers(name, count) { Float($0 * deviation) }
            } else if name.hasSuffix(".weight") {
                numbers(name, count) { Float(meanScale + 0.25 * $0) }
            } else if name.hasSuffix(".running_var") {
                numbers(name, count) { Float(1 + 0.5 * $0) }
            } else {
                numbers(name, count) { Float(0.1 * $0) }
            }
        return try Tensor(values, shape: shape)
    }

    private static func numbers(_ name: String, _ count: Int, _ transform: (Double) -> Float) -> [Float] {
        let seed = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return (0..<UInt64(count)).map { transform(Double(mixed(seed, $0) >> 11) * 0x1p-52 - 1) }
    }

    /// Number `index` of SplitMix64.
    private static func mixed(_ seed: UInt64, _ index: UInt64) -> UInt64 {
        var z = seed &+ (index &+ 1) &* 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
