import Foundation
import TestSupport
import Testing
import Volumes

/// Volumes of other voxels than the networks work at.
@Suite(.serialized)
struct ResolutionTests {
    private let folder = ScratchFolder()

    private func path(_ name: String) -> String { folder.path + "/" + name }

    private func synthesize(_ name: String, shape: String, voxelSize: String, seed: Int = 1) throws {
        let ending = try Program.run(
            "synthesize", name + ".tif", name + "-labels.tif", "--shape", shape, "--voxel-size", voxelSize,
            "--seed",
            "\(seed)", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
    }

    /// An image to learn from, of z 20 × y 10 × x 10 nm.
    private func prepare() throws { try synthesize("train", shape: "16,48,40", voxelSize: "20,10,10") }

    private func write<Element: VoxelElement>(
        _ name: String, _ volume: Volume<Element>, _ voxelSize: ZYX<Double>, position: ZYX<Double>? = nil
    ) throws {
        let writer = try VolumeFile.create(
            path(name),
            VolumeFile.Contents(
                shape: volume.shape, elementType: Element.elementType, voxelSize: VoxelSize(voxelSize, .nanometer),
                position: position))
        try writer.write(VoxelBuffer(volume), atZ: 0)
        try writer.finish()
    }

    private func writePipeline(
        train: String = "{image: train.tif, labels: train-labels.tif}", segment: String, threshold: String = "0.5",
        extra: String = ""
    ) throws {
        try folder.write(
            "p.yaml",
            """
            train: [\(train)]
            network: {levels: 2, features: 2}
            training: {steps: 2, patch: [4, 16, 16], batch: 1, validations: 1}
            ensemble: {members: 2}
            consensus: {threshold: \(threshold)}
            label: {min_voxels: 2}
            segment: [\(segment)]
            export: {formats: [tiff, hdf5, ome-zarr]}
            execution: {device: cpu, precision: f32, threads: 1}
            \(extra)
            """)
    }

    private func call(_ command: String) throws -> Program.Ending {
        try Program.run(command, "p.yaml", in: folder.path)
    }

    private func run() throws {
        let ending = try call("run")
        #expect(ending.code == 0, "\(ending.words)")
    }

    private func read<Element: VoxelElement>(_ name: String, as type: Element.Type) throws -> Volume<Element> {
        let reader = try VolumeFile.open(path(name))
        return try reader.read(Box(reader.info.shape)).converted(to: type)
    }

    /// The outputs of a stage by their subjects, relative to the folder.
    private func outputs(_ stage: String) throws -> [String: String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path("work/p/" + stage))) ?? []
        return try Dictionary(
            uniqueKeysWithValues: names.map { name in
                let output = "work/p/\(stage)/\(name)"
                let step = try JSONSerialization.jsonObject(
                    with: Data(contentsOf: URL(fileURLWithPath: path(output + "/step.json"))))
                return (try #require((step as? [String: Any])?["subject"] as? String), output)
            })
    }

    // MARK: Volumes to segment

    @Test(arguments: [ZYX(20.0, 7, 10), ZYX(40, 13, 17), ZYX(9, 16, 4)])
    func labelsReturnOntoTheirOwnGrid(voxelSize: ZYX<Double>) throws {
        try prepare()
        let (shape, size) = (ZYX(11, 37, 43), VoxelSize(voxelSize, .nanometer))
        let sides = voxelSize.array.map { "\($0)" }.joined(separator: ",")
        try synthesize("v", shape: "11,37,43", voxelSize: sides)
        try writePipeline(
            segment: "{image: v.tif, truth: v-labels.tif}", threshold: "{logit: -31}",
            extra: "evaluate: {thresholds: true}")
        let note = "v.tif: \(size) is resampled to z 20 × y 10 × x 10 nm"
        #expect(try call("plan").output.contains("note: " + note))
        #expect(try call("check").output.contains("note     " + note))
        let ending = try call("run")
        #expect(ending.code == 0 && ending.complaints.contains("note: " + note), "\(ending.words)")
        for name in [
            "labels.tif", "labels.h5", "votes.tif", "segmentation.zarr", "segmentation.zarr:labels/objects",
        ] {
            let info = try VolumeFile.open(path("results/p/v/" + name)).info
            #expect(info.shape == shape, "\(name)")
            #expect(
                info.voxelSize.complete?.agrees(with: size, tolerance: 1e-6) == true, "\(name): \(info.voxelSize)")
        }
        // At so low a threshold every voxel is inside, to the last at every border.
        #expect(try read("results/p/v/labels.tif", as: UInt8.self) == Volume(shape: shape, repeating: 1))
        #expect(try read("results/p/v/votes.tif", as: UInt8.self) == Volume(shape: shape, repeating: 2))
        let table = try String(contentsOfFile: path("results/p/v/objects.csv"), encoding: .utf8)
        let row = try #require(table.split(separator: "\n").last).split(separator: ",")
        let volume = Double(shape.count) * voxelSize.array.reduce(1e-9, *)
        let stated = try #require(Double(row[2]))
        #expect(row[1] == "\(shape.count)" && abs(stated / volume - 1) < 1e-6)
        #expect(row[9...14].map(String.init) == ["0", "11", "0", "37", "0", "43"])
        let scores = try String(contentsOfFile: path("results/p/v/scores.json"), encoding: .utf8)
        #expect(scores.contains("adapted_rand_error"))
        #expect(try call("plan").output.contains("everything is kept; a run would do nothing"))
    }

    /// Votes are those of the voxel that a voxel's middle lies in.
    @Test func votesReturnByTheNearestVoxel() throws {
        try prepare()
        try synthesize("v", shape: "11,37,43", voxelSize: "13,8,21")
        try writePipeline(segment: "v.tif", threshold: "{logit: 0}")
        try run()
        let made = try read(try #require(try outputs("consensus")["v"]) + "/votes.zarr", as: UInt8.self)
        #expect(made.shape == ZYX(7, 30, 90))
        let votes = try read("results/p/v/votes.tif", as: UInt8.self)
        var differing = 0
        for z in 0..<11 {
            for y in 0..<37 {
                for x in 0..<43 {
                    func place(_ voxel: Int, _ factor: Double, _ count: Int) -> Int {
                        min(count - 1, Int((Double(voxel) + 0.5) * factor))
                    }
                    let source = made[place(z, 0.65, 7), place(y, 0.8, 30), place(x, 2.1, 90)]
                    if votes[z, y, x] != source { differing += 1 }
                }
            }
        }
        #expect(differing == 0)
    }

    @Test func withinATenthAVolumeIsUsedAsItIs() throws {
        try prepare()
        try synthesize("v", shape: "11,37,43", voxelSize: "21.5,9.2,10.5")
        try writePipeline(segment: "v.tif")
        #expect(!(try call("plan").output.contains("resample")))
        try run()
        #expect(try outputs("resample").isEmpty)
        #expect(try VolumeFile.open(path("results/p/v/labels.tif")).info.voxelSize.complete?.nanometers.z == 21.5)
        // A resolution is part of what is learnt, resampled or not.
        try writePipeline(segment: "v.tif", extra: "resolution: {z: 20.5 nm, y: 10 nm, x: 10 nm}")
        let plan = try call("plan").output.split(separator: "\n").map(String.init)
        #expect(
            plan.contains { $0.hasPrefix("train ") && $0.contains("resolution is now given: z 20.5 ×") }, "\(plan)")
        #expect(!plan.contains { $0.hasPrefix("resample") })
    }

    /// Sections are seen by themselves, so their distance does not matter.
    @Test func in2DVolumesKeepTheirSections() throws {
        try prepare()
        try synthesize("thick", shape: "11,37,43", voxelSize: "90,10,10")
        try synthesize("fine", shape: "11,37,43", voxelSize: "90,5,10")
        try writePipeline(segment: "thick.tif, fine.tif")
        let text = try String(contentsOfFile: path("p.yaml"), encoding: .utf8)
        try folder.write("p.yaml", text.replacingOccurrences(of: "levels: 2", with: "levels: 2, dimensions: 2"))
        let plan = try call("plan")
        #expect(plan.output.contains("note: fine.tif: z 90 × y 5 × x 10 nm is resampled to z 90 × y 10 × x 10 nm"))
        #expect(!plan.output.contains("note: thick.tif"), "\(plan.words)")
        try run()
        let made = try VolumeFile.open(path(try #require(try outputs("resample")["fine.tif"]) + "/volume.zarr"))
        #expect(made.info.shape == ZYX(11, 19, 43))
    }

    @Test func whatIsTooFarIsRefusedAndDoesNotStopTheOthers() throws {
        try prepare()
        try synthesize("far", shape: "8,24,24", voxelSize: "20,1,10")
        try synthesize("near", shape: "8,24,24", voxelSize: "20,9,10")
        try writePipeline(segment: "far.tif, near.tif")
        let problem =
            "far.tif: has voxels of z 20 × y 1 × x 10 nm, which are not resampled to z 20 × y 10 × x 10 nm: along an axis "
            + "that is more than 8 times"
        let plan = try call("plan")
        #expect(plan.output.contains("fails: " + problem), "\(plan.words)")
        let ending = try call("run")
        #expect(ending.code == 3 && ending.complaints.contains("far   failed: \(problem)\n"), "\(ending.words)")
        #expect(ending.complaints.hasSuffix("1 of 2 volumes segmented\n"))
        #expect(try call("plan").output.hasSuffix("1 step to do: ingest\n"))
    }

    @Test func aModelBringsItsResolution() throws {
        try prepare()
        try synthesize("v", shape: "11,37,43", voxelSize: "20,7,10")
        let resolution = "resolution: {z: 30 nm, y: 10 nm, x: 10 nm}"
        try writePipeline(segment: "v.tif", threshold: "{logit: 0}", extra: resolution)
        try run()
        let export = try Program.run("model", "export", "p.yaml", "-o", "m.segmodel", in: folder.path)
        #expect(export.code == 0, "\(export.words)")
        let asked = """
            name: there
            model: m.segmodel
            label: {min_voxels: 2}
            segment: v.tif
            execution: {device: cpu, precision: f32, threads: 1}
            """
        try folder.write("p.yaml", asked)
        let ending = try call("run")
        #expect(ending.code == 0, "\(ending.words)")
        #expect(
            ending.complaints.contains("note: v.tif: z 20 × y 7 × x 10 nm is resampled to z 30 × y 10 × x 10 nm"))
        for name in ["labels.tif", "votes.tif"] {
            #expect(
                try read("results/there/v/" + name, as: UInt16.self) == read("results/p/v/" + name, as: UInt16.self)
            )
        }
        try folder.write("p.yaml", asked + "\n" + resolution)
        #expect(try call("run").complaints.contains("p.yaml:6: resolution is what m.segmodel was trained with"))
    }

    // MARK: Volumes to learn from

    @Test func imagesOfDifferentVoxelsAreLearntFromAtAResolution() throws {
        try prepare()
        try synthesize("other", shape: "9,30,50", voxelSize: "30,14,8", seed: 2)
        let train = "{image: train.tif, labels: train-labels.tif}, {image: other.tif, labels: other-labels.tif}"
        try writePipeline(train: train, segment: "train.tif")
        let refused = try call("run")
        #expect(refused.code == 1 && refused.complaints.contains("give a resolution"), "\(refused.words)")
        let resolution = "resolution: {z: 20 nm, y: 10 nm, x: 10.5 nm}"
        try writePipeline(train: train, segment: "other.tif", extra: resolution)
        #expect(try call("check").code == 0)
        try run()
        // The image is resampled once, to learn from it and to segment it.
        #expect(Set(try outputs("resample").keys) == ["other.tif", "other-labels.tif"])
        #expect(try call("plan").output.contains("everything is kept"))
        try writePipeline(
            train: train, segment: "other.tif", extra: resolution.replacingOccurrences(of: "20", with: "25"))
        let again = try call("plan")
        #expect(again.output.contains("resolution changed from z 20 × y 10 × x 10.5 nm to z 25"), "\(again.words)")
        #expect(again.output.contains("p.yaml:10"), "\(again.words)")
    }

    /// The image tells the place of each voxel along each axis, and so do the labels of a box of it: after resampling,
    /// they differ by less than half a voxel of the file.
    @Test(arguments: [ZYX(20.0, 16, 4), ZYX(33, 7, 25)])
    func labelsOfABoxStayAligned(resolution: ZYX<Double>) throws {
        let (shape, size) = (ZYX(24, 40, 60), ZYX(20.0, 10, 10))
        let box = Box(origin: ZYX(3, 9, 14), shape: ZYX(16, 27, 38))
        var image = Volume<UInt16>(shape: shape)
        for z in 0..<shape.z {
            for y in 0..<shape.y { for x in 0..<shape.x { image[z, y, x] = UInt16(z + y + 7 * x) * 64 } }
        }
        try write("image.h5", image, size)
        try write("placed.h5", image.cropped(to: box), size, position: ZYX(60, 90, 140))
        try write("mask.tif", image.map { $0 > 64 * 99 ? 1 : 0 as UInt8 }, size)
        try writePipeline(
            train: "{image: image.h5, labels: placed.h5, mask: mask.tif}", segment: "image.h5",
            extra: "resolution: {z: \(resolution.z) nm, y: \(resolution.y) nm, x: \(resolution.x) nm}")
        try run()
        let resampled = try outputs("resample")
        let made = try read(try #require(resampled["image.h5"]) + "/volume.zarr", as: Float.self)
        let labels = try read(try #require(resampled["placed.h5"]) + "/volume.zarr", as: Float.self)
        let mask = try read(try #require(resampled["mask.tif"]) + "/volume.zarr", as: Float.self)
        let step = resolution.zip(size, /)
        let origin = box.origin.zip(step) { Int((Double($0) / $1).rounded()) }
        #expect(labels.shape == box.end.zip(step) { Int((Double($0) / $1).rounded()) } - origin)
        #expect(mask.shape == made.shape)
        let most = Float(64 * (1 + 1 + 7)) / 2 + 1
        var (largest, masked) = (Float(0), 0)
        for z in 0..<labels.shape.z {
            for y in 0..<labels.shape.y {
                for x in 0..<labels.shape.x {
                    let there = made[origin.z + z, origin.y + y, origin.x + x]
                    largest = max(largest, abs(labels[z, y, x] - there))
                    let isInside = mask[origin.z + z, origin.y + y, origin.x + x] != 0
                    if isInside != (labels[z, y, x] > 64 * 99) { masked += 1 }
                }
            }
        }
        #expect(largest <= most && masked == 0, "\(largest) of \(most), \(masked)")
    }

    @Test func aBoxOfTooFewVoxelsIsRefused() throws {
        try prepare()
        try Program.run("convert", "train-labels.tif", "thin.tif", "--crop", "4:5,:,:", in: folder.path)
        try writePipeline(
            train: "{image: train.tif, labels: thin.tif, at: [4, 0, 0]}", segment: "train.tif",
            extra: "resolution: {z: 100 nm, y: 10 nm, x: 10 nm}")
        let ending = try call("run")
        #expect(ending.code == 1, "\(ending.words)")
        #expect(ending.complaints.contains("error: thin.tif: has z 1 × y 48 × x 40 voxels"), "\(ending.words)")
    }
}
