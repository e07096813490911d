import Foundation
import TestSupport
import Testing

/// Members trained side by side are those trained one after another, by as many threads each.
@Suite(.serialized) struct SideBySideTests {
    private let folder = ScratchFolder()

    private func prepare(steps: Int, rate: String = "0.001") throws {
        try TrainedModel.synthesize("train", shape: "16,48,32", seed: 1, in: folder)
        for (name, threads, atOnce) in [("one", 1, "auto"), ("two", 2, "2")] {
            try folder.write(
                "\(name).yaml",
                """
                train: {image: train.tif, labels: train-labels.h5}
                network: {levels: 2, features: 4}
                training: {steps: \(steps), patch: [8, 16, 16], batch: 2, validations: 1, learning_rate: \(rate)}
                ensemble: {members: 3}
                consensus: {threshold: 0.5}
                segment: train.tif
                execution: {device: cpu, precision: f32, threads: \(threads), members_at_once: \(atOnce)}
                """)
        }
    }

    private func train(_ name: String) throws -> Program.Ending {
        try Program.run("run", "\(name).yaml", "--until", "train", in: folder.path)
    }

    @Test func theWeightsAreTheSameAlsoWhenInterrupted() throws {
        try prepare(steps: 60)
        let one = try train("one")
        #expect(one.code == 0, "\(one.words)")
        let process = try Program.start(["run", "two.yaml", "--until", "train"], in: folder.path)
        try folder.waitForFile(named: "checkpoint.safetensors", below: "work/two/train")
        kill(process.processIdentifier, SIGINT)
        let interrupted = try Program.wait(for: process)
        #expect(interrupted.code == 130, "\(interrupted.words)")
        #expect(interrupted.complaints.contains("stopped and saved at step "), "\(interrupted.words)")
        let two = try train("two")
        #expect(two.code == 0, "\(two.words)")
        #expect(two.complaints.contains("2 members at once"))
        let expected = try folder.weights(ofWork: "work/one")
        #expect(expected.count == 3)
        #expect(try folder.weights(ofWork: "work/two") == expected)
        let again = try train("two")
        #expect(again.code == 0 && again.complaints.contains("3 of 3     kept"), "\(again.words)")
    }

    @Test func aMemberThatDivergesSaysSo() throws {
        try prepare(steps: 40, rate: "1e30")
        let endings = try ["one", "two"].map(train)
        for ending in endings {
            let errors = ending.complaints.split(separator: "\n").filter { $0.hasPrefix("error: ") }
            #expect(ending.code == 1 && errors.count == 1, "\(ending.words)")
            #expect(errors.first?.contains("diverged at step") == true, "\(ending.words)")
        }
    }
}
