/// Random numbers as a function of (seed, stream, counter): no state to share between threads, and no result that
/// depends on the order of use. The function is SplitMix64's finalizer (Steele et al. 2014, OOPSLA).
struct CounterRandom {
    private let key: UInt64

    /// A stream of its own for each purpose.
    init(seed: UInt64, stream: UInt64) {
        key = CounterRandom.mix(seed &+ CounterRandom.mix(stream &+ 0x9E37_79B9_7F4A_7C15))
    }

    @inline(__always)
    func bits(_ counter: UInt64) -> UInt64 { CounterRandom.mix(key &+ counter &* 0x9E37_79B9_7F4A_7C15) }

    /// A number in 0..<1.
    @inline(__always)
    func uniform(_ counter: UInt64) -> Double { Double(bits(counter) >> 11) * 0x1p-53 }

    /// A nearly normal number of mean 0 and variance 1: four uniform numbers summed, so that no mathematical
    /// library, which may differ between machines, takes part.
    @inline(__always)
    func normal(_ counter: UInt64) -> Float {
        let bits = bits(counter)
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + bits >> 48
        return (Float(sum) * (1 / 65_536) - 2) * 1.7320508
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

/// The numbers of a stream one after the other, for decisions that follow each other anyway.
struct RandomSequence {
    private let random: CounterRandom
    private var counter: UInt64 = 0

    init(seed: UInt64, stream: UInt64) { random = CounterRandom(seed: seed, stream: stream) }

    mutating func uniform(_ range: Range<Double> = 0..<1) -> Double {
        counter += 1
        return range.lowerBound + random.uniform(counter) * (range.upperBound - range.lowerBound)
    }

    mutating func normal() -> Double {
        counter += 1
        return Double(random.normal(counter))
    }

    mutating func point(within size: Point) -> Point {
        Point(uniform(0..<size.z), uniform(0..<size.y), uniform(0..<size.x))
    }

    /// A unit vector of random direction.
    mutating func direction() -> Point {
        while true {
            let vector = Point(uniform(-1..<1), uniform(-1..<1), uniform(-1..<1))
            if vector.length > 0.1 && vector.length <= 1 { return vector * (1 / vector.length) }
        }
    }
}
