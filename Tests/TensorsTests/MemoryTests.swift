import Tensors
import Testing

struct MemoryTests {
    /// Blocks of many sizes come and go in disorder, so that pages of some are given to others, cut and put together.
    @Test func keptMemoryIsNeverInTwoTensors() throws {
        Libtorch.keepMemory()
        let random = CounterRandom(seed: 1, stream: "memory")
        var held: [(tensor: Tensor, value: Float)] = []
        for round in 0..<160 {
            let number = random.bits(UInt64(round))
            // Up to 8 MB of f32.
            let count = 1 + Int(number % (round % 2 == 0 ? 500_000 : 2_000_000))
            held.append((try Tensor.full([count], Double(round)), Float(round)))
            if held.count > 6 {
                let (tensor, value) = held.remove(at: Int((number >> 32) % 6))
                #expect(try tensor.values(of: Float.self).allSatisfy { $0 == value })
            }
            if round % 40 == 39 { Libtorch.releaseMemory() }
        }
        for (tensor, value) in held { #expect(try tensor.values(of: Float.self).allSatisfy { $0 == value }) }
    }
}
