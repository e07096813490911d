import Foundation
import TestSupport
import Testing
import Volumes

/// `segment label` on labels and on edges, and what commands on volumes must not do to their inputs.
struct OutsideLabelTests {
    private let folder = ScratchFolder()
    private let size = VoxelSize(ZYX(3, 2, 1), .nanometer)

    private func write(_ place: String, _ volume: Volume<some VoxelElement>) throws {
        let (file, dataset) = VolumeFile.split(place)
        let writer = try HDF5Writer(
            path: folder.path + "/" + file, dataset: dataset ?? "/data", shape: volume.shape,
            elementType: VoxelBuffer(volume).elementType, voxelSize: size, adding: true)
        try writer.write(VoxelBuffer(volume), atZ: 0)
        try writer.finish()
    }

    private func labels(_ place: String) throws -> [UInt32] {
        let reader = try VolumeFile.open(folder.path + "/" + place)
        return try reader.read(Box(reader.info.shape)).converted(to: UInt32.self).voxels
    }

    /// 2⁴⁰ and 2⁴⁰ + 1 touch; 7 has two pieces that share a corner.
    @Test(arguments: [("6", [1, 2, 2, 0, 3, 0, 4, 0, 5] as [UInt32]), ("8", [1, 2, 2, 0, 3, 0, 4, 0, 3])])
    func numbersStayApart(connectivity: String, expected: [UInt32]) throws {
        let (large, next) = (UInt64(1) << 40, UInt64(1) << 40 + 1)
        try write(
            "ids.h5", Volume(shape: ZYX(1, 3, 3), voxels: [large, next, next, 0, 7, 0, large, 0, 7] as [UInt64]))
        let ending = try Program.run(
            "label", "ids.h5", "--labels", "-o", "pieces.h5", "--connectivity", connectivity, in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        #expect(try labels("pieces.h5") == expected)
    }

    @Test(arguments: ["1", "3"])
    func numbersStayApartAcrossBlocks(threads: String) throws {
        var ids = Volume<UInt32>(shape: ZYX(70, 20, 300))
        for z in 60..<70 { ids[z, 10, 10] = z < 67 ? 5 : 6 }
        for x in 250..<260 { ids[3, 2, x] = 5 }
        try write("ids.h5", ids)
        let ending = try Program.run(
            "label", "ids.h5", "--labels", "-o", "pieces.h5", "--threads", threads, in: folder.path)
        #expect(ending.output.hasPrefix("3 objects"), "\(ending.words)")
        let found = Volume(shape: ids.shape, voxels: try labels("pieces.h5"))
        #expect(
            [found[60, 10, 10], found[66, 10, 10], found[67, 10, 10], found[3, 2, 250], found[3, 2, 259]]
                == [2, 2, 3, 1, 1])
    }

    /// Along x 0 and 1, and 2 to 4 belong together; along z the first of both sections.
    @Test func edgesJoin() throws {
        let shape = ZYX(2, 1, 5)
        try write("x.h5", Volume<UInt8>(shape: shape, voxels: [0, 1, 0, 1, 1, 0, 0, 0, 0, 0]))
        try write("y.h5", Volume<UInt8>(shape: shape))
        try write("z.h5", Volume<UInt8>(shape: shape, voxels: [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]))
        let ending = try Program.run(
            "label", "--edges", "z.h5", "y.h5", "x.h5", "-o", "graph.tif", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        #expect(try labels("graph.tif") == [1, 1, 2, 2, 2, 1, 0, 0, 0, 0])
        let two = try Program.run("label", "--edges", "z.h5", "y.h5", "-o", "graph.h5", in: folder.path)
        #expect(
            two.code != 0 && two.complaints.contains("three volumes, along z, y and x, found 2"), "\(two.words)")
    }

    /// Voxels of 3 × 2 × 1 nm³; one at the border, a ring, a voxel and a pair.
    @Test(
        arguments: [
            ("", "000000001 022200001 020203000 022200000 000000440"),
            ("--fill-holes", "000000001 022200001 022203000 022200000 000000440"),
            ("--drop-border --min-voxels 2", "000000000 011100000 010100000 011100000 000000000"),
            ("--min-volume 0.00000001", "000000001 022200001 020200000 022200000 000000330"),
            ("--min-volume 10nm^3", "000000001 022200001 020200000 022200000 000000330"),
            ("--min-volume 0.00000005 --fill-holes", "000000000 011100000 011100000 011100000 000000000"),
            ("--min-volume 2 --voxel-size 1000,1000,1000", "000000001 022200001 020200000 022200000 000000330"),
            ("--exclude e.h5", "000000001 022200001 020203000 022200000 000000000"),
            // A voxel and its four neighbours; where as many are outside, it stays what it is.
            ("--smooth 0.001µm --voxel-size 10Å", "000000001 022200001 022200000 022200000 000000330"),
            ("--smooth 1 --voxel-size 1,1,1", "000000001 022200001 022200000 022200000 000000330"),
        ])
    func objectsAreFinished(options: String, expected: String) throws {
        let shape = ZYX(1, 5, 9)
        let mask = "000000001 011100001 010101000 011100000 000000110"
        func voxels(_ rows: String) -> [UInt32] { rows.compactMap { $0.wholeNumberValue.map(UInt32.init) } }
        try write("m.h5", Volume(shape: shape, voxels: voxels(mask)))
        var excluded = Volume<UInt8>(shape: shape)
        excluded[0, 4, 7] = 1
        try write("e.h5", excluded)
        let arguments = ["label", "m.h5", "-o", "l.h5", "--connectivity", "4"]
        let ending = try Program.run(arguments + options.split(separator: " ").map(String.init), in: folder.path)
        let found = try labels("l.h5")
        #expect(ending.code == 0 && found == voxels(expected), "\(options): \(ending.words), \(found)")
    }

    @Test(arguments: [
        (["--smooth", "100"], "m.h5: --smooth is 100 nm, which is 100 of its voxels; expected 16 at most"),
        (["--smooth", "1e30"], "of its voxels; expected 16 at most"),
        (["--smooth", "0.2"], "m.h5: --smooth is 0.2 nm, which is 0.2 of its voxels; expected 1 at least"),
        (["--min-volume", "3 nm"], "expected a volume above 0, such as 0.01 for µm³ or '2000 nm³', found '3 nm'"),
        (["--smooth", "0"], "expected a length above 0, such as 40 for nanometres or '0.5 µm', found '0'"),
        (["--exclude", "small.h5"], "small.h5: has shape z 1 × y 1 × x 6, but m.h5 has z 2 × y 3 × x 4"),
    ])
    func whatCannotBeFinishedIsRefused(options: [String], problem: String) throws {
        try write("m.h5", Volume<UInt8>(shape: ZYX(2, 3, 4), repeating: 1))
        try write("small.h5", Volume<UInt8>(shape: ZYX(1, 1, 6)))
        let ending = try Program.run(["label", "m.h5", "-o", "l.h5"] + options, in: folder.path)
        #expect(ending.code != 0 && ending.complaints.contains(problem), "\(ending.words)")
    }

    /// Numbers of more than 32 bits stay what they are; formats without room for them are refused.
    @Test func longNumbersGrow() throws {
        let (line, long) = (ZYX(1, 1, 6), UInt64(1) << 63)
        try write("seeds.h5", Volume<UInt64>(shape: line, voxels: [long, 0, 0, 0, 0, 9]))
        try write("p.h5", Volume<Float>(shape: line, voxels: [0.9, 0.9, 0.8, 0.1, 0.9, 0.9]))
        let ending = try Program.run(
            "regrow", "seeds.h5", "p.h5", "--within", "90", "--above", "0.5", "-o", "grown.h5", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        let grown = try VolumeFile.open(folder.path + "/grown.h5").read(Box(line))
        #expect(grown == VoxelBuffer(Volume<UInt64>(shape: line, voxels: [long, long, long, 0, 9, 9])))
        let small = try Program.run("regrow", "seeds.h5", "p.h5", "--within", "90", "-o", "g.tif", in: folder.path)
        #expect(
            small.code == 1
                && small.complaints == "error: g.tif: label \(long) does not fit 32 bits; .h5 and .zarr hold it\n",
            "\(small.words)")
    }

    /// An output is never what is read, however it is called, and two outputs are never one.
    @Test(arguments: [
        (["label", "m.h5", "-o", "./m.h5:/mask"], "./m.h5:/mask: is what is read, m.h5"),
        (["label", "m.h5:/mask", "-o", "m.h5"], "m.h5: is what is read, m.h5:/mask"),
        (["consensus", "p.h5", "q.h5", "-o", "q.h5"], "q.h5: is what is read, q.h5"),
        (["consensus", "p.h5", "-o", "n.h5", "--votes", "p.h5"], "p.h5: is what is read, p.h5"),
        (["consensus", "p.h5", "-o", "n.h5", "--votes", "n.h5"], "n.h5: is the place of two outputs"),
        (["label", "m.h5", "-o", "p.h5", "--exclude", "p.h5"], "p.h5: is what is read, p.h5"),
        (["regrow", "m.h5", "p.h5", "--within", "9", "-o", "p.h5"], "p.h5: is what is read, p.h5"),
    ])
    func inputsAreNotOverwritten(arguments: [String], problem: String) throws {
        let shape = ZYX(2, 3, 4)
        try write("m.h5:/mask", Volume<UInt8>(shape: shape, repeating: 1))
        for name in ["p.h5", "q.h5"] { try write(name, Volume<Float>(shape: shape, repeating: 0.5)) }
        let before = try ["m.h5", "p.h5", "q.h5"].map { try folder.data($0) }
        let ending = try Program.run(arguments + ["--overwrite"], in: folder.path)
        #expect(ending.code == 1 && ending.complaints.contains(problem), "\(ending.words)")
        #expect(try ["m.h5", "p.h5", "q.h5"].map { try folder.data($0) } == before)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/n.h5"))
    }

    /// A dataset may be added to the file that is read.
    @Test func labelsMayGoBesideTheirMask() throws {
        try write("m.h5:/mask", Volume<UInt8>(shape: ZYX(2, 3, 4), repeating: 1))
        let ending = try Program.run("label", "m.h5", "-o", "m.h5:/labels", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        #expect(try labels("m.h5:/labels") == Array(repeating: 1, count: 24))
        #expect(try labels("m.h5:/mask") == Array(repeating: 1, count: 24))
    }

    /// A value is named with its file and its place in the volume, not in a block.
    @Test(arguments: ["objects", "evaluate"])
    func aNegativeLabelIsNamed(command: String) throws {
        var ids = Volume<Int16>(shape: ZYX(70, 20, 300), repeating: 3)
        ids[66, 12, 280] = -7
        try write("ids.h5", ids)
        let arguments = command == "objects" ? ["ids.h5"] : ["--labels", "ids.h5", "--truth", "ids.h5"]
        let ending = try Program.run([command] + arguments, in: folder.path)
        #expect(
            ending.code == 1
                && ending.complaints.hasPrefix("error: ids.h5: holds -7 at z 66, y 12, x 280; expected labels"),
            "\(ending.words)")
    }

    @Test func memoryThatCannotDoIsRefused() throws {
        try write("m.h5", Volume<UInt8>(shape: ZYX(2, 3, 4), repeating: 1))
        for command in [["label", "m.h5", "-o", "l.h5"], ["objects", "m.h5"]] {
            let ending = try Program.run(command + ["--memory", "1MiB"], in: folder.path)
            #expect(
                ending.code == 1 && ending.complaints.contains("and 1 MiB are given; give --memory"),
                "\(ending.words)")
        }
    }
}
