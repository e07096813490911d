import Foundation
import TestSupport
import Testing
import Volumes

/// The commands beside `run`.
struct CommandTests {
    private let folder = ScratchFolder()

    @Test(arguments: [
        "init", "run", "check", "plan", "status", "clean", "info", "convert", "evaluate", "sweep", "consensus",
        "label",
        "predict", "regrow", "objects",
        "networks",
        "diagnose",
        "synthesize",
    ])
    func helpEndsInAnExample(command: String) throws {
        let ending = try Program.run(command, "--help", in: folder.path)
        #expect(ending.code == 0)
        let example = try #require(ending.output.components(separatedBy: "\n\n").last)
        #expect(example.hasPrefix("Example:\n  segment \(command) "))
    }

    @Test(arguments: [
        ("runn", "'runn' is no command; did you mean 'segment run'?"),
        ("larva.yaml", "'larva.yaml' is no command; did you mean 'segment run larva.yaml'?"),
        ("xxxxxxxx", "'xxxxxxxx' is no command; expected one of init, run, check"),
    ])
    func aCommandThatThereIsNoneOf(word: String, problem: String) throws {
        let ending = try Program.run(word, in: folder.path)
        #expect(ending.code == 64 && ending.complaints.contains(problem), "\(ending.words)")
    }

    /// As values of options, not for options themselves.
    @Test(arguments: [
        (
            ["regrow", "a.tif", "b.tif", "-o", "c.tif", "--within", "-5"],
            "a length above 0, such as 40 for nanometres"
        ),
        (["label", "a.tif", "-o", "c.tif", "--min-volume", "-5 nm³"], "a volume above 0, such as 0.01 for µm³"),
        (["convert", "a.tif", "b.tif", "--voxel-size", "-.5,8,8"], "found '-.5,8,8'"),
        (["evaluate", "--labels", "a.tif", "--truth", "a.tif", "--worst", "-1"], "must be at least 0, found -1"),
        (["convert", "--crop", "-1:5,:,:", "--", "a.tif", "b.tif"], "z0:z1,y0:y1,x0:x1, found '-1:5,:,:'"),
    ])
    func negativeNumbersAreToldAsSuch(arguments: [String], problem: String) throws {
        let ending = try Program.run(arguments, in: folder.path)
        #expect(ending.code != 0 && ending.complaints.contains(problem), "\(ending.words)")
    }

    @Test func infoSaysWhatAFileHolds() throws {
        let made = try Program.run(
            "synthesize", "raw.tif", "labels.h5", "--shape", "8,20,24", "--voxel-size", "40,8,9", in: folder.path)
        #expect(made.code == 0, "\(made.words)")
        let text = try Program.run("info", "raw.tif", in: folder.path)
        #expect(text.output.contains("z 8 × y 20 × x 24 voxels"))
        #expect(text.output.contains("z 40 × y 8 × x 9 nm"))
        let json = try Program.run("info", "labels.h5:/labels", "--json", in: folder.path)
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(object?["type"] as? String == "uint32")
        #expect(object?["shape"] as? [Int] == [8, 20, 24])
        #expect(object?["voxel_size_nanometers"] as? [Double] == [40, 8, 9])
    }

    /// A header of some bytes, and no chunk.
    @Test func aShapeBeyondTheLimitIsRefusedAtOnce() throws {
        let header = """
            {"zarr_format": 2, "shape": [1000000, 1000000, 1000000], "chunks": [64, 64, 64], "dtype": "|u1", \
            "compressor": null, "fill_value": 0, "order": "C", "filters": null}
            """
        try folder.write("huge.zarr/.zarray", header)
        let headers = try Program.run("info", "huge.zarr", "--headers", in: folder.path)
        #expect(headers.code == 0 && headers.output.contains("z 1000000 ×"), "\(headers.words)")
        let problem =
            "states the shape z 1000000 × y 1000000 × x 1000000; a volume of up to 17,592,186,044,416 voxels"
        for arguments in [["info", "huge.zarr"], ["convert", "huge.zarr", "a.zarr"]] {
            let ending = try Program.wait(for: Program.start(arguments, in: folder.path))
            #expect(ending.code == 1 && ending.complaints.contains(problem), "\(ending.words)")
        }
        let box = try Program.run("convert", "huge.zarr", "a.zarr", "--crop", "9:10,9:20,9:20", in: folder.path)
        #expect(box.code == 0, "\(box.words)")
    }

    private func writeHDF5(_ name: String, _ voxels: VoxelBuffer, _ size: VoxelSize? = nil) throws {
        let writer = try HDF5Writer(
            path: folder.path + "/" + name, dataset: "/a", shape: voxels.shape, elementType: voxels.elementType,
            voxelSize: size, adding: true)
        try writer.write(voxels, atZ: 0)
        try writer.finish()
    }

    /// The file is by tifffile: voxels of channel c at time t.
    @Test func infoReadsEachChannel() throws {
        let file = Bundle.module.bundlePath + "/Data/channels.tif"
        let all = try Program.run("info", file, in: folder.path).output
        #expect(all.contains("channel 0    0 to 11 (time 0)\nchannel 1    100 to 111 (time 0)\n"), "\(all)")
        let one = try Program.run("info", file, "--channel", "1", "--time", "1", in: folder.path).output
        #expect(one.contains("values       1100 to 1111 (channel 1, time 1)"), "\(one)")
        let refusal = try Program.run("convert", file, "out.h5", "--time", "0", in: folder.path)
        #expect(refusal.complaints == "error: \(file): has 2 channels; choose one with --channel 0\n")
        #expect(
            try Program.run("convert", file, "out.h5", "--channel", "1", in: folder.path).complaints.contains(
                "--time 0"))
    }

    @Test func infoSaysWhatElseThereIs() throws {
        let file = Bundle.module.bundlePath + "/Data/others.h5"
        let text = try Program.run("info", file, in: folder.path).output
        #expect(text.contains("volume       /group/raw (there are also /table)"), "\(text)")
    }

    /// The least of the finite values too.
    @Test func infoTellsOfNumbersThatAreNone() throws {
        try writeHDF5("real.h5", VoxelBuffer(Volume<Float>(shape: ZYX(1, 2, 2), voxels: [3, 0.5, .nan, 7])))
        let text = try Program.run("info", "real.h5", in: folder.path).output
        #expect(text.contains("values       0.5 to 7\n"), "\(text)")
        #expect(text.contains("note         holds NaN or infinity, first at z 0, y 1, x 0\n"), "\(text)")
    }

    @Test func networksAreListedForScripts() throws {
        let ending = try Program.run("networks", "--json", in: folder.path)
        let networks = try #require(
            try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [[String: Any]])
        let found = try #require(
            networks.first { $0["name"] as? String == "resnet-50" && $0["dimensions"] as? Int == 2 })
        #expect(found["parameters"] as? Int == 25_557_032)
        #expect(found["multiply_adds"] as? Int == 4_089_184_256)
        #expect(found["receptive_field"] as? [Int] == [427, 427])
        #expect(Set(networks.compactMap { $0["dimensions"] as? Int }) == [2, 3])
        #expect(networks.allSatisfy { ($0["smallest_tile"] as? [Int])?.count == $0["dimensions"] as? Int })
    }

    /// What a listing says of a network is that network.
    @Test(arguments: ["resnet-unet", "nnunet", "unet-2016"])
    func theSettingsListedAreTheOnesOfTheNetwork(name: String) throws {
        func list(_ settings: [String]) throws -> [String: Any] {
            let process = try Program.start(["networks", name, "--json"] + settings, in: folder.path)
            let ending = try Program.wait(for: process)
            let all = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [[String: Any]]
            return try #require(all?.first, "\(ending.words)")
        }
        let (plain, adjusted) = (
            try list([]), try list(["--set", "normalization={group: 2}", "--set", "features=24"])
        )
        let settings = try #require(adjusted["settings"] as? [[String: Any]])
        #expect(settings.contains { $0["key"] as? String == "features" && $0["value"] as? String == "24" })
        let again = try list(
            settings.compactMap { setting in (setting["value"] as? String).map { "\(setting["key"]!)=\($0)" } }
                .flatMap { ["--set", $0] })
        #expect(again as NSDictionary == adjusted as NSDictionary)
        #expect(plain["parameters"] as? Int != adjusted["parameters"] as? Int)
    }

    @Test func aNetworkIsDescribedLayerByLayer() throws {
        let ending = try Program.run(
            "networks", "unet", "--describe", "--json", "--set", "levels=2", "--set", "normalization={group: 2}",
            "--dimensions", "2", "--input", "32,48", in: folder.path)
        let layers = try #require(
            try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [[String: Any]])
        #expect(layers.last?["extents"] as? [Int] == [32, 48])
        #expect(layers.contains { $0["operation"] as? String == "group norm of 2" })
        // 16 · 16 · 9 weights, for 32 · 48 voxels.
        let second = try #require(layers.first { $0["name"] as? String == "encoder.0.1.convolution" })
        #expect(second["parameters"] as? Int == 2_304)
        #expect(second["multiply_adds"] as? Int == 2_304 * 32 * 48)
    }

    @Test(arguments: [
        (["unat"], "unknown architecture 'unat'; did you mean 'unet'?"),
        (["unet", "--set", "growth=2"], "network.growth is of dense blocks, and network.block is plain"),
        (["unet", "--set", "levels"], "--set 'levels' is no key=value"),
        (["unet", "--set", "levels=2, features: 9"], "network.levels must be a whole number"),
        (["unet, levels: 2"], "unknown architecture"),
        (["unet", "--input", "31,32,32"], "; it takes multiples of [8, 8, 8]"),
        (["unet", "--input", "32"], "--input must be 3 numbers"),
        (["unet", "--dimensions", "3", "--set", "dimensions=2"], "dimensions is already 3"),
        (["unet", "--set", "dimensions=4"], "network.dimensions must be 2 or 3, found '4'"),
        (["unet", "--set", "normalization=bach"], "found 'bach'; did you mean 'batch'?"),
        (["unet", "--set", "normalization={group: 3}"], "(encoder.0.0.normalization has 16), found {group: 3}"),
        (["unet", "--set", "kernels=[3, 3, 3]"], "4 in all, found [3, 3, 3]"),
        (["resnet-unet", "--set", "encoder=resnet50"], "found resnet50; did you mean 'resnet-50'?"),
    ])
    func aNetworkThatCannotBeIsOneLine(arguments: [String], problem: String) throws {
        let process = try Program.start(["networks"] + arguments, in: folder.path)
        let ending = try Program.wait(for: process)
        #expect(ending.code == 1)
        #expect(ending.complaints.contains(problem), "\(ending.words)")
        #expect(ending.complaints.split(separator: "\n").count == 1)
    }

    @Test func evaluateOfATruthAgainstItselfIsPerfect() throws {
        try Program.run("synthesize", "raw.tif", "labels.h5", "--shape", "8,20,24", in: folder.path)
        let ending = try Program.run(
            "evaluate", "--labels", "labels.h5", "--truth", "labels.h5", "--json", in: folder.path)
        let scores = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
        #expect(scores?["adapted_rand_error"] as? Double == 0)
        #expect(scores?["vi_split"] as? Double == 0)
        #expect(scores?["vi_merge"] as? Double == 0)
        #expect(scores?["coverage"] as? Double == 1)
        #expect(scores?["mean_average_precision"] as? Double == 1)
        #expect((scores?["worst_splits"] as? [Any])?.isEmpty == true)
    }

    /// One row: an object of six voxels is cut in two, with one voxel of label 0 between.
    @Test func evaluateNamesTheCostliestErrorsByEitherConvention() throws {
        func write(_ name: String, _ voxels: [UInt8]) throws {
            try folder.write(
                name, Volume(shape: ZYX(1, 1, 8), voxels: voxels), voxelSize: VoxelSize(ZYX(1, 1, 1), .micrometer))
        }
        try write("labels.tif", [1, 1, 1, 0, 2, 2, 3, 3])
        try write("truth.tif", [7, 7, 7, 7, 7, 7, 9, 9])
        func evaluate(_ arguments: String...) throws -> String {
            try Program.wait(
                for: Program.start(
                    ["evaluate", "--labels", "labels.tif", "--truth", "truth.tif"] + arguments, in: folder.path)
            ).output
        }
        let usual = try evaluate()
        #expect(usual.contains("truth 7, 6 voxels") && usual.contains("label 1 (3), 2 (2), 0 (1)"), "\(usual)")
        #expect(!usual.contains("costliest mergers") && !usual.lowercased().contains("cremi"))
        // 9 + 4 + 4 voxels squared and 1/8 of a pair, over 36 + 4 of the truth; the labels join no more.
        let cremi = try evaluate("--convention", "cremi", "--worst", "0")
        #expect(cremi.contains("Rand precision       1.0000"), "\(cremi)")
        #expect(cremi.contains("Rand recall          0.4281"), "\(cremi)")
        #expect(cremi.contains("cremi score") && cremi.contains("voi split") && !cremi.contains("costliest"))
    }

    @Test(arguments: [(6, 2), (18, 1), (26, 1)], ["components.tif", "components.h5"])
    func labelJoinsByConnectivity(expected: (connectivity: Int, objects: Int), output: String) throws {
        // Two voxels that share an edge, and no face.
        var mask = Volume<UInt8>(shape: ZYX(1, 3, 4))
        mask[0, 0, 1] = 255
        mask[0, 1, 2] = 255
        try folder.write("mask.tif", mask, voxelSize: VoxelSize(ZYX(3, 2, 1), .micrometer))
        let ending = try Program.run(
            "label", "mask.tif", "-o", output, "--connectivity", "\(expected.connectivity)", in: folder.path)
        #expect(ending.output.hasPrefix("\(expected.objects) object"), "\(ending.words)")
        let reader = try VolumeFile.open(folder.path + "/" + output)
        let labels = try reader.read(Box(reader.info.shape)).converted(to: UInt32.self)
        #expect(labels[0, 0, 1] == 1)
        #expect(labels[0, 1, 2] == UInt32(expected.objects))
        #expect(reader.info.voxelSize.complete?.nanometers == ZYX(3000, 2000, 1000))
    }

    /// A bar along z, one along x, and two voxels that share a corner, all across the borders of blocks.
    @Test(arguments: [(6, [2, 3, 1, 4]), (26, [2, 3, 1, 3])])
    func labelJoinsWhatLiesInSeveralBlocks(connectivity: Int, expected: [UInt32]) throws {
        var mask = Volume<UInt8>(shape: ZYX(70, 20, 300))
        for z in 60..<68 { mask[z, 10, 10] = 1 }
        for x in 250..<260 { mask[3, 2, x] = 1 }
        mask[63, 15, 255] = 1
        mask[64, 16, 256] = 1
        try folder.write("mask.tif", mask, voxelSize: VoxelSize(ZYX(3, 2, 1), .micrometer))
        let ending = try Program.run(
            "label", "mask.tif", "-o", "labels.tif", "--connectivity", "\(connectivity)", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        let reader = try VolumeFile.open(folder.path("labels.tif"))
        let labels = try reader.read(Box(reader.info.shape)).converted(to: UInt32.self)
        #expect([labels[67, 10, 10], labels[63, 15, 255], labels[3, 2, 259], labels[64, 16, 256]] == expected)
        #expect(labels.voxels.map { $0 > 0 } == mask.voxels.map { $0 > 0 })
    }

    /// Two objects that touch across blocks, with numbers of their own.
    @Test func objectsAreMeasuredWhateverTheirNumbers() throws {
        var labels = Volume<UInt16>(shape: ZYX(70, 4, 300))
        for z in 62..<66 { for x in 254..<258 { labels[z, 1, x] = x < 256 ? 7_000 : 9 } }
        let image = labels.map { UInt16($0 == 0 ? 1 : $0 == 9 ? 40 : 200) }
        let size = VoxelSize(ZYX(4, 2, 1), .micrometer)
        try folder.write("labels.tif", labels, voxelSize: size)
        try folder.write("image.tif", image, voxelSize: size)
        let arguments = ["labels.tif", "-o", "o.csv", "--contacts", "c.csv", "--intensity", "dapi=image.tif"]
        let ending = try Program.run(["objects"] + arguments, in: folder.path)
        #expect(ending.output == "2 objects   o.csv\n", "\(ending.words)")
        let lines = try String(decoding: folder.data("o.csv"), as: UTF8.self).split(separator: "\n")
        let rows = lines.dropFirst().map { $0.components(separatedBy: ",") }
        #expect(rows.map { $0.prefix(3).joined(separator: ",") } == ["9,8,64.0", "7000,8,64.0"])
        #expect(lines[0].hasSuffix(",dapi_mean,dapi_sd,dapi_min,dapi_max,dapi_sum"))
        #expect(
            rows.map { $0.suffix(5).joined(separator: ",") } == [
                "40.0,0.0,40.0,40.0,320.0", "200.0,0.0,200.0,200.0,1600.0",
            ])
        // Four faces across x.
        #expect(
            try String(decoding: folder.data("c.csv"), as: UTF8.self)
                == "label_a,label_b,contact_area_um2\n9,7000,32.0\n")
        let again = try Program.run(["objects"] + arguments, in: folder.path)
        #expect(again.code == 1 && again.complaints == "error: o.csv: exists already; --overwrite replaces it\n")
    }

    @Test(arguments: [
        (["plain.tif"], "error: plain.tif: has no voxel size; give it with --voxel-size\n"),
        (
            ["plain.tif", "--voxel-size", "1,1,1", "--intensity", "small.tif"],
            "error: small.tif: has shape z 1 × y 2 × x 2, but plain.tif has z 2 × y 3 × x 4\n"
        ),
        (["real.tif"], "error: real.tif: labels must be whole numbers, found float32\n"),
    ])
    func objectsRefusesWhatItCannotMeasure(arguments: [String], complaint: String) throws {
        try folder.write("plain.tif", Volume<UInt8>(shape: ZYX(2, 3, 4), repeating: 1), voxelSize: nil)
        try folder.write("small.tif", Volume<UInt8>(shape: ZYX(1, 2, 2), repeating: 1), voxelSize: nil)
        try folder.write("real.tif", Volume<Float>(shape: ZYX(1, 2, 2), repeating: 1), voxelSize: nil)
        let ending = try Program.run(["objects"] + arguments, in: folder.path)
        #expect(ending.code == 1 && ending.complaints == complaint, "\(ending.words)")
    }
}
