import Foundation
import TestSupport
import Testing

/// A pipeline from files to labels, small enough to run in seconds, and what its cache promises.
@Suite(.serialized)
struct PipelineRunTests {
    private let folder = ScratchFolder()

    /// Two members of a tiny network, a fixed threshold (or `auto`), one volume with truth.
    private func prepare(consensus: String = "{agree: all, threshold: 0.5}", steps: Int = 4) throws {
        try synthesize("train.tif", "train-labels.h5", shape: "16,48,32", seed: 1)
        try synthesize("test.tif", "test-labels.h5", shape: "16,32,40", seed: 2)
        try writePipeline(consensus: consensus, steps: steps)
    }

    private func synthesize(_ image: String, _ labels: String, shape: String, seed: Int) throws {
        let ending = try Program.run(
            "synthesize", image, labels, "--shape", shape, "--voxel-size", "20,10,11", "--seed", "\(seed)",
            "--overwrite", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
    }

    private func writePipeline(
        consensus: String = "{agree: all, threshold: 0.5}", steps: Int = 4
    ) throws {
        try folder.write(
            "small.yaml",
            """
            train:
              - {image: train.tif, labels: train-labels.h5:/labels}
            network: {levels: 2, features: 4}
            training: {steps: \(steps), patch: [8, 16, 16], batch: 2, validations: 1}
            ensemble: {members: 2}
            consensus: \(consensus)
            label: {min_voxels: 4}
            segment:
              - {image: test.tif, truth: test-labels.h5:/labels}
            execution: {device: cpu, precision: f32, threads: 2}
            """)
    }

    @Test func aSweepScoresAllVotesAndThresholds() throws {
        try prepare(steps: 30)
        let early = try Program.run("sweep", "small.yaml", in: folder.path)
        #expect(early.code == 1 && early.complaints.contains("is not there yet; run: segment run small.yaml"))
        #expect(try run().code == 0)
        let ending = try Program.run("sweep", "small.yaml", in: folder.path)
        #expect(ending.code == 0 && ending.output.contains("\n  2 of 2 "), "\(ending.words)")
        let table = try String(contentsOfFile: folder.path + "/results/small/test/sweep.csv", encoding: .utf8)
        let rows = table.split(separator: "\n").map { $0.split(separator: ",") }
        #expect(rows.allSatisfy { $0.count == 7 })
        // Logits 0, 0.25, … as far as there are objects, at most to 8.
        for votes in ["1", "2"] {
            let logits = rows.filter { $0[0] == votes }.map { Double($0[1]) }
            #expect((1...33).contains(logits.count), "\(votes): \(logits.count)")
            let isEven = logits == (0..<logits.count).map { Double($0) / 4 }
            #expect(isEven, "\(votes): \(logits)")
        }
        // The run's own rule and threshold, scored by another way.
        let own = try #require(rows.first { $0[0] == "2" && Double($0[1]) == 0 })
        let scores = try JSONSerialization.jsonObject(with: folder.data("results/small/test/scores.json"))
        let consensus = try #require((scores as? [String: Any])?["consensus"] as? [String: Any])
        for (column, name) in [(3, "vi_split"), (4, "vi_merge"), (5, "adapted_rand_error"), (6, "object_f1")] {
            let (swept, scored) = (Double(own[column]), consensus[name] as? Double)
            #expect(try abs(#require(swept) - #require(scored)) < 1e-9, "\(name)")
        }
    }

    /// Sections that are links, of which two change places.
    @Test func sectionsThatChangePlacesAreSeen() throws {
        try prepare()
        for z in 0..<4 {
            try Program.run(
                "convert", "test.tif", "files/\(z).tif", "--crop", "\(z):\(z + 1),:,:", in: folder.path)
        }
        func link(_ names: [Int]) throws {
            try? FileManager.default.removeItem(atPath: folder.path + "/s")
            try FileManager.default.createDirectory(atPath: folder.path + "/s", withIntermediateDirectories: true)
            for (z, name) in names.enumerated() {
                try FileManager.default.createSymbolicLink(
                    atPath: folder.path + "/s/s\(z).tif", withDestinationPath: "../files/\(name).tif")
            }
        }
        let pipeline = try String(contentsOfFile: folder.path + "/small.yaml", encoding: .utf8)
        try folder.write(
            "small.yaml", pipeline.components(separatedBy: "segment:")[0] + "segment: \"s/s[0-2].tif\"\n")
        try link([0, 1, 2, 3])
        #expect(try run("--until", "ingest").code == 0)
        let same = try Program.run("plan", "small.yaml", in: folder.path)
        #expect(same.code == 0 && !same.output.contains("changed"), "\(same.words)")
        try link([0, 2, 1, 3])
        let other = try Program.run("plan", "small.yaml", in: folder.path)
        #expect(other.output.contains("the content of s/s[0-2].tif changed"), "\(other.words)")
    }

    /// What was measured once is not measured again, which might come out the other way.
    @Test func thePrecisionIsChosenOnce() throws {
        try prepare()
        let pipeline = try String(contentsOfFile: folder.path + "/small.yaml", encoding: .utf8)
        try folder.write("small.yaml", pipeline.replacingOccurrences(of: "precision: f32", with: "precision: auto"))
        try folder.write("work/small/precision.json", "{}")
        func precision() throws -> String? {
            let plan = try Program.run("plan", "small.yaml", in: folder.path)
            return ["f32", "bf16"].first { plan.output.contains("cpu (2 threads, \($0))") }
        }
        let chosen = try #require(try precision())
        let kept = try String(contentsOfFile: folder.path + "/work/small/precision.json", encoding: .utf8)
        #expect(kept.contains(":\"\(chosen)\""), "\(kept)")
        let other = chosen == "f32" ? "bf16" : "f32"
        try folder.write("work/small/precision.json", kept.replacingOccurrences(of: chosen, with: other))
        #expect(try precision() == other)
    }

    private func run(_ arguments: String...) throws -> Program.Ending {
        try Program.wait(for: Program.start(["run", "small.yaml"] + arguments, in: folder.path))
    }

    private func digest(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name))
    }

    private static let all = [
        "ingest", "train", "predict", "calibrate", "consensus", "label", "export", "evaluate", "report",
    ]

    @Test func aPipelineRunsOnceAndIsThenKept() throws {
        try prepare(consensus: "{agree: all, threshold: auto}")
        let first = try run()
        #expect(first.code == 0, "\(first.words)")
        #expect(first.stages == Self.all)
        #expect(first.output.contains("results/small/test/labels.tif"))
        #expect(first.output.contains("adapted Rand error"))
        for name in [
            "labels.tif", "labels.h5", "votes.tif", "objects.csv", "contacts.csv", "overview.png", "scores.json",
            "members.png",
        ] {
            #expect(FileManager.default.fileExists(atPath: folder.path + "/results/small/test/" + name), "\(name)")
        }
        #expect(FileManager.default.fileExists(atPath: folder.path + "/results/small/report.html"))

        let second = try run()
        #expect(second.code == 0)
        #expect(second.stages == [])

        // The rule changes: the threshold is chosen anew for it, and nothing before that runs.
        try writePipeline(consensus: "{agree: 1, threshold: auto}")
        let changed = try run()
        #expect(changed.stages == ["calibrate", "consensus", "label", "export", "evaluate", "report"])
        #expect(changed.complaints.contains("consensus.agree changed from all to 1 (small.yaml:6)"))
    }

    @Test func onlyWhatDependsOnAChangeRunsAgain() throws {
        try prepare()
        #expect(try run().code == 0)

        try writePipeline(consensus: "{agree: 1, threshold: 0.5}")
        let plan = try Program.run("plan", "small.yaml", in: folder.path)
        #expect(plan.output.contains("consensus.agree changed from all to 1 (small.yaml:6)"))
        let rule = try run()
        #expect(rule.stages == ["consensus", "label", "export", "evaluate", "report"])

        // A new time alone is no change.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: 60)], ofItemAtPath: folder.path + "/test.tif")
        #expect(try run().stages == [])

        // Another volume to segment: the networks stay.
        try synthesize("test.tif", "test-labels.h5", shape: "16,32,40", seed: 3)
        let status = try Program.run("status", "small.yaml", in: folder.path)
        #expect(status.output.contains("the content of test.tif changed"))
        let voxel = try run()
        #expect(voxel.stages == Self.all.filter { $0 != "train" && $0 != "calibrate" })
    }

    @Test func aKilledTrainingGoesOnToTheSameWeights() throws {
        try prepare(steps: 60)
        let undisturbed = try Program.run(
            "run", "small.yaml", "--until", "train", "--work", "undisturbed", in: folder.path)
        #expect(undisturbed.code == 0, "\(undisturbed.words)")

        let process = try Program.start(
            ["run", "small.yaml", "--until", "train", "--work", "killed"], in: folder.path)
        try folder.waitForFile(named: "checkpoint.safetensors", below: "killed/train")
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()

        let resumed = try Program.run("run", "small.yaml", "--until", "train", "--work", "killed", in: folder.path)
        #expect(resumed.code == 0, "\(resumed.words)")
        let expected = try folder.weights(ofWork: "undisturbed")
        #expect(expected.count == 2)
        #expect(try folder.weights(ofWork: "killed") == expected)
    }

    /// Where in a cached store a byte is flipped.
    enum Damage: Int, CaseIterable {
        case chunk, shardIndex, metadata
    }

    @Test func aFlippedByteInTheCacheIsFoundAndRedone() throws {
        try prepare()
        #expect(try run().code == 0)
        let before = try digest("results/small/test/labels.h5")
        for damage in Damage.allCases {
            try flip(damage)
            let verified = try Program.run("status", "small.yaml", "--verify", in: folder.path)
            #expect(verified.code == 4, "\(damage)")
            #expect(verified.output.contains("is damaged"), "\(damage)")
            // The vote reads the logits again.
            try writePipeline(consensus: "{agree: all, threshold: 0.\(6 + damage.rawValue)}")
            let other = try run()
            #expect(other.code == 0, "\(damage): \(other.words)")
            #expect(other.complaints.contains("is damaged"), "\(damage)")
            #expect(other.stages.first == "predict", "\(damage)")
            try writePipeline()
            #expect(try run().code == 0)
            #expect(try digest("results/small/test/labels.h5") == before, "\(damage)")
        }
        #expect(try Program.run("status", "small.yaml", "--verify", in: folder.path).code == 0)
    }

    /// Flips one bit in the first member's logits, leaving size and time as they were.
    private func flip(_ damage: Damage) throws {
        let predict = folder.path + "/work/small/predict"
        let member = try FileManager.default.contentsOfDirectory(atPath: predict).sorted()[0]
        let store = "\(predict)/\(member)/logits.zarr/0"
        let path = damage == .metadata ? store + "/zarr.json" : store + "/c/0/0/0/0"
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        let time = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
        data[damage == .shardIndex ? data.count - 10 : data.count / 4] ^= 1
        try data.write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.modificationDate: time as Any], ofItemAtPath: path)
    }

    @Test func aResultThatWasDeletedOrAlteredIsExportedAgain() throws {
        try prepare()
        #expect(try run().code == 0)
        let labels = folder.path + "/results/small/test/labels.tif"
        let before = try digest("results/small/test/labels.tif")
        try FileManager.default.removeItem(atPath: labels)
        try folder.write("results/small/test/objects.csv", "altered")
        let again = try run()
        #expect(again.stages == ["export"])
        #expect(again.complaints.contains("was deleted or altered"))
        #expect(try digest("results/small/test/labels.tif") == before)
        #expect(try !String(decoding: digest("results/small/test/objects.csv"), as: UTF8.self).hasPrefix("altered"))
    }
}
