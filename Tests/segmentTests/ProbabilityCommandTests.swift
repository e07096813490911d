import Foundation
import TestSupport
import Testing
import Volumes

/// `segment consensus` and `segment regrow` on the probabilities of any program.
struct ProbabilityCommandTests {
    private let folder = ScratchFolder()
    private let shape = ZYX(5, 6, 70)
    private let size = VoxelSize(ZYX(40, 8, 8), .nanometer)

    /// Probabilities of three members, a tenth apart, in three types; ends included.
    private func members() throws -> [[Double]] {
        let tenths = (0..<3).map { member in
            (0..<shape.count).map { (($0 * 2_654_435_761) >> (7 + 3 * member)) % 11 }
        }
        try write("a.h5", Volume(shape: shape, voxels: tenths[0].map { Float($0) / 10 }))
        // 25.5 and 6553.5 to a tenth: rounding is far from what is asked for.
        try folder.write(
            "b.tif", Volume(shape: shape, voxels: tenths[1].map { UInt8((25.5 * Double($0)).rounded()) }),
            voxelSize: size)
        try folder.write(
            "c.tif", Volume(shape: shape, voxels: tenths[2].map { UInt16((6553.5 * Double($0)).rounded()) }),
            voxelSize: size)
        return tenths.map { $0.map { Double($0) / 10 } }
    }

    private func write(_ name: String, _ volume: Volume<some VoxelElement>) throws {
        let voxels = VoxelBuffer(volume)
        let writer = try HDF5Writer(
            path: folder.path + "/" + name, dataset: "/p", shape: voxels.shape, elementType: voxels.elementType,
            voxelSize: size)
        try writer.write(voxels, atZ: 0)
        try writer.finish()
    }

    @Test(arguments: ["all", "majority", "1", "mean"], ["1", "3"])
    func membersAgree(rule: String, threads: String) throws {
        let members = try members()
        let ending = try Program.run(
            "consensus", "a.h5", "b.tif", "c.tif", "-o", "mask.h5", "--votes", "votes.tif", "--agree", rule,
            "--threshold", "0.65", "--threads", threads, "--mean", "mean.h5", "--variance", "variance.tif",
            "--lowest",
            "lowest.h5", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        let mask = try VolumeFile.open(folder.path + "/mask.h5")
        #expect(mask.info.voxelSize.complete == size)
        let found = try mask.read(Box(shape)).volume(of: UInt8.self).voxels
        let votes = try VolumeFile.open(folder.path + "/votes.tif").read(Box(shape)).volume(of: UInt8.self).voxels
        let spread = try ["mean.h5", "variance.tif", "lowest.h5"].map {
            try VolumeFile.open(folder.path + "/" + $0).read(Box(shape)).volume(of: Float.self).voxels
        }
        var wrong = 0
        for voxel in 0..<shape.count {
            let probabilities = members.map { $0[voxel] }
            // A tenth is up to 1/510 off in 8 bits.
            let mean = probabilities.reduce(0, +) / 3
            let variance = probabilities.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3
            for (found, expected) in zip(spread, [mean, variance, probabilities.min()!])
            where abs(Double(found[voxel]) - expected) > 0.0025 { wrong += 1 }
            let count = probabilities.count { $0 > 0.65 }
            // A mean of 0.65 is not reached by tenths of three.
            let isInside =
                switch rule {
                case "all": count == 3
                case "majority": count >= 2
                case "mean": probabilities.reduce(0, +) / 3 > 0.65
                default: count >= 1
                }
            if found[voxel] != (isInside ? 1 : 0) || Int(votes[voxel]) != count { wrong += 1 }
        }
        #expect(wrong == 0)
        let inside = 100 * Double(found.count { $0 == 1 }) / Double(shape.count)
        #expect(
            ending.output.contains(String(format: "%.1f %% of 2,100 voxels are inside", inside)), "\(ending.words)")
    }

    /// ln(0.85 / 0.15) is 1.734601.
    @Test func aThresholdMayBeALogit() throws {
        _ = try members()
        for (name, threshold) in [("p", ["--threshold", "0.85"]), ("l", ["--threshold-logit", "1.734601"])] {
            let ending = try Program.run(
                ["consensus", "a.h5", "b.tif", "-o", "\(name).h5"] + threshold, in: folder.path)
            #expect(ending.code == 0, "\(ending.words)")
        }
        let masks = try ["p.h5", "l.h5"].map {
            try VolumeFile.open(folder.path + "/" + $0).read(Box(shape)).volume(of: UInt8.self).voxels
        }
        #expect(masks[0] == masks[1] && masks[0].contains(1))
    }

    @Test func itsMaskIsLabelledAndIsWhatAStoreHolds() throws {
        _ = try members()
        for mask in ["mask.tif", "mask.zarr"] {
            #expect(try Program.run("consensus", "a.h5", "c.tif", "-o", mask, in: folder.path).code == 0)
            let ending = try Program.run("label", mask, "-o", mask + ".h5", "--memory", "1G", in: folder.path)
            #expect(ending.code == 0, "\(ending.words)")
        }
        let labels = try ["mask.tif.h5", "mask.zarr.h5"].map {
            try VolumeFile.open(folder.path + "/" + $0).read(Box(shape)).volume(of: UInt32.self)
        }
        #expect(labels[0] == labels[1])
        #expect(labels[0].voxels.max() ?? 0 > 10)
    }

    /// The left object climbs over what is in its way before it is the wall's turn; see `RegrowthTests`.
    @Test(
        arguments: [
            (["--within", "100"], [7, 7, 7, 9, 9, 9, 9]), (["--within", "8"], [7, 7, 0, 0, 0, 9, 9]),
            (["--within", "16", "--above", "0.3"], [7, 7, 0, 0, 9, 9, 9]),
            (["--within", "100", "--votes", "v.tif", "--at-least", "2"], [7, 7, 0, 0, 9, 9, 9]),
            (["--votes", "v.tif", "--at-least", "3"], [7, 0, 0, 0, 0, 9, 9]),
            (["--within", "100", "--within-sections", "--voxel-size", "1,1,1"], [7, 7, 7, 9, 9, 9, 9]),
        ] as [([String], [UInt32])])
    func objectsGrow(options: [String], expected: [UInt32]) throws {
        let line = ZYX(1, 1, 7)
        try write("p.h5", Volume<Float>(shape: line, voxels: [0.5, 0.9, 0.1, 0.9, 0.9, 0.9, 0.5]))
        try folder.write("seeds.tif", Volume<UInt16>(shape: line, voxels: [7, 0, 0, 0, 0, 0, 9]), voxelSize: size)
        try folder.write("v.tif", Volume<UInt8>(shape: line, voxels: [3, 2, 1, 1, 2, 3, 3]), voxelSize: size)
        let ending = try Program.run(["regrow", "seeds.tif", "p.h5", "-o", "grown.h5"] + options, in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        let grown = try VolumeFile.open(folder.path + "/grown.h5").read(Box(line)).converted(to: UInt32.self)
        #expect(grown.voxels == expected)
        let other = try Program.run("regrow", "seeds.tif", "a.h5", "-o", "g.h5", "--within", "9", in: folder.path)
        #expect(other.code == 1 && other.complaints == "error: a.h5: there is no such file\n", "\(other.words)")
    }

    /// Votes say where objects grow, not which comes first: the seed of one vote is still the surest.
    @Test func votesChangeNoHeight() throws {
        let square = ZYX(1, 3, 3)
        let nanometers = VoxelSize(ZYX(10, 10, 10), .nanometer)
        try folder.write(
            "s.tif", Volume<UInt8>(shape: square, voxels: [0, 1, 0, 2, 0, 0, 0, 0, 0]), voxelSize: nanometers)
        try folder.write(
            "v.tif", Volume<UInt8>(shape: square, voxels: [5, 1, 5, 5, 5, 5, 5, 5, 5]), voxelSize: nanometers)
        try folder.write(
            "p.tif", Volume<Float>(shape: square, voxels: [0.1, 0.9, 0.1, 0.6, 0.5, 0.1, 0.1, 0.1, 0.1]),
            voxelSize: nanometers)
        let ending = try Program.run(
            "regrow", "s.tif", "p.tif", "--within", "10", "--votes", "v.tif", "--at-least", "2", "-o", "g.h5",
            in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        let grown = try VolumeFile.open(folder.path + "/g.h5").read(Box(square)).converted(to: UInt32.self)
        #expect(grown.voxels == [1, 1, 1, 2, 1, 0, 2, 0, 0])
        let beyond = try Program.run(
            "regrow", "s.tif", "p.tif", "--votes", "v.tif", "--at-least", "6", "-o", "h.h5", in: folder.path)
        #expect(
            beyond.code == 1 && beyond.complaints.contains("v.tif: has 5 votes at most, but growth is to have 6"),
            "\(beyond.words)")
        try folder.write("n.tif", Volume<UInt16>(shape: square, repeating: 300), voxelSize: nanometers)
        try folder.write("f.tif", Volume<Float>(shape: square), voxelSize: nanometers)
        for (name, problem) in [
            ("n.tif", "n.tif: holds 300; expected numbers of votes"),
            ("f.tif", "f.tif: numbers of votes must be whole numbers, found float32"),
        ] {
            let refused = try Program.run(
                "regrow", "s.tif", "p.tif", "--votes", name, "--at-least", "2", "-o", "h.h5", in: folder.path)
            #expect(refused.code == 1 && refused.complaints.contains(problem), "\(refused.words)")
        }
    }

    @Test func whatIsNoProbabilityIsRefused() throws {
        _ = try members()
        var wrong = Volume<Float>(shape: shape, repeating: 0.5)
        wrong[2, 3, 4] = 1.5
        try write("wrong.h5", wrong)
        try write("whole.h5", Volume<Int32>(shape: shape))
        try write("signed.h5", Volume<Int16>(shape: shape))
        try write("small.h5", Volume<Float>(shape: ZYX(5, 6, 7)))
        let refusals = [
            (
                ["a.h5", "wrong.h5"],
                "error: wrong.h5: holds 1.5 at z 2, y 3, x 4; expected probabilities from 0 to 1\n"
            ),
            (["whole.h5"], "error: whole.h5: holds int32; expected probabilities as float, uint8 or uint16\n"),
            (
                ["signed.h5"],
                "error: signed.h5: holds int16, which are neither probabilities nor logits that segment wrote\n"
            ),
            (["a.h5", "small.h5"], "error: small.h5: has shape z 5 × y 6 × x 7, but a.h5 has z 5 × y 6 × x 70\n"),
        ]
        for (members, problem) in refusals {
            let ending = try Program.run(["consensus"] + members + ["-o", "mask.tif"], in: folder.path)
            #expect(ending.code == 1 && ending.complaints == problem, "\(ending.words)")
        }
        let many = try Program.run("consensus", "a.h5", "--agree", "2", "-o", "mask.tif", in: folder.path)
        #expect(many.code != 0 && many.complaints.contains("more votes than the 1 members"), "\(many.words)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/mask.tif"))
    }
}
