import Foundation
import TestSupport
import Testing
import Volumes

/// Whatever networks learn, a run ends with objects of it.
@Suite(.serialized) struct TargetRunTests {
    private let folder = ScratchFolder()

    private func run(
        _ target: String, label: String = "{min_voxels: 2}", evaluate: String = "{}"
    ) throws -> Program.Ending {
        if !FileManager.default.fileExists(atPath: folder.path + "/raw.tif") {
            try Program.run(
                "synthesize", "raw.tif", "labels.h5", "--shape", "12,32,32", "--voxel-size", "20,10,10", "--seed",
                "3",
                in: folder.path)
        }
        try folder.write(
            "p.yaml",
            """
            train: [{image: raw.tif, labels: labels.h5}]
            target: \(target)
            network: {levels: 2, features: 4}
            training: {steps: 4, patch: [4, 16, 16], batch: 2, validations: 1}
            ensemble: {members: 2}
            consensus: {agree: all, threshold: 0.5}
            label: \(label)
            segment: [{image: raw.tif, truth: labels.h5}]
            evaluate: \(evaluate)
            execution: {device: cpu, precision: f32, threads: 2}
            """)
        return try Program.run("run", "p.yaml", in: folder.path)
    }

    @Test(arguments: [
        "foreground", "boundary", "affinities", "{affinities: [1, 40 nm, [0, -3, -3]]}", "{classes: [1, 2, 3]}",
        "[foreground, boundary, affinities]",
    ])
    func everyTargetIsLearntAndLabelled(target: String) throws {
        let ending = try run(target)
        #expect(ending.code == 0, "\(ending.words)")
        let labels = try VolumeFile.open(folder.path + "/results/p/raw/labels.tif")
        #expect(labels.info.shape == ZYX(12, 32, 32))
        let table = try String(contentsOfFile: folder.path + "/results/p/raw/objects.csv", encoding: .utf8)
        let hasObjects = table.split(separator: "\n").count > 1
        #expect(!hasObjects || table.contains(",class\n") == target.contains("classes"))
    }

    @Test func anotherThresholdOfMergingGrowsNothingAnew() throws {
        let target = "[foreground, affinities]"
        let first = try run(
            target, label: "{min_voxels: 2, regrow: {within: 40 nm, seeds: 1}, merge: {above: 0.9}}")
        #expect(first.code == 0, "\(first.words)")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/results/p/raw/labels-consensus.tif"))
        let second = try run(
            target, label: "{min_voxels: 2, regrow: {within: 40 nm, seeds: 1}, merge: {above: 0.1}}")
        #expect(second.code == 0, "\(second.words)")
        #expect(stagesRun(second) == ["label", "export", "evaluate", "report"], "\(second.words)")
    }

    private func stagesRun(_ ending: Program.Ending) -> [Substring] {
        ending.complaints.split(separator: "\n").filter { $0.contains(" done in ") }
            .compactMap { $0.split(separator: " ").first }
    }

    /// A curve passes through the score at the threshold that was used.
    @Test func everyThresholdIsScored() throws {
        func read(_ name: String) throws -> [String: Any] {
            let data = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/results/p/raw/" + name))
            return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        }
        let target = "[boundary, affinities]"
        let label = "{min_voxels: 2, regrow: {within: 40 nm, seeds: 1}, merge: {above: 0.5}}"
        let first = try run(target, label: label)
        #expect(first.code == 0 && !first.output.contains("thresholds.png"), "\(first.words)")
        let second = try run(target, label: label, evaluate: "{thresholds: true}")
        #expect(second.code == 0 && stagesRun(second) == ["evaluate", "report"], "\(second.words)")
        let (scores, curves) = (try read("scores.json"), try read("thresholds.json"))
        let members = try #require(curves["members"] as? [[String: Any]])
        let memberScores = try #require(scores["members"] as? [[String: Any]])
        #expect(members.count == 2)
        for (curve, score) in zip([curves["all"]] + members, [scores["consensus"]] + memberScores) {
            let points = try #require((curve as? [String: Any])?["points"] as? [[String: Double]])
            let score = try #require(score as? [String: Any])
            #expect(points.count == 33 && points.map { $0["logit"] ?? -1 } == (0...32).map { Double($0) / 4 })
            for key in ["vi_split", "vi_merge", "adapted_rand_error"] {
                #expect(try abs(#require(points[0][key]) - #require(score[key] as? Double)) < 1e-12, "\(key)")
            }
            #expect(Set(points.map { $0["vi_split"] }).count > 1)
        }
        for name in ["thresholds.png", "members.png"] {
            let picture = try VolumeFile.open(folder.path + "/results/p/raw/" + name, VolumeSelection(channel: 0))
            #expect(picture.info.shape.y > 300 && picture.info.shape.x > 800, "\(name)")
        }
    }

    @Test(arguments: [
        ("[foreground, affinities]", "{merge: {above: 0.7}}", "label.merge joins regions that have grown"),
        ("foreground", "{regrow: {within: 40 nm}, merge: {above: 0.7}}", "label.merge needs the affinities"),
        ("{classes: [1]}", "{regrow: {within: 40 nm}}", "label.regrow grows objects of one channel"),
        ("[foreground, foreground]", "{}", "target names the same target twice"),
        ("{affinities: [0]}", "{}", "must be from 1 to 256 voxels"),
        ("inside", "{}", "target must be foreground, boundary, affinities"),
    ])
    func whatDoesNotFitTogetherIsOneLine(target: String, label: String, problem: String) throws {
        let ending = try run(target, label: label)
        #expect(ending.code != 0)
        #expect(ending.complaints.contains(problem), "\(ending.words)")
        #expect(ending.complaints.split(separator: "\n").count == 1, "\(ending.words)")
    }
}
