import Testing
import Volumes

@Suite struct LogitScaleTests {
    @Test(arguments: [0, 4.6, -4.6, 0.00049, 31.9] as [Float])
    func storedLogitsComeBackToHalfAUnit(logit: Float) {
        #expect(abs(LogitScale.decode(LogitScale.encode(logit)) - logit) <= 0.5 / 1024)
    }

    @Test func extremesAreClampedAndNotANumberNeverVotes() {
        #expect(LogitScale.encode(1e9) == 32_758 && LogitScale.encode(-.infinity) == -32_758)
        #expect(LogitScale.encode(.nan) == -32_758)
    }
}
