import Tensors
import Testing

struct HandleTests {
    /// Other tests run beside this one, so a count is only about many: a leak of one handle a round would show.
    @Test func handlesAreReleased() throws {
        let before = Tensor.liveCount
        let x = try Tensor.zeros([4])
        for _ in 0..<10_000 { _ = try (x + 1).relu() }
        #expect(Tensor.liveCount - before < 5_000)
    }
}
