import Foundation

/// Random numbers as a function of (seed, stream, index): no state, so that any number can be had at any time, on any
/// thread, in any order, and is the same again in a run that resumes.
///
/// The mixing is SplitMix64's (Steele, Lea & Flood 2014), applied to the counter as its authors intend.
public struct CounterRandom: Sendable {
    private let key: UInt64

    /// A stream of its own for each `seed` and name.
    public init(seed: UInt64, stream: String) {
        // FNV-1a over the name.
        let hash = stream.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        key = Self.mix(seed &+ 0x9e37_79b9_7f4a_7c15) ^ Self.mix(hash)
    }

    /// 64 random bits.
    public func bits(_ index: UInt64) -> UInt64 {
        Self.mix(key &+ (index &+ 1) &* 0x9e37_79b9_7f4a_7c15)
    }

    /// Uniform in 0 ..< 1.
    public func uniform(_ index: UInt64) -> Double { Double(bits(index) >> 11) * 0x1p-53 }

    /// Standard normal (Box & Muller 1958).
    public func normal(_ index: UInt64) -> Double {
        let pair = index & ~1
        let radius = (-2 * log(1 - uniform(pair))).squareRoot()
        let angle = 2 * Double.pi * uniform(pair + 1)
        return index & 1 == 0 ? radius * cos(angle) : radius * sin(angle)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
