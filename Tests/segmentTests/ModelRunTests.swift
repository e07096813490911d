import Foundation
import Labeling
import Pipeline
import TestSupport
import Testing
import Volumes

/// A model segments as the pipeline did that trained it, and training goes on from it.
@Suite(.serialized) struct ModelRunTests {
    private let trained: TrainedModel
    private let folder: ScratchFolder

    init() throws {
        trained = try TrainedModel.shared.get()
        folder = try trained.folder()
    }

    private static let segmentation = """
        model: m.segmodel
        segment:
          - {image: test.tif, truth: test-labels.h5:/labels}
        execution: {device: cpu, threads: 2}

        """

    /// Trains on, so little that the weights stay where they were.
    private static let fineTuning = """
        model: m.segmodel
        train:
          - {image: train.tif, labels: train-labels.h5:/labels}
        training: {steps: 2, batch: 2, validations: 1, learning_rate: 1e-9}
        segment: [test.tif]
        execution: {device: cpu, threads: 2}

        """

    private func run(_ command: String..., pipeline: String) throws -> Program.Ending {
        try folder.write("p.yaml", pipeline)
        return try Program.wait(for: Program.start([command[0], "p.yaml"] + command.dropFirst(), in: folder.path))
    }

    @Test func itsLabelsAreThoseOfThePipelineThatTrainedIt() throws {
        let ending = try run("run", pipeline: Self.segmentation)
        #expect(ending.code == 0, "\(ending.words)")
        #expect(ending.complaints.contains("p: model m.segmodel, segment 1 · 2 members"), "\(ending.words)")
        #expect(
            ending.stages == ["ingest", "predict", "consensus", "label", "export", "evaluate", "report"])
        for name in [
            "labels.tif", "labels.h5", "votes.tif", "objects.csv", "contacts.csv", "overview.png", "scores.json",
            "members.png",
        ] {
            let expected = try trained.home.data("results/train/test/\(name)")
            #expect(try folder.data("results/p/test/\(name)") == expected, "\(name)")
        }
        let objects = try String(decoding: folder.data("results/p/test/objects.csv"), as: UTF8.self)
        #expect(objects.split(separator: "\n").count > 1, "no object was found, so nothing was compared")

        let report = try String(decoding: folder.data("results/p/report.html"), as: UTF8.self)
        for expected in ["m.segmodel: train, 2 members", "Validation loss", "Threshold on the calibration block"] {
            #expect(report.contains(expected), "\(expected)")
        }
        #expect(!report.contains("alt=\"Training\""))
        let provenance = try JSONSerialization.jsonObject(with: folder.data("results/p/provenance.json"))
        let model = (provenance as? [String: Any])?["model"] as? [String: Any]
        #expect(try model?["sha256"] as? String == SafetensorsHeader(trained.model).metadata["digest"])

        let again = try run("run", pipeline: Self.segmentation)
        #expect(again.stages == [])
    }

    /// Labels are made again and nothing before; those that stay are the same objects, numbered anew. Voxels are
    /// 20 × 10 × 11 nm.
    /// `segment predict` gives the probabilities that the run took its vote on.
    @Test func predictAloneGivesWhatTheRunVotesOn() throws {
        let ending = try run("run", pipeline: Self.segmentation)
        #expect(ending.code == 0, "\(ending.words)")
        func program(_ arguments: String...) throws -> Program.Ending {
            let ending = try Program.run(arguments, in: folder.path)
            #expect(ending.code == 0, "\(ending.words)")
            return ending
        }
        let each = try program("predict", "m.segmodel", "test.tif", "--each", "-o", "p.h5", "--threads", "2")
        #expect(each.output == "p-1.h5\np-2.h5\n")
        let provenance = try JSONSerialization.jsonObject(with: folder.data("results/p/provenance.json"))
        let logit = try #require((provenance as? [String: Any])?["threshold"] as? Double)
        _ = try program(
            "consensus", "p-1.h5", "p-2.h5", "--threshold", "\(1 / (1 + exp(-logit)))", "-o", "mask.tif", "--votes",
            "votes.tif")
        func volume(_ name: String) throws -> VoxelBuffer {
            let reader = try VolumeFile.open(folder.path(name))
            return try reader.read(Box(reader.info.shape))
        }
        #expect(try volume("votes.tif") == volume("results/p/test/votes.tif"))

        _ = try program("predict", "m.segmodel", "test.tif", "-o", "mean.h5", "--threads", "2")
        _ = try program(
            "predict", "m.segmodel", "test.tif", "--member", "2", "-o", "second.tif", "--threads", "2", "--work",
            "kept")
        // Of one network only, the others have nothing to predict.
        let kept = FileManager.default.enumerator(atPath: folder.path("kept"))?.compactMap { $0 as? String } ?? []
        #expect(
            kept.filter { ($0 as NSString).lastPathComponent == "logits.zarr" }.count == 1, "\(kept.prefix(40))")
        let (first, second) = (
            try volume("p-1.h5").volume(of: Float.self), try volume("p-2.h5").volume(of: Float.self)
        )
        let mean = try volume("mean.h5").volume(of: Float.self)
        #expect(
            zip(mean.voxels, zip(first.voxels, second.voxels)).allSatisfy { abs($0 - ($1.0 + $1.1) / 2) < 1e-6 })
        #expect(try volume("second.tif").volume(of: Float.self) == second)

        for (arguments, problem) in [
            (["--member", "3"], "q.h5: is asked of member 3, but the model has 2"),
            (["--output-channel", "x"], "q.h5: is asked for the channel 'x', but there are: foreground"),
        ] {
            let refused = try Program.run(
                ["predict", "m.segmodel", "test.tif", "-o", "q.h5"] + arguments, in: folder.path)
            #expect(refused.code == 1 && refused.complaints.contains("error: \(problem)"), "\(refused.words)")
        }
    }

    /// What all voted for grows into what one did, and nowhere else.
    @Test func objectsGrowWhereThereAreVotes() throws {
        func pipeline(_ votes: String, threshold: Double = 0.5, above: String = "") -> String {
            Self.segmentation + """
                consensus: {agree: all, threshold: \(threshold)}
                label: {connectivity: 26, min_voxels: 0, regrow: {votes: \(votes), seeds: 1\(above)}}

                """
        }
        let ending = try run("run", pipeline: pipeline("1"))
        #expect(ending.code == 0, "\(ending.words)")
        func read(_ name: String) throws -> Volume<UInt32> {
            let reader = try VolumeFile.open(folder.path("results/p/test/\(name)"))
            return try reader.read(Box(reader.info.shape)).converted(to: UInt32.self)
        }
        let (labels, votes) = (try read("labels.tif"), try read("votes.tif"))
        let pairs = zip(labels.voxels, votes.voxels)
        #expect(pairs.allSatisfy { $0 == 0 || $1 > 0 })
        #expect(pairs.allSatisfy { $0 != 0 || $1 < 2 })
        #expect(pairs.contains { $0 != 0 && $1 == 1 })

        // Votes for growth may ask for less than those of the consensus.
        let wider = try run("run", pipeline: pipeline("1", above: ", above: 0.3"))
        #expect(wider.code == 0, "\(wider.words)")
        let grown = try read("labels.tif")
        #expect(try run("run", pipeline: pipeline("1", threshold: 0.3)).code == 0)
        let lower = try read("votes.tif")
        #expect(zip(grown.voxels, lower.voxels).allSatisfy { $0 == 0 || $1 > 0 })
        #expect(zip(grown.voxels, votes.voxels).contains { $0 != 0 && $1 == 0 })
        #expect(zip(grown.voxels, labels.voxels).allSatisfy { $0 != 0 || $1 == 0 })

        #expect(try run("run", pipeline: pipeline("2")).code == 0)
        let common = try read("labels.tif")
        #expect(try run("run", pipeline: pipeline("majority")).code == 0)
        let isSame = try read("labels.tif") == common
        #expect(isSame && common != labels)

        let refused = try run("run", pipeline: pipeline("3"))
        #expect(
            refused.words.contains("label.regrow asks for 3 votes, but there are 2 members"), "\(refused.words)")
    }

    /// Objects with a voxel in a mask go, and what another volume has at the others is measured: here 7 everywhere.
    @Test func objectsAreMeasuredAndExcludedByOtherVolumes() throws {
        func table(_ more: String) throws -> [[Substring]] {
            let ending = try run(
                "run", pipeline: Self.segmentation.replacingOccurrences(of: "labels}", with: "labels\(more)}"))
            #expect(ending.code == 0, "\(ending.words)")
            return try String(decoding: folder.data("results/p/test/objects.csv"), as: UTF8.self)
                .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        }
        let all = try table("")
        let reader = try VolumeFile.open(folder.path("results/p/test/labels.tif"))
        let labels = try reader.read(Box(reader.info.shape)).converted(to: UInt32.self)
        let touched = Set(labels.voxels.prefix(labels.shape.y * labels.shape.x)).subtracting([0])
        try #require(!touched.isEmpty && touched.count < all.count - 1)
        // The first section.
        var mask = Volume<UInt8>(shape: labels.shape)
        for voxel in 0..<labels.shape.y * labels.shape.x { mask.voxels[voxel] = 1 }
        let size = VoxelSize(ZYX(20, 10, 11), .nanometer)
        for (name, volume) in [("mask.tif", mask), ("sevens-b.tif", mask.map { _ in 7 })] {
            try writeVolume(VoxelBuffer(volume), to: folder.path(name), replaces: true, voxelSize: size)
        }

        let kept = try table(", exclude: mask.tif, measure: [sevens-b.tif]")
        #expect(kept.count == all.count - touched.count)
        let means = try #require(kept[0].firstIndex(of: "sevens_b_mean"))
        #expect(kept.dropFirst().map { Double($0[means]) } == kept.dropFirst().map { _ in 7 })
        // The rest is what it was.
        let voxels = try #require(all[0].firstIndex(of: "voxels"))
        let before = all.dropFirst().filter { !touched.contains(UInt32($0[0]) ?? 0) }.map { $0[voxels] }
        #expect(kept.dropFirst().map { $0[voxels] } == before)

        // A mask may be empty.
        try writeVolume(
            VoxelBuffer(mask.map { _ in 0 }), to: folder.path("mask.tif"), replaces: true, voxelSize: size)
        #expect(try table(", exclude: mask.tif").count == all.count)

        try writeVolume(
            VoxelBuffer(Volume<UInt8>(shape: ZYX(2, 3, 4), repeating: 1)), to: folder.path("mask.tif"),
            replaces: true,
            voxelSize: size)
        let refused = try run(
            "run",
            pipeline: Self.segmentation.replacingOccurrences(of: "labels}", with: "labels, exclude: mask.tif}"))
        #expect(
            refused.code == 3 && refused.words.contains("mask.tif: has shape z 2 × y 3 × x 4"), "\(refused.words)")
    }

    /// Within the region of interest objects are those of the whole volume, but for what leaves it; outside there are none.
    @Test func nothingIsOutsideOfTheRegionOfInterest() throws {
        func labels(_ roi: String) throws -> Volume<UInt32> {
            let ending = try run(
                "run", pipeline: Self.segmentation.replacingOccurrences(of: "labels}", with: "labels\(roi)}"))
            #expect(ending.code == 0, "\(ending.words)")
            let reader = try VolumeFile.open(folder.path("results/p/test/labels.tif"))
            return try reader.read(Box(reader.info.shape)).converted(to: UInt32.self)
        }
        let whole = try labels("")
        let part = try labels(", roi: '2:14,:,8:30'")
        let roi = Box(from: ZYX(2, 0, 8), to: ZYX(14, 32, 30))
        var pairs: [UInt32: Set<UInt32>] = [:]
        var seen = 0
        for cell in Box(whole.shape).cells(of: ZYX(repeating: 1)) {
            let at = cell.origin
            let (one, other) = (part[at.z, at.y, at.x], whole[at.z, at.y, at.x])
            if roi.contains(cell) {
                if one != 0 { pairs[one, default: []].insert(other) }
                seen += one == 0 ? 0 : 1
            } else {
                #expect(one == 0)
            }
        }
        #expect(seen > 100)
        // The components of a part lie each within one of the whole.
        #expect(pairs.values.allSatisfy { $0.count == 1 && $0 != [0] })
        let scores = try JSONSerialization.jsonObject(with: folder.data("results/p/test/scores.json"))
        #expect(((scores as? [String: Any])?["consensus"] as? [String: Any])?["adapted_rand_error"] is Double)

        for command in ["run", "check"] {
            let refused = try run(
                command,
                pipeline: Self.segmentation.replacingOccurrences(of: "labels}", with: "labels, roi: '2:17,:,:'}"))
            #expect(
                refused.words.contains(
                    "roi 2:17,:,: is not a box of this volume, which has z 16 × y 32 × x 40 voxels")
                    && refused.code != 0, "\(refused.words)")
        }
        let smoothed = try run("run", pipeline: Self.segmentation + "label: {smooth: 20 µm}\n")
        #expect(
            smoothed.words.contains("label.smooth is 20000 nm, which is 2000 of its voxels; expected 16 at most"),
            "\(smoothed.words)")
    }

    /// What the region of interest cuts is at a border: it may be dropped, is said to be, and smoothing does not take the outside
    /// for background.
    @Test func theRegionOfInterestIsABorder() throws {
        func labels(_ settings: String) throws -> Volume<UInt32> {
            let ending = try run(
                "run",
                pipeline: Self.segmentation.replacingOccurrences(of: "labels}", with: "labels, roi: '2:14,:,8:30'}")
                    + settings)
            #expect(ending.code == 0, "\(ending.words)")
            let reader = try VolumeFile.open(folder.path("results/p/test/labels.tif"))
            return try reader.read(Box(reader.info.shape)).converted(to: UInt32.self)
        }
        let roi = Box(from: ZYX(2, 0, 8), to: ZYX(14, 32, 30))
        func isCut(_ cell: Box) -> Bool { cell.touchesBorder(of: roi, withinSections: false) }
        let all = try labels("label: {min_voxels: 0}\n")
        var cut = Set<UInt32>()
        for cell in roi.cells(of: ZYX(repeating: 1)) where isCut(cell) {
            cut.insert(all[cell.origin.z, cell.origin.y, cell.origin.x])
        }
        cut.remove(0)
        let table = try String(decoding: folder.data("results/p/test/objects.csv"), as: UTF8.self)
            .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let column = try #require(table[0].firstIndex(of: "touches_border"))
        let said = Set(table.dropFirst().filter { $0[column] == "1" }.compactMap { UInt32($0[0]) })
        #expect(!cut.isEmpty && said == cut)

        let inner = try labels("label: {min_voxels: 0, border: drop}\n")
        #expect(
            roi.cells(of: ZYX(repeating: 1)).allSatisfy {
                !isCut($0) || inner[$0.origin.z, $0.origin.y, $0.origin.x] == 0
            })

        // Smoothing what was cut out of the volume gives the same.
        let smoothed = try labels("label: {min_voxels: 0, smooth: 25 nm}\n")
        let filter = ModeFilter(
            radius: 25, voxelSize: VoxelSize(ZYX(20, 10, 11), .nanometer), withinSections: false)
        let part = all.cropped(to: roi)
        let expected = filter.smoothed(part, of: Box(part.shape), in: Box(part.shape))
        func isObject(_ volume: Volume<UInt32>) -> Volume<UInt8> { volume.map { $0 == 0 ? 0 : 1 } }
        let isSame = isObject(smoothed) == isObject(expected).placed(roi, in: Box(smoothed.shape))
        #expect(isSame && smoothed.cropped(to: roi) != part)
    }

    @Test(arguments: ["border: drop", "min_volume: 0.0011 µm³", "{border: keep, min_volume: 1100000 nm^3}"])
    func finishingFiltersObjects(settings: String) throws {
        func labels() throws -> Volume<UInt32> {
            let reader = try VolumeFile.open(folder.path("results/p/test/labels.tif"))
            return try reader.read(Box(reader.info.shape)).converted(to: UInt32.self)
        }
        #expect(try run("run", pipeline: Self.segmentation).code == 0)
        let before = try labels()
        let label = settings.hasPrefix("{") ? settings : "{\(settings)}"
        let ending = try run("run", pipeline: Self.segmentation + "label: \(label)\n")
        #expect(ending.code == 0 && ending.stages == ["label", "export", "evaluate", "report"], "\(ending.words)")
        let after = try labels()

        var sizes: [UInt32: Int] = [:]
        var isAtBorder: Set<UInt32> = []
        for z in 0..<16 {
            for y in 0..<32 {
                for x in 0..<40 where before[z, y, x] != 0 {
                    sizes[before[z, y, x], default: 0] += 1
                    if z % 15 == 0 || y % 31 == 0 || x % 39 == 0 { isAtBorder.insert(before[z, y, x]) }
                }
            }
        }
        let kept = sizes.keys.sorted().filter { object in
            settings == "border: drop" ? !isAtBorder.contains(object) : (sizes[object] ?? 0) >= 500
        }
        #expect(kept.count < sizes.count, "\(sizes): nothing was dropped, so nothing was tested")
        #expect(Set(after.voxels).subtracting([0]).count == kept.count)
        for (number, label) in kept.enumerated() {
            let isKept = zip(before.voxels, after.voxels).allSatisfy { $0 != label || $1 == UInt32(number + 1) }
            #expect(isKept, "object \(label)")
        }
    }

    @Test func checkPlanAndStatusKnowOfIt() throws {
        let check = try run("check", pipeline: Self.segmentation)
        #expect(check.code == 0, "\(check.words)")
        #expect(check.output.contains("m.segmodel: holds 2 members, unet in 3D, foreground, voxels of z 20"))
        let plan = try run("plan", pipeline: Self.segmentation)
        #expect(plan.output.contains("p: model m.segmodel"), "\(plan.words)")
        #expect(plan.output.contains("network: unet in 3D"), "\(plan.words)")
        let status = try run("status", pipeline: Self.segmentation)
        #expect(status.output.contains("model m.segmodel"))
        let diagnosis = try run("diagnose", "-o", "diagnosis", pipeline: Self.segmentation)
        #expect(diagnosis.complaints.contains("p.yaml: learns from nothing"), "\(diagnosis.words)")
    }

    @Test func whatTheFileSaysOfVotesAndLabelsWinsOverTheModel() throws {
        let ending = try run(
            "run", pipeline: Self.segmentation + "consensus: {agree: all}\nlabel: {min_voxels: 1000000}\n")
        #expect(ending.code == 0, "\(ending.words)")
        #expect(ending.complaints.contains("was calibrated for agree: 1, not all"), "\(ending.words)")
        #expect(ending.output.contains("test   0 objects"), "\(ending.words)")
        let threshold = try run("plan", pipeline: Self.segmentation + "consensus: {threshold: 0.9}\n")
        #expect(threshold.output.contains("consensus.threshold changed"), "\(threshold.words)")
        #expect(!threshold.output.contains("calibrated for"))
    }

    @Test(arguments: [
        ("network: {levels: 2}", 5, "network is what m.segmodel was trained with; remove it, or give 'train'"),
        ("training: {steps: 9}", 5, "training is what m.segmodel was trained with"),
        ("target: boundary", 5, "target is what m.segmodel was trained with"),
        ("name: p\nensemble: {members: 2}", 6, "ensemble is what m.segmodel was trained with"),
        ("consensus: {agree: 3}", 5, "consensus.agree must be from 1 to the 2 members, found 3"),
    ])
    func whatContradictsTheModelIsNamedWithItsLine(text: String, line: Int, problem: String) throws {
        let ending = try run("run", pipeline: Self.segmentation + text + "\n")
        #expect(ending.code == 1)
        #expect(ending.complaints.hasPrefix("error: p.yaml:\(line): \(problem)"), "\(ending.words)")
    }

    @Test(arguments: [
        ("network: {levels: 2, features: 8}", "network.features is 8, but that of m.segmodel is 4"),
        ("network: {levels: 3, features: 4}", "network."),
        ("target: boundary", "target is boundary, but that of m.segmodel is foreground"),
        ("ensemble: {members: 3}", "ensemble.members is 3, but that of m.segmodel is 2"),
    ])
    func trainingDoesNotGoOnWithAnotherNetwork(text: String, problem: String) throws {
        let ending = try run("run", pipeline: text + "\n" + Self.fineTuning)
        #expect(ending.code == 1)
        #expect(ending.complaints.hasPrefix("error: p.yaml:1: \(problem)"), "\(ending.words)")
    }

    @Test func trainingGoesOnFromItsWeightsAndAnewFromAnother() throws {
        let first = try run("run", pipeline: Self.fineTuning)
        #expect(first.code == 0, "\(first.words)")
        #expect(first.complaints.contains("train on 1 volume from m.segmodel"))
        let export = try Program.run("model", "export", "p.yaml", "-o", "tuned.segmodel", in: folder.path)
        #expect(export.code == 0, "\(export.words)")
        let (start, tuned) = try (
            SafetensorsHeader(trained.model), SafetensorsHeader(folder.data("tuned.segmodel"))
        )
        let weights = start.tensors.keys.filter { $0.hasSuffix(".weight") }
        #expect(weights.count >= 2 * 6)
        for name in weights {
            let distances = zip(start.floats(name), tuned.floats(name)).map { abs($0 - $1) }
            #expect(distances.max() ?? 1 < 1e-5, "\(name)")
        }
        #expect(tuned.metadata["model"]?.contains(start.metadata["digest"] ?? "?") == true)

        #expect(try run("run", pipeline: Self.fineTuning).stages == [])
        try folder.write("m.segmodel", folder.data("tuned.segmodel"))
        let plan = try run("plan", pipeline: Self.fineTuning)
        #expect(plan.output.contains("the content of m.segmodel changed"), "\(plan.words)")
        #expect(try run("run", pipeline: Self.fineTuning).stages.contains("train"))
    }

    @Test func volumesMustHaveItsVoxelsAndChannels() throws {
        try Program.run(
            "synthesize", "coarse.tif", "coarse-labels.h5", "--shape", "16,32,40", "--voxel-size", "20,10,90",
            "--seed", "2", in: folder.path)
        let coarse = try run("run", pipeline: "model: m.segmodel\nsegment: coarse.tif\n")
        #expect(coarse.code == 3)
        #expect(coarse.complaints.contains("which are not resampled to z 20 × y 10 × x 11 nm"), "\(coarse.words)")
        let check = try run("check", pipeline: "model: m.segmodel\nsegment: coarse.tif\n")
        #expect(check.code == 1)
        let channels = try run("run", pipeline: "model: m.segmodel\nsegment:\n  - image: [test.tif, test.tif]\n")
        #expect(
            channels.complaints.hasPrefix("error: p.yaml:3: test.tif has 2 inputs, but m.segmodel has 1 input"),
            "\(channels.words)")
    }
}
