import Pipeline
import Testing
import Volumes

/// A process that reads a file may take as long as it gets on.
struct ChildProcessTests {
    /// More than a machine that is busy with other tests lets a process wait.
    private static let patience = 5.0

    private func run(_ script: String) throws {
        try ChildProcess.run("/bin/sh", ["-c", script], title: "slow.tif", patience: Self.patience)
    }

    @Test func oneThatStandsStillIsGivenUp() {
        let fault = #expect(throws: FileFault.self) { try run("exec sleep 600") }
        #expect(fault?.description.hasPrefix("slow.tif: reading it stood still for 5 s") == true)
    }

    @Test(arguments: ["echo progress 0.$i >&2", "read line </proc/self/stat"])
    func oneThatGetsOnIsNot(turn: String) {
        let turns = Int(2 * Self.patience / 0.5)
        #expect(throws: Never.self) { try run("for i in $(seq 1 \(turns)); do \(turn); sleep 0.5; done") }
    }
}
