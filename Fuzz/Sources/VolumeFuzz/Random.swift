/// SplitMix64 (Steele et al., OOPSLA 2014): the same numbers from the same seed, everywhere.
struct Random: RandomNumberGenerator {
    private var state: UInt64

    /// The numbers of trial `trial` of `seed`.
    init(seed: Int, trial: Int) {
        state = UInt64(truncatingIfNeeded: seed) &* 0xD1B5_4A32_D192_ED03 &+ UInt64(truncatingIfNeeded: trial)
        state = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &self) }
}
