import Foundation
import TestSupport
import Testing
import Volumes

/// Many volumes at once: what fails does not stop the others, and what is repaired alone runs again.
@Suite(.serialized)
struct BatchRunTests {
    private let folder = ScratchFolder()
    private static let voxelSize = VoxelSize(ZYX(20, 10, 11), .nanometer)

    /// A tiny ensemble with a fixed threshold.
    private func writePipeline(train: String = "train.tif", segment: String) throws {
        try folder.write(
            "p.yaml",
            """
            train: \(train)
            network: {levels: 2, features: 2}
            training: {steps: 2, patch: [4, 16, 16], batch: 1, validations: 1}
            ensemble: {members: 2}
            consensus: {agree: all, threshold: 0.5}
            label: {min_voxels: 4}
            segment: \(segment)
            execution: {device: cpu, precision: f32, threads: 1}
            """)
    }

    private func synthesize(_ image: String, _ labels: String, shape: String = "8,24,32", seed: Int) throws {
        for name in [image, labels] {
            try FileManager.default.createDirectory(
                atPath: (path(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        }
        let ending = try Program.run(
            "synthesize", image, labels, "--shape", shape, "--voxel-size", "20,10,11", "--seed", "\(seed)",
            in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
    }

    private func path(_ name: String) -> String { folder.path + "/" + name }
    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path(name))) }

    private func write(_ data: Data, _ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try data.write(to: URL(fileURLWithPath: path(name)))
    }

    private func writeTIFF<Element: VoxelElement>(
        _ name: String, _ volume: Volume<Element>, voxelSize: VoxelSize = Self.voxelSize
    ) throws {
        try folder.write(name, volume, voxelSize: voxelSize)
    }

    private func run(_ arguments: String...) throws -> Program.Ending {
        try Program.wait(for: Program.start(["run", "p.yaml"] + arguments, in: folder.path))
    }

    /// `stage subject` of each step that ran.
    private func stepsRun(_ ending: Program.Ending) -> [String] {
        ending.complaints.split(separator: "\n").filter { $0.contains(" done in ") }.map { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            return ([words[0]] + words.dropFirst(4).prefix { $0 != "done" }).joined(separator: " ")
        }
    }

    /// An OME-Zarr container of all time points and their channels.
    private func writeZarr(_ name: String, _ times: [[Volume<UInt8>]]) throws {
        let shape = times[0][0].shape
        let axes = [("t", "time"), ("c", "channel"), ("z", "space"), ("y", "space"), ("x", "space")].map {
            "{\"name\": \"\($0)\", \"type\": \"\($1)\"\($1 == "space" ? ", \"unit\": \"nanometer\"" : "")}"
        }
        try folder.write(
            name + "/.zattrs",
            """
            {"multiscales": [{"version": "0.4", "axes": [\(axes.joined(separator: ", "))], "datasets": [{"path": "0",
            "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 20, 10, 11]}]}]}]}
            """)
        try folder.write(name + "/.zgroup", "{\"zarr_format\": 2}")
        let whole = "\(shape.z), \(shape.y), \(shape.x)"
        try folder.write(
            name + "/0/.zarray",
            """
            {"zarr_format": 2, "shape": [\(times.count), \(times[0].count), \(whole)], "chunks": [1, 1, \(whole)],
            "dtype": "|u1", "compressor": null, "fill_value": 0, "order": "C", "filters": null, "dimension_separator": "."}
            """)
        for (time, channels) in times.enumerated() {
            for (channel, volume) in channels.enumerated() {
                try write(Data(volume.voxels), "\(name)/0/\(time).\(channel).0.0.0")
            }
        }
    }

    private func voxels(_ name: String) throws -> Volume<UInt8> {
        let reader = try VolumeFile.open(path(name))
        return try reader.read(Box(reader.info.shape)).converted(to: UInt8.self)
    }

    @Test func sixVolumesOfWhichTwoAreDamaged() throws {
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try synthesize("v/a.tif", "v/a_masks.tif", seed: 2)
        try synthesize("b.tif", "other/b.h5", seed: 3)
        try Program.run("convert", "b.tif", "v/b.zarr", in: folder.path)
        try synthesize("v/plate/c.tif", "other/c.h5", seed: 4)
        try synthesize("v/plate/d.h5", "other/d.tif", seed: 5)
        try synthesize("v/short.tif", "other/short.h5", seed: 6)
        let whole = try bytes("v/short.tif")
        try write(whole.prefix(whole.count / 2), "v/short.tif")
        try folder.write("v/wrong.h5", "these are notes, and no volume\n")
        try writePipeline(segment: "v/")

        let first = try run()
        #expect(first.code == 3, "\(first.words)")
        let end = first.complaints.split(separator: "\n").suffix(3).map(String.init)
        try #require(end.count == 3)
        #expect(end[0].hasPrefix("short   failed: v/short.tif: section "), "\(end)")
        #expect(end[1].hasPrefix("wrong   failed: v/wrong.h5: begins with "), "\(end)")
        #expect(end[2] == "4 of 6 volumes segmented")
        for name in ["a", "b", "plate/c", "plate/d"] {
            #expect(FileManager.default.fileExists(atPath: path("results/p/\(name)/labels.tif")), "\(name)")
        }
        #expect(FileManager.default.fileExists(atPath: path("results/p/a/scores.json")))
        #expect(!FileManager.default.fileExists(atPath: path("results/p/b/scores.json")))

        let status = try Program.run("status", "p.yaml", in: folder.path)
        #expect(
            status.output.contains("short failed in the last run; wrong failed in the last run"), "\(status.words)")
        #expect(status.output.contains("failed in the last run: v/wrong.h5: begins with"), "\(status.words)")
        try write(whole, "v/short.tif")
        let second = try run()
        #expect(second.code == 3, "\(second.words)")
        #expect(second.complaints.hasSuffix("5 of 6 volumes segmented\n"))
        #expect(
            stepsRun(second) == [
                "ingest v/short.tif", "predict short, members 1, 2", "consensus short",
                "label short", "export short", "report the run",
            ])
    }

    /// The voxels of a NIfTI pair are in a file that the pipeline does not name; a copy may keep its time.
    @Test func aChangeInAFileThatTheVolumesNameIsSeen() throws {
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try synthesize("a.tif", "other/a.h5", seed: 2)
        try Program.run("convert", "a.tif", "a.nii", in: folder.path)
        var header = try bytes("a.nii").prefix(348)
        let image = try bytes("a.nii").dropFirst(352)
        header.replaceSubrange(108..<112, with: [0, 0, 0, 0])
        header.replaceSubrange(344..<348, with: Data("ni1\0".utf8))
        try write(header, "v/pair.hdr")
        try write(image, "v/pair.img")
        try writePipeline(segment: "[v/pair.hdr]")
        #expect(try run().code == 0)

        let time = try FileManager.default.attributesOfItem(atPath: path("v/pair.img"))[.modificationDate]
        try write(Data(image.map { 255 - $0 }), "v/pair.img")
        try FileManager.default.setAttributes([.modificationDate: time as Any], ofItemAtPath: path("v/pair.img"))
        let second = try run()
        #expect(
            stepsRun(second).first == "ingest v/pair.hdr" && !stepsRun(second).contains { $0.hasPrefix("train") },
            "\(second.words)")
        try writePipeline(segment: "[v/pair.hdr]")
        #expect(stepsRun(try run()) == [])
    }

    /// Whatever is wrong with a volume, the one beside it is segmented, and a run says so in one line.
    @Test func noKindOfFailureStopsTheOthers() throws {
        let shape = ZYX(8, 24, 32)
        let image = Volume<UInt8>(shape: shape, voxels: (0..<shape.count).map { UInt8($0 % 251) })
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try FileManager.default.createDirectory(atPath: path("v"), withIntermediateDirectories: true)
        try writeTIFF("v/good.tif", image)
        // Of the same content as another, and with a damaged truth.
        try writeTIFF("v/twin.tif", image)
        try writeTIFF("v/twin_masks.tif", Volume<Float>(shape: shape, repeating: 1))
        var flawed = image.map(Float.init)
        flawed[3, 5, 7] = .nan
        try writeTIFF("v/nan.tif", flawed)
        try writeTIFF("v/coarse.tif", image, voxelSize: VoxelSize(ZYX(180, 10, 11), .nanometer))
        try writeTIFF("v/shape.tif", image.map { $0 / 2 })
        try writeTIFF("v/shape_masks.tif", Volume<UInt16>(shape: ZYX(8, 24, 31), repeating: 1))
        try FileManager.default.createSymbolicLink(atPath: path("v/gone.tif"), withDestinationPath: "nowhere.tif")
        try folder.write("v/empty.tif", "")
        try FileManager.default.createDirectory(atPath: path("v/folder.zarr"), withIntermediateDirectories: true)
        // Two of the same damaged content.
        try folder.write("v/notes1.h5", "notes")
        try folder.write("v/notes2.h5", "notes")
        try writePipeline(segment: "v/")

        let ending = try run()
        #expect(ending.code == 3, "\(ending.words)")
        #expect(ending.output.contains("results/p/good/labels.tif"))
        let said = ending.complaints.split(separator: "\n").map(String.init)
        #expect(said.last == "1 of 10 volumes segmented")
        for (name, words) in [
            ("twin", "labels must be whole numbers, found float32"), ("nan", "first at z 3, y 5, x 7"),
            ("coarse", "along an axis that is more than 8 times"), ("shape", "has shape z 8 × y 24 × x 31"),
            ("gone", "v/gone.tif: there is no such file"), ("empty", "is empty"), ("folder", "v/folder.zarr: "),
            ("notes1", "begins with"), ("notes2", "begins with"),
        ] {
            let lines = said.suffix(11).filter { $0.hasPrefix("\(name)   failed: ") }
            #expect(lines.count == 1 && lines[0].contains(words), "\(name): \(lines)")
        }
        // What cannot be planned is said by 'plan', too.
        let plan = try Program.run("plan", "p.yaml", in: folder.path)
        #expect(plan.output.contains("fails: v/gone.tif: there is no such file"), "\(plan.words)")
    }

    @Test func whereAllVolumesFailNothingIsTrained() throws {
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try folder.write("v/x.tif", "notes")
        try writePipeline(segment: "v/")
        let ending = try run()
        #expect(ending.code == 3)
        #expect(ending.complaints.contains("nothing is trained"))
        #expect(ending.complaints.hasSuffix("0 of 1 volumes segmented\n"))
        #expect(stepsRun(ending) == ["ingest train.tif", "ingest train_masks.h5"])
    }

    @Test(arguments: [2, 3])
    func aNetworkSeesSeveralImages(dimensions: Int) throws {
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try synthesize("v/a.tif", "v/a_masks.tif", seed: 2)
        // Another channel, in other units.
        for name in ["train", "v/a"] {
            let reader = try VolumeFile.open(path("\(name).tif"))
            let other = try reader.read(Box(reader.info.shape)).converted(to: Float.self).map { 10 - 2 * $0 }
            try writeTIFF("\(name)-2.tif", other)
        }
        func write(second: String, extra: String = "") throws {
            try writePipeline(
                train: "{image: [train.tif, train-2.tif], labels: train_masks.h5}",
                segment: "{image: [v/a.tif, \(second)], truth: v/a_masks.tif\(extra)}")
            let text = try String(decoding: bytes("p.yaml"), as: UTF8.self)
            try folder.write(
                "p.yaml", text.replacingOccurrences(of: "levels: 2", with: "levels: 2, dimensions: \(dimensions)"))
        }
        try write(second: "\"v/a-2.tif\"")
        let ending = try run()
        #expect(ending.code == 0, "\(ending.words)")
        let provenance = try #require(
            try JSONSerialization.jsonObject(with: bytes("results/p/provenance.json")) as? [String: Any])
        let sources = try #require(provenance["sources"] as? [[String: Any]]).compactMap { $0["path"] as? String }
        #expect(
            Set(sources) == ["train.tif", "train-2.tif", "train_masks.h5", "v/a.tif", "v/a-2.tif", "v/a_masks.tif"])
        let votes = try bytes("results/p/a/votes.tif")
        let logits = logits()
        #expect(!logits.isEmpty)

        // The second image counts, and so does the channel, which is part of every key.
        try write(second: "v/a.tif")
        let other = try run()
        #expect(other.code == 0, "\(other.words)")
        #expect(stepsRun(other).first == "predict a, members 1, 2")
        #expect(self.logits().count == 2 * logits.count)
        try write(second: "v/a-2.tif", extra: ", channel: 0")
        let chosen = try run()
        #expect(stepsRun(chosen).prefix(2) == ["ingest v/a.tif, channel 0", "ingest v/a-2.tif, channel 0"])
        #expect(try bytes("results/p/a/votes.tif") == votes)
        #expect(self.logits().count == 2 * logits.count)
    }

    /// What members predicted so far, each outcome once.
    private func logits() -> Set<Data> {
        let predicted = path("work/p/predict")
        let files = FileManager.default.enumerator(atPath: predicted)?.compactMap { $0 as? String } ?? []
        return Set(
            files.filter { $0.contains("/logits.zarr/") && $0.contains("/c/") }.compactMap {
                FileManager.default.contents(atPath: "\(predicted)/\($0)")
            }.filter { !$0.isEmpty })
    }

    /// Two channels out of three are what two files of them would be, and the unit of one counts nothing.
    @Test func channelsOfOneFileAreInputsNormalisedByThemselves() throws {
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try synthesize("v/a.tif", "v/a_masks.tif", seed: 2)
        for name in ["train", "v/a"] {
            let image = try voxels("\(name).tif")
            let other = image.map { 127 - $0 / 2 }
            try writeTIFF("\(name)-other.tif", other)
            try writeZarr("\(name).zarr", [[image, image.map { $0 % 7 }, other]])
            try writeZarr("\(name)-doubled.zarr", [[image, image, other.map { $0 * 2 }]])
        }
        func votes(_ image: (String) -> String) throws -> Data {
            try writePipeline(
                train: "{\(image("train")), labels: train_masks.h5}",
                segment: "{\(image("v/a")), truth: v/a_masks.tif}")
            let ending = try run()
            #expect(ending.code == 0, "\(ending.words)")
            let folder = try #require(
                try FileManager.default.contentsOfDirectory(atPath: path("results/p")).first { $0.hasPrefix("a") })
            defer { try? FileManager.default.removeItem(atPath: path("results")) }
            return try bytes("results/p/\(folder)/votes.tif")
        }
        let chosen = try votes { "image: \($0).zarr, channels: [0, 2]" }
        #expect(try votes { "image: [\($0).tif, \($0)-other.tif]" } == chosen)
        #expect(try votes { "image: \($0)-doubled.zarr, channels: [0, 2]" } == chosen)
        #expect(try votes { "image: \($0).zarr, channels: [0, 1]" } != chosen)
    }

    @Test func aMovieIsAVolumeATimePoint() throws {
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try synthesize("v/a.tif", "v/a_masks.tif", seed: 2)
        let first = try voxels("v/a.tif")
        let times = (0..<11).map { time in first.map { $0 / 2 + UInt8(9 * time) } }
        try writeZarr("movie.zarr", times.map { [$0] })
        try writePipeline(segment: "{image: movie.zarr, time: all}\nexport: {formats: [tiff, ome-zarr]}")
        let ending = try run()
        #expect(ending.code == 0, "\(ending.words)")
        let names = (0...10).map { $0 < 10 ? "t0\($0)" : "t10" }
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("results/p/movie")).sorted() == names)
        for (name, image) in zip(names, times) {
            // The image, and the labels beside it.
            #expect(try voxels("results/p/movie/\(name)/segmentation.zarr") == image, "\(name)")
            #expect(FileManager.default.fileExists(atPath: path("results/p/movie/\(name)/labels.tif")))
        }
        // Off a terminal a step is a line.
        #expect(
            Set(stepsRun(ending)).count == ending.complaints.split(separator: "\n").count - 2, "\(ending.words)")
    }

    @Test func checkReadsEveryTimePointOfAMovie() throws {
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try writeZarr("movie.zarr", (0..<3).map { _ in [try voxels("train.tif")] })
        try write(Data([1, 2, 3]), "movie.zarr/0/2.0.0.0.0")
        try writePipeline(segment: "{image: movie.zarr, time: all}")
        let check = try Program.run("check", "p.yaml", in: folder.path)
        #expect(check.code == 1, "\(check.words)")
        let lines = check.output.split(separator: "\n").filter { $0.contains("error ") }
        #expect(lines.count == 1 && lines[0].contains("movie.zarr, time 2: "), "\(check.words)")
    }

    /// A folder of sections is one volume beside others, in whatever is asked of it.
    @Test func aFolderOfSectionsIsSegmentedAsOneVolume() throws {
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try synthesize("v/a.tif", "v/a_masks.tif", seed: 2)
        let image = try voxels("v/a.tif")
        for z in 0..<image.shape.z {
            try folder.write("v/em/z\(z).tif", "")
            try writeTIFF(
                "v/em/z\(z).tif",
                image.cropped(to: Box(origin: ZYX(z, 0, 0), shape: ZYX(1, image.shape.y, image.shape.x))))
        }
        try writePipeline(segment: "v")
        let note = "note: v/em: 8 numbered sections are read as one volume"
        #expect(try Program.run("plan", "p.yaml", in: folder.path).output.contains(note))
        let check = try Program.run("check", "p.yaml", in: folder.path)
        #expect(
            check.code == 0 && check.output.contains("note     p.yaml: v/em: 8 numbered sections"), "\(check.words)"
        )
        let ending = try run()
        #expect(ending.code == 0 && ending.complaints.contains(note), "\(ending.words)")
        #expect(try bytes("results/p/em/votes.tif") == bytes("results/p/a/votes.tif"))
    }

    @Test func everyTimePointIsAVolumeOfItsOwn() throws {
        try synthesize("train.tif", "train_masks.h5", shape: "16,48,32", seed: 1)
        try synthesize("v/a.tif", "v/a_masks.tif", seed: 2)
        try writePipeline(segment: "{image: v/a.tif, truth: v/a_masks.tif, time: all}")
        let ending = try run()
        #expect(ending.code == 0, "\(ending.words)")
        #expect(ending.output.contains("results/p/a/t0/labels.tif"))
        try writePipeline(segment: "{image: v/a.tif, time: 3}")
        let other = try run()
        #expect(other.code == 3)
        #expect(other.complaints.contains("has no time 3; it has only time 0"), "\(other.words)")
    }
}
