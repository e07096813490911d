import Foundation
import TestSupport
import Testing
import Volumes

/// What `segment convert` does where something lies at the output's place.
struct ConvertPlaceTests {
    /// `a.tif:/labels` would stand for all of `a.tif`.
    @Test(arguments: ["a.tif", "a.nii", "a.mrc"])
    func aFileOfOneVolumeTakesNoOther(name: String) throws {
        let folder = ScratchFolder()
        try Program.run("synthesize", "raw.h5", "labels.h5", "--shape", "4,16,16", in: folder.path)
        try Program.run("convert", "raw.h5", name, in: folder.path)
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name))
        let ending = try Program.run("convert", "labels.h5", name + ":/labels", "--overwrite", in: folder.path)
        #expect(ending.code == 1)
        #expect(ending.complaints.contains("\(name):/labels: holds one volume"), "\(ending.words)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name)) == before)
    }

    private let folder = ScratchFolder()
    private static let shape = ZYX(3, 4, 5)

    /// Volumes of one value, 7 and 9, and a smaller one.
    private func prepare() throws {
        try write("seven.tif", 7)
        try write("nine.tif", 9)
        try write("small.tif", 9, ZYX(3, 4, 4))
    }

    private func write(_ location: String, _ value: UInt16, _ shape: ZYX<Int> = Self.shape) throws {
        let contents = VolumeFile.Contents(
            shape: shape, elementType: .uint16, voxelSize: VoxelSize(ZYX(40, 8, 9), .nanometer))
        let writer = try VolumeFile.create(folder.path + "/" + location, contents)
        try writer.write(VoxelBuffer(Volume(shape: shape, repeating: value)), atZ: 0)
        try writer.finish()
    }

    /// The one value of a volume.
    private func value(_ location: String) throws -> UInt16? {
        let reader = try VolumeFile.open(folder.path + "/" + location)
        let values = Set(try reader.read(Box(reader.info.shape)).converted(to: UInt16.self).voxels)
        return values.count == 1 ? values.first : nil
    }

    /// All files and their bytes.
    private var files: [String: Data] {
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return names.reduce(into: [:]) { $0[$1] = FileManager.default.contents(atPath: folder.path + "/" + $1) }
    }

    private func convert(_ arguments: String...) throws -> Program.Ending {
        try Program.wait(for: Program.start(["convert"] + arguments, in: folder.path))
    }

    /// Refuses the conversion in one line with `words`, and leaves all files as they are.
    private func expectRefusal(_ words: String, _ ending: () throws -> Program.Ending) throws {
        let before = files
        let ending = try ending()
        #expect(ending.code == 1)
        #expect(ending.words.hasPrefix("error: ") && ending.words.contains(words), "\(ending.words)")
        #expect(ending.words.split(separator: "\n").count == 1)
        #expect(files == before)
    }

    @Test(arguments: ["out.tif", "out.h5", "out.h5:/a/b", "out.zarr", "out.zarr:labels/cells"])
    func whatIsThereStaysUnlessOverwritten(output: String) throws {
        try prepare()
        #expect(try convert("seven.tif", output).code == 0)
        try expectRefusal("\(output): is there already; --overwrite replaces") { try convert("nine.tif", output) }
        #expect(try value(output) == 7)
        let ending = try convert("nine.tif", output, "--overwrite")
        #expect(ending.code == 0, "\(ending.words)")
        #expect(try value(output) == 9)
        #expect(files.keys.allSatisfy { !$0.contains(".partial") })
    }

    @Test(arguments: ["out.tif", "out.h5", "out.h5:/data", "out.zarr", "out.zarr:labels/cells"])
    func aFailedConversionChangesNothing(output: String) throws {
        try prepare()
        try write("large.tif", 300)
        #expect(try convert("seven.tif", output).code == 0)
        try expectRefusal("300 at z 0, y 0, x 0 cannot be written as uint8") {
            try convert("large.tif", output, "--overwrite", "--dtype", "uint8")
        }
    }

    @Test func aDatasetIsAddedToAFile() throws {
        try prepare()
        #expect(try convert("seven.tif", "all.h5:/first").code == 0)
        #expect(try convert("nine.tif", "all.h5:/deep/second").code == 0)
        #expect(try value("all.h5:/first") == 7)
        #expect(try value("all.h5:/deep/second") == 9)
        #expect(try convert("nine.tif", "all.h5:/first", "--overwrite").code == 0)
        #expect(try value("all.h5:/first") == 9)
        #expect(try value("all.h5:/deep/second") == 9)
        try expectRefusal("all.h5:/NAME adds a dataset") { try convert("nine.tif", "all.h5") }
        try expectRefusal("all.h5:/deep: /deep is a group") {
            try convert("nine.tif", "all.h5:/deep", "--overwrite")
        }
        try expectRefusal("all.h5:/first/b: /first is no group") { try convert("nine.tif", "all.h5:/first/b") }
        try folder.write("text.h5", "no HDF5")
        try expectRefusal("text.h5:/a: cannot be opened as HDF5") { try convert("nine.tif", "text.h5:/a") }
    }

    /// By h5py: other datasets, attributes and links stay.
    @Test func aFileOfOthersKeepsAllThatItHolds() throws {
        try prepare()
        try FileManager.default.copyItem(
            atPath: Bundle.module.bundlePath + "/Data/others.h5", toPath: folder.path + "/others.h5")
        try expectRefusal("others.h5:/link/new: /link is a link") { try convert("nine.tif", "others.h5:/link/new") }
        #expect(try convert("nine.tif", "others.h5:/group/new").code == 0)
        #expect(try value("others.h5:/group/new") == 9)
        let raw = try VolumeFile.open(folder.path + "/others.h5:/link/raw")
        #expect(try raw.read(Box(raw.info.shape)).converted(to: UInt8.self).voxels == Array(0..<60))
        #expect(raw.info.voxelSize.complete?.nanometers == ZYX(50, 4, 4))
    }

    @Test(arguments: ["0.4", "0.5"])
    func labelsAreAddedToAnImage(version: String) throws {
        try prepare()
        #expect(try convert("seven.tif", "image.zarr", "--ngff", version).code == 0)
        let image = files.filter { $0.key.hasPrefix("image.zarr") }
        for name in ["cells", "nuclei"] {
            let ending = try convert("nine.tif", "image.zarr:labels/\(name)")
            #expect(ending.code == 0, "\(ending.words)")
        }
        #expect(files.filter { image.keys.contains($0.key) } == image)
        #expect(try value("image.zarr:labels/cells") == 9 && value("image.zarr:labels/nuclei") == 9)
        let group = version == "0.4" ? ".zattrs" : "zarr.json"
        let json = try JSONDecoder().decode(
            JSONValue.self, from: try #require(files["image.zarr/labels/" + group]))
        let attributes = version == "0.4" ? json : json["attributes"]?["ome"]
        #expect(attributes?["labels"] == ["cells", "nuclei"])
        try expectRefusal("do not fit the image, which has z 3 × y 4 × x 5") {
            try convert("small.tif", "image.zarr:labels/small")
        }
        try expectRefusal("image.zarr:labels/NAME adds labels") { try convert("nine.tif", "image.zarr") }
        let other = version == "0.4" ? "0.5" : "0.4"
        try expectRefusal("holds OME-Zarr \(version)") {
            try convert("nine.tif", "image.zarr:labels/other", "--ngff", other)
        }
        #expect(try convert("seven.tif", "image.zarr:labels/cells", "--overwrite").code == 0)
        #expect(try value("image.zarr:labels/cells") == 7 && value("image.zarr") == 7)
    }

    @Test(arguments: [
        ("in.tif", "./x/../in.tif"), ("in.tif", "link.tif"), ("link.tif", "in.tif"), ("in.tif", "hard.tif"),
        ("in.h5:/data", "in.h5"), ("in.h5", "in.h5:/data"), ("in.zarr", "in.zarr"), ("in.zarr:s0", "in.zarr"),
        ("in.zarr/labels/a", "in.zarr"), ("in.zarr:labels/a", "in.zarr:labels/a"),
    ])
    func whatIsReadIsNotReplaced(input: String, output: String) throws {
        for location in ["in.tif", "in.h5", "in.zarr", "in.zarr:labels/a"] { try write(location, 7) }
        try FileManager.default.createDirectory(atPath: folder.path + "/x", withIntermediateDirectories: true)
        symlink("in.tif", folder.path + "/link.tif")
        link(folder.path + "/in.tif", folder.path + "/hard.tif")
        try expectRefusal("\(output): is what is read") { try convert(input, output, "--overwrite") }
    }

    @Test func aFileMayGetADatasetOfItsOwn() throws {
        try write("in.h5", 7)
        #expect(try convert("in.h5:/data", "in.h5:/box", "--crop", "1:2,:,:").code == 0)
        #expect(try value("in.h5:/data") == 7 && value("in.h5:/box") == 7)
    }

    @Test(arguments: ["new/deep/out.tif", "new/deep/out.h5:/a", "new/deep/out.zarr"])
    func foldersThatAreMissingAreMade(output: String) throws {
        try prepare()
        #expect(try convert("nine.tif", output).code == 0)
        #expect(try value(output) == 9)
    }

    @Test func whatIsNoVolumeIsNeverReplaced() throws {
        try prepare()
        try folder.write("thesis.tif/chapter.txt", "1")
        try folder.write("thesis.zarr/chapter.txt", "1")
        for output in ["thesis.tif", "thesis.zarr", "thesis.zarr:labels/a"] {
            try expectRefusal("\(output): is a folder") { try convert("nine.tif", output, "--overwrite") }
        }
    }

    @Test func labelAndSynthesizeKeepWhatIsThere() throws {
        try prepare()
        try write("out.h5:/labels", 7)
        try expectRefusal("out.h5: is there already; --overwrite") {
            try Program.run("label", "nine.tif", "-o", "out.h5", in: folder.path)
        }
        try expectRefusal("nine.tif: is there already; --overwrite") {
            try Program.run("synthesize", "raw.tif", "nine.tif", "--shape", "8,16,16", in: folder.path)
        }
        #expect(try Program.run("label", "nine.tif", "-o", "out.h5:/objects", in: folder.path).code == 0)
        #expect(try value("out.h5:/labels") == 7 && value("out.h5:/objects") == 1)
    }
}
