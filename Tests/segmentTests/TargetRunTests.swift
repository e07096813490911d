import Foundation
import Labeling
import TestSupport
import Testing
import Volumes

/// Whatever networks learn, a run ends with objects of it.
@Suite(.serialized) struct TargetRunTests {
    private let folder = ScratchFolder()

    private func synthesize() throws {
        guard !FileManager.default.fileExists(atPath: folder.path + "/raw.tif") else { return }
        try Program.run(
            "synthesize", "raw.tif", "labels.h5", "--shape", "12,32,32", "--voxel-size", "20,10,10", "--seed", "3",
            in: folder.path)
    }

    private func run(
        _ target: String, threshold: String = "0.5", label: String = "{min_voxels: 2}", evaluate: String = "{}",
        training: String = "steps: 4", until: String = "report", work: String = "work/p",
        labels: String = "labels.h5", features: Int = 4
    ) throws -> Program.Ending {
        try synthesize()
        try folder.write(
            "p.yaml",
            """
            train: [{image: raw.tif, labels: \(labels)}]
            target: \(target)
            network: {levels: 2, features: \(features)}
            training: {\(training), patch: [4, 16, 16], batch: 2, validations: 1}
            ensemble: {members: 2}
            consensus: {agree: all, threshold: \(threshold)}
            label: \(label)
            segment: [{image: raw.tif, truth: \(labels)}]
            evaluate: \(evaluate)
            execution: {device: cpu, precision: f32, threads: 1}
            """)
        return try Program.run("run", "p.yaml", "--until", until, "--work", work, in: folder.path)
    }

    @Test(arguments: [
        "foreground", "boundary", "affinities", "{affinities: [1, 40 nm, [0, -3, -3]]}",
        "[foreground, boundary, affinities]",
    ])
    func everyTargetIsLearntAndLabelled(target: String) throws {
        let ending = try run(target)
        #expect(ending.code == 0, "\(ending.words)")
        let labels = try VolumeFile.open(folder.path + "/results/p/raw/labels.tif")
        #expect(labels.info.shape == ZYX(12, 32, 32))
        let table = try String(contentsOfFile: folder.path + "/results/p/raw/objects.csv", encoding: .utf8)
        #expect(!table.contains(",class\n"))
    }

    /// Three kinds of bars that differ in brightness; each object is of the class of the bar that it lies in.
    @Test func threeClassesAreToldApart() throws {
        let shape = ZYX(12, 32, 32)
        var (image, classes) = (Volume<UInt8>(shape: shape, repeating: 20), Volume<UInt8>(shape: shape))
        let bars: [UInt8: (x: Range<Int>, brightness: UInt8)] = [
            1: (2..<9, 90), 2: (12..<19, 160), 3: (22..<29, 240),
        ]
        for (kind, bar) in bars {
            for z in 0..<shape.z {
                for y in 0..<shape.y where y % 16 < 12 {
                    for x in bar.x { (image[z, y, x], classes[z, y, x]) = (bar.brightness, kind) }
                }
            }
        }
        let size = VoxelSize(ZYX(20, 10, 10), .nanometer)
        try folder.write("raw.tif", image, voxelSize: size)
        try folder.write("classes.tif", classes, voxelSize: size)
        let ending = try run(
            "{classes: [1, 2, 3]}", label: "{min_voxels: 100}",
            training: "steps: 200, learning_rate: 0.01, augmentation: {intensity: false}",
            labels: "classes.tif", features: 12)
        #expect(ending.code == 0, "\(ending.words)")
        let table = try String(decoding: folder.data("results/p/raw/objects.csv"), as: UTF8.self)
        let lines = table.split(separator: "\n").map { $0.components(separatedBy: ",") }
        #expect(lines[0].last == "class")
        // Each bar is cut once along y into pieces of 1,008 voxels; beside them there may be specks.
        var found: [UInt8: Int] = [:]
        for row in lines.dropFirst() where try #require(Int(row[1])) > 300 {
            let kind = try #require(row.last.flatMap(UInt8.init))
            let middle = try #require(Double(row[5]))
            let bar = try #require(bars[kind])
            #expect(bar.x.contains(Int(middle.rounded())), "an object of class \(kind) at x \(middle)")
            found[kind, default: 0] += 1
        }
        #expect(found == [1: 2, 2: 2, 3: 2])
    }

    /// Of two classes every piece is an object of the truth, as it is of the labels.
    @Test func piecesOfClassesAreObjectsOfTheTruth() throws {
        try synthesize()
        let objects = try VolumeFile.open(folder.path("labels.h5")).read(Box(ZYX(12, 32, 32)))
        let classes = try objects.converted(to: UInt8.self).map { $0 == 0 ? 0 : $0 % 2 + 1 }
        try folder.write("classes.tif", classes, voxelSize: VoxelSize(ZYX(20, 10, 10), .nanometer))
        let ending = try run("{classes: [1, 2]}", labels: "classes.tif")
        #expect(ending.code == 0, "\(ending.words)")
        let scores =
            try JSONSerialization.jsonObject(with: folder.data("results/p/raw/scores.json")) as? [String: Any]
        let consensus = try #require(scores?["consensus"] as? [String: Any])
        let pieces = try connectedComponents(ofLabels: classes.map { UInt32($0) }, connectivity: .faces).count
        #expect(consensus["truth_objects"] as? Int == pieces && pieces > 2)
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
        #expect(second.stages == ["label", "export", "evaluate", "report"], "\(second.words)")
    }

    /// The best of all thresholds of merging is taken, and a pipeline that says it makes the same objects.
    @Test func mergingIsCalibratedWithTheThreshold() throws {
        func label(_ above: String) -> String {
            "{min_voxels: 2, regrow: {within: 40 nm, seeds: 1}, merge: {above: \(above)}}"
        }
        func json(_ path: String) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: folder.data(path)) as? [String: Any])
        }
        func run(_ above: String, threshold: String = "auto", until: String = "report") throws -> [String: Any]? {
            let ending = try self.run(
                "[boundary, affinities]", threshold: threshold, label: label(above), training: "steps: 40",
                until: until)
            #expect(ending.code == 0, "\(ending.words)")
            let newest = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/work/p/calibrate").map
            {
                "work/p/calibrate/\($0)/calibration.json"
            }.max { try modified($0) < modified($1) }
            return try json(#require(newest))["consensus"].flatMap { ($0 as? [String: Any])?["best"] }
                as? [String: Any]
        }
        func modified(_ path: String) throws -> Date {
            try #require(
                try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(path)")[.modificationDate]
                    as? Date)
        }
        func errors(_ best: [String: Any]?) throws -> Double {
            try ["vi_split", "vi_merge"].reduce(0) { try $0 + #require(best?[$1] as? Double) }
        }
        let best = try run("auto")
        let labels = try folder.data("results/p/raw/labels.tif")
        let (logit, above) = (
            try #require(best?["logit"] as? Double), try #require(best?["merge_above"] as? Double)
        )
        for other in ["1", "0.75"] {
            // To the tolerance in which the middle of what is as good is taken.
            #expect(try errors(best) < errors(run(other, until: "calibrate")) + 0.02, "\(other)")
        }
        _ = try run("\(above)", threshold: "{logit: \(logit)}")
        #expect(try folder.data("results/p/raw/labels.tif") == labels)
    }

    /// The figure of a validation is of the objects that the pipeline would make, weights know nothing of it.
    @Test func validationScoresWhatIsLabelled() throws {
        func trained(_ work: String, label: String) throws -> (figures: [Double], weights: [String: Data]) {
            let ending = try run(
                "foreground", label: label, training: "steps: 40, learning_rate: 0.01", until: "train", work: work)
            #expect(ending.code == 0, "\(ending.words)")
            let weights = try folder.weights(ofWork: work)
            let figures = try weights.keys.sorted().map { member in
                let curve =
                    try JSONSerialization.jsonObject(
                        with: folder.data("\(work)/train/\(member)/curve.json")) as? [String: Any]
                let last = (curve?["points"] as? [[String: Any]])?.last?["validation"] as? [String: Any]
                return try #require(last?["adapted_rand_error"] as? Double)
            }
            return (figures, weights)
        }
        let some = try trained("some", label: "{min_voxels: 2}")
        let none = try trained("none", label: "{min_voxels: 1000000}")
        #expect(some.weights == none.weights && some.weights.count == 2)
        #expect(zip(some.figures, none.figures).allSatisfy { $0 != $1 }, "\(some.figures) \(none.figures)")
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
        #expect(
            first.code == 0
                && !FileManager.default.fileExists(atPath: folder.path + "/results/p/raw/thresholds.png"),
            "\(first.words)")
        let second = try run(target, label: label, evaluate: "{thresholds: true}")
        #expect(second.code == 0 && second.stages == ["evaluate", "report"], "\(second.words)")
        let (scores, curves) = (try read("scores.json"), try read("thresholds.json"))
        let members = try #require(curves["members"] as? [[String: Any]])
        let memberScores = try #require(scores["members"] as? [[String: Any]])
        #expect(members.count == 2)
        for (curve, score) in zip([curves["all"]] + members, [scores["consensus"]] + memberScores) {
            let points = try #require((curve as? [String: Any])?["points"] as? [[String: Double]])
            let score = try #require(score as? [String: Any])
            // Logits 0, 0.25, … as far as there are objects, at most to 8.
            let isEven = points.map { $0["logit"] ?? -1 } == (0..<points.count).map { Double($0) / 4 }
            #expect(isEven && (1...33).contains(points.count), "\(points.count)")
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
        (
            "[foreground, affinities]", "{regrow: {within: 40 nm}, merge: {above: auto}}",
            "label.merge.above can be auto only where training chooses the threshold"
        ),
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
