import Foundation
import TestSupport
import Testing
import Volumes

/// `segment convert`, as people use it.
struct ConvertTests {
    private let folder = ScratchFolder()

    /// z · 10000 + y · 100 + x, so that a voxel tells where it was.
    private func writeRamp(_ path: String, _ shape: ZYX<Int>, _ type: ElementType = .uint32) throws {
        var ramp = Volume<UInt32>(shape: shape)
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x { ramp[z, y, x] = UInt32(z * 10_000 + y * 100 + x) }
            }
        }
        let writer = try VolumeFile.create(
            folder.path + "/" + path,
            VolumeFile.Contents(
                shape: shape, elementType: type, voxelSize: VoxelSize(ZYX(0.04, 0.008, 0.009), .micrometer)))
        try writer.write(VoxelBuffer(ramp).converted(to: type), atZ: 0)
        try writer.finish()
    }

    private func read(_ path: String) throws -> (info: VolumeInfo, voxels: Volume<UInt32>) {
        let reader = try VolumeFile.open(folder.path + "/" + path)
        return (reader.info, try reader.read(Box(reader.info.shape)).converted(to: UInt32.self))
    }

    @Test(arguments: ["ramp.tif", "ramp.h5:/raw"], ["box.tif", "box.h5:/deep/er"])
    func aBoxKeepsItsValuesAndVoxelSize(source: String, target: String) throws {
        try writeRamp(source, ZYX(9, 20, 30))
        let ending = try Program.run("convert", source, target, "--crop", "2:8,:15,4:", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        let (info, voxels) = try read(target)
        #expect(info.shape == ZYX(6, 15, 26))
        #expect(info.elementType == .uint32)
        #expect(info.voxelSize.complete?.nanometers.array.map { ($0 * 1e6).rounded() / 1e6 } == [40, 8, 9])
        #expect(voxels[0, 0, 0] == 20_004)
        #expect(voxels[5, 14, 25] == 71_429)
        let places = Set(voxels.voxels)
        #expect(places.count == 6 * 15 * 26 && places.max() == 71_429)
    }

    @Test func aTypeThatHoldsAllValuesIsTaken() throws {
        try writeRamp("ramp.h5", ZYX(3, 4, 5))
        #expect(try Program.run("convert", "ramp.h5", "small.tif", "--dtype", "uint16", in: folder.path).code == 0)
        let (info, voxels) = try read("small.tif")
        #expect(info.elementType == .uint16)
        #expect(voxels[2, 3, 4] == 20_304)
    }

    /// 256 would be 0 in 8 bits.
    @Test func aValueThatWouldWrapEndsItAndLeavesNothing() throws {
        try writeRamp("ramp.h5", ZYX(3, 4, 5))
        let ending = try Program.run("convert", "ramp.h5", "small.tif", "--dtype", "uint8", in: folder.path)
        #expect(ending.code == 1)
        #expect(
            ending.complaints
                == "error: ramp.h5: 300 at z 0, y 3, x 0 cannot be written as uint8; choose a wider --dtype\n",
            "\(ending.words)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["ramp.h5"])
    }

    /// Float32 tells whole numbers apart up to 2²⁴ = 16,777,216.
    @Test(arguments: [(UInt32(16_777_216), true), (16_777_217, false)])
    func labelsThatAFloatWouldRoundEndIt(label: UInt32, isExact: Bool) throws {
        let voxels = Volume<UInt32>(shape: ZYX(1, 2, 2), voxels: [0, 0, label, 0])
        let writer = try HDF5Writer(
            path: folder.path + "/ids.h5", dataset: "/ids", shape: voxels.shape, elementType: .uint32,
            voxelSize: nil)
        try writer.write(VoxelBuffer(voxels), atZ: 0)
        try writer.finish()
        let ending = try Program.run("convert", "ids.h5", "ids.tif", "--dtype", "float32", in: folder.path)
        #expect(ending.code == (isExact ? 0 : 1))
        #expect(
            isExact
                || ending.complaints.contains(
                    "16777217 at z 0, y 1, x 0 cannot be written as float32; choose --dtype float64"),
            "\(ending.words)")
    }

    /// A shell's pattern, given to the program as it is.
    @Test func aPatternOfSectionsIsAVolume() throws {
        try writeRamp("ramp.h5", ZYX(3, 4, 5))
        for z in 0..<3 {
            try Program.run("convert", "ramp.h5", "s\(z).tif", "--crop", "\(z):\(z + 1),:,:", in: folder.path)
        }
        #expect(try Program.run("info", "s*.tif", in: folder.path).output.contains("z 3 × y 4 × x 5 voxels"))
        let ending = try Program.run("convert", "s*.tif", "s0.tif", "--overwrite", in: folder.path)
        #expect(ending.complaints == "error: s0.tif: is what is read; expected another output\n", "\(ending.words)")
        #expect(try Program.run("convert", "s*.tif", "all.h5", in: folder.path).code == 0)
        #expect(try read("all.h5").voxels == read("ramp.h5").voxels)
    }

    /// A link to nothing must not make a volume a section shorter.
    @Test func aSectionThatIsALinkToNothingIsNamed() throws {
        try writeRamp("ramp.h5", ZYX(1, 4, 5))
        try Program.run("convert", "ramp.h5", "s/s0.tif", in: folder.path)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/s/s1.tif", withDestinationPath: "elsewhere.tif")
        let ending = try Program.run("info", "s", in: folder.path)
        #expect(ending.code == 1)
        #expect(ending.complaints.contains("s/s1.tif: is no regular file, or a link to nothing"), "\(ending.words)")
    }

    @Test(arguments: [
        (["ramp.h5", "a.png"], "a.png: the ending says no format that can be written; expected .tif"),
        (["ramp.h5", "a.tif", "--crop", "0:4,:,:"], "ramp.h5: --crop 0:4,:,: is not a box of this volume"),
        (["ramp.h5", "a.tif", "--channel", "1"], "ramp.h5:/data: has no channel 1; it has only channel 0"),
        (["none.h5", "a.tif"], "none.h5: there is no such file"),
    ])
    func whatCannotBeIsOneLine(arguments: [String], problem: String) throws {
        try writeRamp("ramp.h5", ZYX(3, 4, 5))
        let ending = try Program.wait(for: Program.start(["convert"] + arguments, in: folder.path))
        #expect(ending.code == 1)
        #expect(ending.complaints.contains(problem), "\(ending.words)")
        #expect(ending.complaints.split(separator: "\n").count == 1)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/a.tif"))
    }

    /// What the file was a box of, it says.
    @Test func aBoxKnowsItsPlace() throws {
        try writeRamp("ramp.h5", ZYX(9, 20, 30))
        #expect(try Program.run("convert", "ramp.h5", "box.h5", "--crop", "2:4,1:5,3:9", in: folder.path).code == 0)
        #expect(try read("box.h5").info.position == ZYX(80, 8, 27))
        #expect(try Program.run("convert", "box.h5", "again.h5", "--crop", ":,1:,:", in: folder.path).code == 0)
        #expect(try read("again.h5").info.position == ZYX(80, 16, 27))
        // Of other voxels as many away.
        let size = ["convert", "box.h5", "other.zarr", "--voxel-size", "20,8,18"]
        #expect(try Program.wait(for: Program.start(size, in: folder.path)).code == 0)
        let place = try #require(try read("other.zarr").info.position)
        #expect(place.zip(ZYX(40, 8, 54)) { abs($0 - $1) < 1e-6 }.array.allSatisfy { $0 })
    }

    private func writeTurned(_ path: String, unit: LengthUnit?) throws {
        let shape = ZYX(4, 6, 8)
        let frame = VolumeFrame(rows: [[0, -3, 0, 10], [2, 0, 0, -20], [0, 0, 4, 30]], unit: unit)
        let writer = try VolumeFile.create(
            folder.path + "/" + path,
            VolumeFile.Contents(shape: shape, elementType: .uint8, voxelSize: nil, frame: frame))
        try writer.write(VoxelBuffer(Volume<UInt8>(shape: shape, repeating: 1)), atZ: 0)
        try writer.finish()
    }

    /// Voxel (2, 1, 3) is at 10 - 3 · 1, -20 + 2 · 3 and 30 + 4 · 2.
    @Test(arguments: [LengthUnit.micrometer, .millimeter, nil])
    func axesAreKeptByNIfTIAndToldOfElsewhere(unit: LengthUnit?) throws {
        try writeTurned("a.nii", unit: unit)
        let crop = ["--crop", "2:,1:,3:"]
        #expect(
            try Program.wait(for: Program.start(["convert", "a.nii", "b.nii.gz"] + crop, in: folder.path)).code == 0
        )
        let rows = [[0, -3, 0, 7], [2, 0, 0, -14], [0, 0, 4, 38]] as [[Double]]
        #expect(try read("b.nii.gz").info.frame == VolumeFrame(rows: rows, unit: unit))
        #expect(try Program.run("label", "a.nii", "-o", "l.nii", in: folder.path).code == 0)
        #expect(try read("l.nii").info.frame == read("a.nii").info.frame)
        let other = try Program.run("convert", "a.nii", "c.h5", in: folder.path)
        #expect(
            other.complaints.contains("note: NIfTI alone says where axes lead: that x, y, z lead to ALS is lost"))
        #expect(other.complaints.contains("has no unit") == (unit == nil), "\(other.words)")
        #expect(try Program.run("info", "a.nii", in: folder.path).output.contains("x, y, z lead to ALS"))
    }

    @Test(arguments: [("a.nii", "b.nii"), ("a.nii", "b.zarr"), ("ramp.h5", "b.tif")])
    func aVoxelSizeIsGiven(source: String, target: String) throws {
        try writeTurned("a.nii", unit: nil)
        try writeRamp("ramp.h5", ZYX(4, 6, 8), .uint16)
        let ending = try Program.run("convert", source, target, "--voxel-size", "400,300,200", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        let info = try read(target).info
        let size = try #require(info.voxelSize.complete)
        #expect(size.agrees(with: VoxelSize(ZYX(400, 300, 200), .nanometer)))
        // As many voxels from the origin as before.
        if target == "b.nii" {
            let place = try #require(info.position)
            let expected = ZYX(7.5 * 400, -10.0 / 3 * 300, -10 * 200)
            #expect(place.zip(expected) { abs($0 - $1) < 0.1 }.array.allSatisfy { $0 })
        }
        // A unit at the end is that of all; among numbers without one it would be that of some.
        for sides in ["0.4,0.3,0.2 µm", "400 nm, 300 nm, 2000 Å"] {
            #expect(
                try Program.run(
                    "convert", source, target, "--voxel-size", sides, "--overwrite", in: folder.path
                ).code == 0)
            let size = try #require(read(target).info.voxelSize.complete)
            #expect(size.agrees(with: VoxelSize(ZYX(400, 300, 200), .nanometer)), "\(sides): \(size)")
        }
        let mixed = try Program.run("convert", source, "c.h5", "--voxel-size", "4 µm,3,2", in: folder.path)
        #expect(mixed.code != 0 && mixed.complaints.contains("expected three lengths z,y,x"), "\(mixed.words)")
        let refused = try Program.run("convert", source, "c.h5", "--voxel-size", "4,3", in: folder.path)
        #expect(
            refused.code != 0 && refused.complaints.contains("expected three lengths z,y,x"), "\(refused.words)")
    }

    private func write(_ path: String, _ voxels: [Float]) throws {
        let shape = ZYX(1, 1, voxels.count)
        let writer = try VolumeFile.create(
            folder.path + "/" + path,
            VolumeFile.Contents(shape: shape, elementType: .float32, voxelSize: nil))
        try writer.write(VoxelBuffer(Volume(shape: shape, voxels: voxels)), atZ: 0)
        try writer.finish()
    }

    @Test(arguments: [
        ([1, 0.5] as [Float], "0.5 at z 0, y 0, x 1 cannot be written as uint8; choose --dtype float32"),
        ([1, 2, .nan], "NaN at z 0, y 0, x 2 cannot be written as uint8; choose --dtype float32"),
        ([.infinity], "infinity at z 0, y 0, x 0 cannot be written as uint8; choose --dtype float32"),
        ([3, -1], "-1.0 at z 0, y 0, x 1 cannot be written as uint8; choose a signed --dtype, such as int32"),
    ])
    func whatIsNoWholeNumberIsNamed(voxels: [Float], problem: String) throws {
        try write("real.h5", voxels)
        let ending = try Program.run("convert", "real.h5", "small.zarr", "--dtype", "uint8", in: folder.path)
        #expect(ending.code == 1 && ending.complaints == "error: real.h5: \(problem)\n", "\(ending.words)")
    }

    @Test func labelsOf64BitsGoToFormatsThatHoldThem() throws {
        try writeRamp("ids.h5", ZYX(2, 3, 4), .uint64)
        let ending = try Program.run("convert", "ids.h5", "ids.tif", in: folder.path)
        #expect(ending.code == 1)
        #expect(
            ending.complaints.contains(
                "at most 32 bits, not uint64; choose another format, .h5 or .zarr, or --dtype"))
        #expect(try Program.run("convert", "ids.h5", "ids.zarr", in: folder.path).code == 0)
        #expect(try read("ids.zarr").info.elementType == .uint64)
        #expect(try Program.run("convert", "ids.h5", "ids.tif", "--dtype", "uint32", in: folder.path).code == 0)
        #expect(try read("ids.tif").info.elementType == .uint32)
    }

    @Test func whatATIFFCannotHoldIsANote() throws {
        try writeRamp("ramp.h5", ZYX(9, 20, 30))
        let ending = try Program.run("convert", "ramp.h5", "box.tif", "--crop", "2:4,:,3:", in: folder.path)
        #expect(ending.code == 0)
        #expect(
            ending.complaints
                == "note: a TIFF keeps no position: that the volume begins at z 80, y 0, x 27 nm is lost\n")
    }

    @Test func notesOfTheReaderAreNotes() throws {
        for name in ["z1", "z2", "z4"] { try writeRamp("sections/\(name).tif", ZYX(1, 4, 5), .uint16) }
        let ending = try Program.run("convert", "sections", "stack.h5", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        #expect(ending.complaints.hasPrefix("note: ") && ending.complaints.contains("3"), "\(ending.words)")
    }
}
