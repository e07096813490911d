import Foundation

/// The random numbers of one training sample: a function of (seed, member, step, index).
///
/// No generator state outlives a sample, so samples can be drawn ahead, on any number of threads and after
/// a restart, and are always the same. The four numbers are hashed to a key, and the numbers are SplitMix64
/// of the key (Steele et al. 2014, "Fast splittable pseudorandom number generators").
public struct SampleRandom: Sendable {
    private var state: UInt64

    public init(seed: UInt64, member: Int, step: Int, index: Int) {
        var key = mixed(seed &+ 0x9E37_79B9_7F4A_7C15)
        for part in [member, step, index] {
            key = mixed(key ^ UInt64(bitPattern: Int64(part)) &+ 0x9E37_79B9_7F4A_7C15)
        }
        state = key
    }

    @inline(__always)
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return mixed(state)
    }

    /// Uniform in 0..<1.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in `range`.
    public mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// Uniform in 0..<bound (to 2⁻⁶⁴ · bound); `bound` is at least 1.
    public mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// True with probability `probability`.
    public mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// Nearly normal with mean 0 and deviation 1: the sum of four uniform 16-bit numbers, one draw.
    @inline(__always)
    mutating func nearlyNormal() -> Float {
        let bits = next()
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        // Four uniform numbers in 0..<1 have mean 2 and variance 1/3.
        return (Float(sum) / 65_536 - 2) * 1.732_050_8
    }
}

/// Every bit of the result depends on every bit of `value` (SplitMix64; Steele et al. 2014).
@inline(__always)
package func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
}
