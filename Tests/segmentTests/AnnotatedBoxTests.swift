import Foundation
import TestSupport
import Testing
import Volumes

/// Labels that cover a box of their image.
struct AnnotatedBoxTests {
    private let folder = ScratchFolder()

    /// An image of z 24 × y 48 × x 48, its labels, those of a box that says where it lies, and the same without a word.
    private func prepare() throws {
        try Program.run(
            "synthesize", "raw.tif", "labels.h5", "--shape", "24,48,48", "--voxel-size", "10,10,10",
            in: folder.path)
        for name in ["box.h5", "bare.tif"] {
            let ending = try Program.run("convert", "labels.h5", name, "--crop", "4:20,8:40,:32", in: folder.path)
            #expect(ending.code == 0, "\(ending.words)")
        }
    }

    private func run(_ name: String, _ entry: String) throws -> Program.Ending {
        try folder.write(
            name + ".yaml",
            """
            train: [\(entry)]
            network: {levels: 2, features: 4}
            training: {steps: 2, patch: [16, 16, 16], validations: 1}
            ensemble: {members: 1}
            label: {min_voxels: 0}
            segment: [raw.tif]
            execution: {device: cpu, threads: 1, precision: f32}
            """)
        return try Program.run("run", name + ".yaml", in: folder.path)
    }

    private func weights(_ name: String) throws -> Data? {
        let train = folder.path + "/work/\(name)/train"
        let member = try #require(try FileManager.default.contentsOfDirectory(atPath: train).first)
        return FileManager.default.contents(atPath: "\(train)/\(member)/weights.safetensors")
    }

    @Test func aBoxIsPlacedByItsFileOrByThePipelineFile() throws {
        try prepare()
        let stated = try run("stated", "{image: raw.tif, labels: \"box.h5:/data\"}")
        #expect(stated.code == 0, "\(stated.words)")
        let given = try run("given", "{image: raw.tif, labels: bare.tif, at: [4, 8, 0]}")
        #expect(given.code == 0, "\(given.words)")
        #expect(try weights("stated") == weights("given"))
        // Elsewhere the labels fit other voxels, so that something else is learnt.
        let moved = try run("moved", "{image: raw.tif, labels: bare.tif, at: {z: 4, y: 8, x: 8}}")
        #expect(moved.code == 0, "\(moved.words)")
        #expect(try weights("stated") != weights("moved"))
    }

    /// As if a mask said so, in a box too.
    @Test func sectionsWithoutLabelsAreNotAnnotated() throws {
        try prepare()
        let shape = ZYX(16, 32, 32)
        var (labels, mask) = (Volume<UInt8>(shape: shape), Volume<UInt8>(shape: shape))
        for z in stride(from: 1, to: 16, by: 3) {
            let section = Volume<UInt8>(
                shape: ZYX(1, 32, 32), voxels: (0..<1024).map { $0 % 9 < 4 ? UInt8($0 / 256 + 1) : 0 })
            labels.replace(at: ZYX(z, 0, 0), with: section)
            mask.replace(at: ZYX(z, 0, 0), with: section.map { _ in 1 })
        }
        let size = VoxelSize(ZYX(10, 10, 10), .nanometer)
        try folder.write("every.tif", labels, voxelSize: size)
        try folder.write("mask.tif", mask, voxelSize: size)
        var found: [Data?] = []
        for (name, key) in [
            ("sections", "unlabelled: sections"), ("mask", "mask: mask.tif"), ("none", "unlabelled: none"),
        ] {
            let ending = try run(name, "{image: raw.tif, labels: every.tif, at: [4, 8, 0], \(key)}")
            #expect(ending.code == 0, "\(ending.words)")
            #expect(ending.complaints.contains("sections have labels") == (name == "none"), "\(ending.words)")
            found.append(try weights(name))
        }
        #expect(found[0] != nil && found[0] == found[1] && found[0] != found[2])
    }

    /// The image tells the middle of its first voxel and the labels its corner, or the other way round; the box fits at
    /// one place alone.
    @Test(
        arguments: [
            (ZYX(5.0, 5, 5), ZYX(40.0, 80, 0), nil), (ZYX(0, 0, 0), ZYX(45, 85, 5), nil),
            (ZYX(0, 0, 0), ZYX(43, 80, 0), "is said to lie at 43.0, 80.0, 0.0 nm, which is between voxels"),
            (ZYX(0, 0, 0), ZYX(45, 80, 0), "which is between voxels"),
        ] as [(ZYX<Double>, ZYX<Double>, String?)])
    func middlesAndCornersOfVoxelsGoTogether(image: ZYX<Double>, labels: ZYX<Double>, problem: String?) throws {
        for (name, shape, position) in [("raw.h5", ZYX(20, 40, 32), image), ("box.h5", ZYX(16, 32, 32), labels)] {
            let writer = try VolumeFile.create(
                folder.path + "/" + name,
                VolumeFile.Contents(
                    shape: shape, elementType: .uint8, voxelSize: VoxelSize(ZYX(10, 10, 10), .nanometer),
                    position: position))
            try writer.write(VoxelBuffer(Volume<UInt8>(shape: shape, repeating: 1)), atZ: 0)
            try writer.finish()
        }
        try folder.write(
            "a.yaml",
            """
            train: [{image: raw.h5, labels: box.h5}]
            training: {patch: [16, 16, 16]}
            network: {levels: 2}
            segment: [raw.h5]
            """)
        let check = try Program.run("check", "a.yaml", "--headers", in: folder.path)
        #expect(check.code == (problem == nil ? 0 : 1), "\(check.words)")
        #expect(problem.map { check.words.contains($0) } ?? true, "\(check.words)")
    }

    @Test(arguments: [
        (
            "labels: bare.tif",
            "where labels cover a box of the image, say where it begins, in voxels: at: [0, 0, 0]"
        ),
        (
            "labels: bare.tif, at: {z: 9}",
            "lies at z 9:25, y 0:32, x 0:32 of its image raw.tif, and reaches beyond its z 24 × y 48 × x 48"
        ),
    ])
    func whatDoesNotFitIsFoundBeforehand(entry: String, problem: String) throws {
        try prepare()
        #expect(try run("wrong", "{image: raw.tif, \(entry)}").complaints.contains("error: bare.tif"))
        let check = try Program.run("check", "wrong.yaml", in: folder.path)
        #expect(check.code == 1 && check.words.contains(problem), "\(check.words)")
    }
}
