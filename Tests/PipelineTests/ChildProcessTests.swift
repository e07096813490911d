import Pipeline
import Testing
import Volumes

/// A process that reads a file may take as long as it gets on.
struct ChildProcessTests {
    private static let patience = 1.0

    private func run(_ script: String) throws {
        try ChildProcess.run("/bin/sh", ["-c", script], title: "slow.tif", patience: Self.patience)
    }

    @Test func oneThatStandsStillIsGivenUp() {
        let fault = #expect(throws: FileFault.self) { try run("exec sleep 600") }
        #expect(fault?.description.hasPrefix("slow.tif: reading it stood still for 1 s") == true)
    }

    @Test(arguments: ["echo progress 0.$i >&2", "read line </proc/self/stat"])
    func oneThatGetsOnIsNot(turn: String) {
        // Together twice the patience.
        #expect(throws: Never.self) { try run("for i in 1 2 3 4 5 6 7 8 9 10; do \(turn); sleep 0.2; done") }
    }
}
