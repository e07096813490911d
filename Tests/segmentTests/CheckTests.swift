import Foundation
import TestSupport
import Testing
import Volumes

/// `segment check` finds all that is wrong at once, before anything runs.
struct CheckTests {
    private let folder = ScratchFolder()
    private static let shape = ZYX(8, 24, 32)
    private static let voxelSize = VoxelSize(ZYX(20, 10, 11), .nanometer)

    private func write<Element: VoxelElement>(
        _ name: String, _ volume: Volume<Element>, voxelSize: VoxelSize? = Self.voxelSize
    ) throws {
        try folder.write(name, volume, voxelSize: voxelSize)
    }

    private func write<Element: VoxelElement>(_ name: String, _ volume: Volume<Element>, right: Double) throws {
        let frame = VolumeFrame(rows: [[right, 0, 0, 0], [0, 10, 0, 0], [0, 0, 20, 0]], unit: .micrometer)
        let writer = try VolumeFile.create(
            folder.path + "/" + name,
            VolumeFile.Contents(
                shape: volume.shape, elementType: Element.elementType, voxelSize: nil, frame: frame))
        try writer.write(VoxelBuffer(volume), atZ: 0)
        try writer.finish()
    }

    private static let image = Volume<UInt8>(shape: shape, voxels: (0..<shape.count).map { UInt8($0 % 251) })
    /// Objects 1 to 7, and no 0.
    private static let labels = Volume<UInt16>(shape: shape, voxels: (0..<shape.count).map { UInt16($0 / 900 + 1) })

    private func prepare() throws {
        try write("image.tif", Self.image)
        try write("labels.tif", Self.labels)
    }

    private func check(
        train: String = "{image: image.tif, labels: labels.tif}", segment: String = "image.tif", extra: String = "",
        arguments: [String] = []
    ) throws -> (ending: Program.Ending, report: [String: Any], findings: [String]) {
        try folder.write(
            "p.yaml",
            """
            train: \(train)
            segment: \(segment)
            network: {levels: 2, features: 2}
            ensemble: {members: 2}
            execution: {device: cpu, threads: 2}
            \(extra.contains("patch") ? "" : "training: {steps: 1, patch: [4, 8, 8]}")
            \(extra)
            """)
        let ending = try Program.wait(
            for: Program.start(["check", "p.yaml", "--json"] + arguments, in: folder.path))
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any], "\(ending.words)")
        let findings = (report["findings"] as? [[String: String]] ?? []).map {
            "\($0["severity"]!) \($0["place"]!): \($0["problem"]!)"
        }
        return (ending, report, findings)
    }

    @Test func nothingIsWrong() throws {
        try prepare()
        try write("test.tif", Self.image.map { $0 / 2 })
        let (ending, report, findings) = try check(segment: "{image: test.tif, truth: labels.tif}")
        #expect(ending.code == 0 && findings.isEmpty, "\(ending.words)")
        #expect(report["errors"] as? Int == 0 && report["warnings"] as? Int == 0)
        let files = try #require(report["files"] as? [[String: Any]])
        #expect(files.map { $0["role"] as? String } == ["image", "labels", "volume", "truth"])
        #expect(files[0]["shape"] as? [Int] == [8, 24, 32])
        #expect(files[0]["voxel_size_nanometers"] as? [Double] == [20, 10, 11])
        #expect(files[0]["maximum"] as? Double == 250)
        #expect(files[1]["objects"] as? Int == 7)
        // 6,144 voxels: image, labels, the image to segment and its truth as they are, and the logits of 2 members (also
        // of a sixth of the annotation), votes, minimum, mask, labels, exported votes and two files of labels.
        let stored = 6_144 * (1 + 2 + 1 + 2 + 2 * 2 + 4 + 4 + 1 + 8) + 6_144 / 6 * 2 * 2
        #expect(report["disk_needed"] as? Int == stored)
        #expect(try #require(report["disk_free"] as? Int) > 0)
    }

    /// Sizes are rounded, and numbers of a crop start anywhere.
    @Test func whatIsUsualIsNotToldOf() throws {
        try prepare()
        try write("crop.tif", Self.labels.map { $0 * 10 })
        try write("round.tif", Self.image.map { $0 / 2 }, voxelSize: VoxelSize(ZYX(19.85, 10.08, 11), .nanometer))
        let train = "[{image: image.tif, labels: crop.tif}, {image: round.tif, labels: labels.tif}]"
        for extra in ["", "voxel_size: {z: 20 nm, y: 10 nm, x: 11 nm}"] {
            let (ending, _, findings) = try check(train: train, segment: "round.tif", extra: extra)
            let note =
                "note crop.tif: 7 objects are numbered 10 to 70, with gaps; harmless unless objects were lost"
            #expect(ending.code == 0 && findings == [note], "\(findings)")
        }
    }

    /// Where the pipeline file's voxel size replaces that of files, a box stays as many voxels away.
    @Test func aBoxStaysWhereVoxelsAreReplaced() throws {
        try prepare()
        let box = Box(origin: ZYX(4, 16, 24), shape: ZYX(4, 8, 8))
        let writer = try HDF5Writer(
            path: folder.path + "/box.h5", dataset: "/labels", shape: box.shape, elementType: .uint16,
            voxelSize: Self.voxelSize, position: ZYX(4 * 20, 16 * 10, 24 * 11))
        try writer.write(VoxelBuffer(Self.labels.cropped(to: box)), atZ: 0)
        try writer.finish()
        for extra in ["", "voxel_size: {z: 10 nm, y: 5 nm, x: 5.5 nm, replace: true}"] {
            let (ending, _, findings) = try check(train: "{image: image.tif, labels: box.h5}", extra: extra)
            #expect(ending.code == 0, "\(findings)")
        }
        let (_, _, findings) = try check(train: "{image: \"box.h5:/labels\", labels: \"box.h5:labels\"}")
        #expect(findings.contains("error box.h5:labels: is both the image and its labels"), "\(findings)")
    }

    /// What is the same of many files takes one line, and what is not read is told once a kind.
    @Test func nothingIsSaidTwice() throws {
        try prepare()
        for number in 1...6 { try write("v/\(number)x.tif", Volume<UInt8>(shape: Self.shape, repeating: 9)) }
        for number in 1...3 { try folder.write("v/\(number).czi", "") }
        let (_, _, findings) = try check(segment: "v")
        #expect(findings.count { $0.contains("every voxel is 9") } == 6)
        let note = "note p.yaml: 3 files of .czi are not read: Zeiss CZI"
        #expect(findings.count { $0.hasPrefix(note) } == 1, "\(findings)")
        let table = try Program.run("check", "p.yaml", in: folder.path)
        #expect(
            table.output.contains("warning  v/1x.tif, v/2x.tif, v/3x.tif and 3 more: every voxel is 9\n"),
            "\(table.words)")
        let plan = try Program.run("plan", "p.yaml", in: folder.path)
        #expect(plan.output.contains("note: 3 files of .czi are not read: Zeiss CZI"), "\(plan.words)")
    }

    /// A fault of a file, what it is called, and how it reads.
    struct Fault: CustomTestStringConvertible, Sendable {
        var testDescription: String { finding }
        var train = "{image: image.tif, labels: labels.tif}"
        var segment = "image.tif"
        var extra = ""
        var finding: String
        /// Whether headers tell.
        var isInHeaders = true
        var prepare: @Sendable (CheckTests) throws -> Void = { _ in }
    }

    static let faults = [
        Fault(
            segment: "nan.tif", finding: "error nan.tif: holds NaN or infinity, first at z 3, y 5, x 7",
            isInHeaders: false,
            prepare: {
                var volume = image.map(Float.init)
                volume[3, 5, 7] = .nan
                try $0.write("nan.tif", volume)
            }),
        Fault(
            train: "{image: flat.tif, labels: labels.tif}", finding: "error flat.tif: every voxel is 9",
            isInHeaders: false,
            prepare: { try $0.write("flat.tif", Volume<UInt8>(shape: shape, repeating: 9)) }),
        Fault(
            segment: "flat.tif", finding: "warning flat.tif: every voxel is 9", isInHeaders: false,
            prepare: { try $0.write("flat.tif", Volume<UInt8>(shape: shape, repeating: 9)) }),
        Fault(
            train: "{image: image.tif, labels: zero.tif}", finding: "error zero.tif: all labels are 0",
            isInHeaders: false, prepare: { try $0.write("zero.tif", Volume<UInt16>(shape: shape)) }),
        Fault(
            train: "{image: image.tif, labels: one.tif}", finding: "note one.tif: has one id only, 255",
            isInHeaders: false,
            prepare: { try $0.write("one.tif", labels.map { $0 > 3 ? UInt8(255) : 0 }) }),
        Fault(
            train: "{image: image.tif, labels: gaps.tif}",
            finding: "note gaps.tif: 7 objects are numbered 1 to 61, with gaps", isInHeaders: false,
            prepare: { try $0.write("gaps.tif", labels.map { $0 * 10 - 9 }) }),
        Fault(
            train:
                "[{image: image.tif, labels: box.tif, at: [0, 4, 0]}, {image: image.tif, labels: box.tif, at: [2, 0, 0]}]",
            finding:
                "error box.tif: covers z 2:6, y 0:8, x 0:32 of image.tif, of which box.tif covers z 0:4, y 4:12, x 0:32",
            prepare: { try $0.write("box.tif", labels.cropped(to: Box(ZYX(4, 8, 32)))) }),
        Fault(
            train: "[{image: image.tif, labels: labels.tif}, {image: ./image.tif, labels: other.tif}]",
            finding:
                "error other.tif: covers z 0:8, y 0:24, x 0:32 of image.tif, of which labels.tif covers the same",
            prepare: { try $0.write("other.tif", labels) }),
        Fault(
            train: "{image: image.tif, labels: sparse.tif}",
            finding:
                "note sparse.tif: 58 % are 0, which counts as outside of all objects; write 'unlabelled: 0'",
            isInHeaders: false, prepare: { try $0.write("sparse.tif", labels.map { $0 > 4 ? $0 - 4 : 0 }) }),
        Fault(
            train: "{image: image.tif, labels: every.tif}",
            finding:
                "warning every.tif: 3 of 8 sections have labels, and the others count as outside of all objects;",
            isInHeaders: false,
            prepare: {
                var sparse = Volume<UInt16>(shape: shape)
                for z in [1, 3, 6] { for x in 0..<20 { sparse[z, 5, x] = 1 } }
                try $0.write("every.tif", sparse)
            }),
        Fault(
            train: "{image: image.tif, labels: first.tif}",
            finding:
                "warning first.tif: 5 of 8 sections have labels, and the others count as outside of all objects;",
            isInHeaders: false,
            prepare: {
                let first = shape.y * shape.x * 5
                try $0.write(
                    "first.tif",
                    Volume<UInt16>(
                        shape: shape, voxels: (0..<shape.count).map { $0 < first ? UInt16($0 % 2 + 1) : 0 }))
            }),
        Fault(
            segment: "hot.tif",
            finding: "warning hot.tif: a value of 3e+38 lies 432 standard deviations from the mean",
            isInHeaders: false,
            prepare: {
                let shape = ZYX(8, 108, 216)
                var hot = Volume<Float>(shape: shape, voxels: (0..<shape.count).map { Float($0 % 9) })
                hot[3, 5, 7] = 3e38
                try $0.write("hot.tif", hot)
            }),
        Fault(
            train: "{image: order.tif, labels: order-l.tif}",
            finding:
                "warning order.tif: voxels of z 10 × y 10 × x 40 nm differ along y and x; is the order z, y, x?",
            prepare: {
                let size = VoxelSize(ZYX(10, 10, 40), .nanometer)
                try $0.write("order.tif", image, voxelSize: size)
                try $0.write("order-l.tif", labels, voxelSize: size)
            }),
        Fault(
            extra: "target: {classes: [2, 9]}",
            finding: "error train: no voxel is of class 9, which target names; there are 1, 2, 3, 4, 5, 6, 7",
            isInHeaders: false),
        Fault(
            train: "{image: image.tif, labels: image.tif}",
            finding: "error image.tif: is both the image and its labels"),
        Fault(
            train: "{image: large.tif, labels: values.tif}",
            finding: "warning values.tif: has 2,000 ids of 24 voxels each, as intensities have: are image",
            isInHeaders: false,
            prepare: {
                let shape = ZYX(10, 60, 80)
                try $0.write("large.tif", Volume<UInt8>(shape: shape, voxels: (0..<48_000).map { UInt8($0 % 251) }))
                try $0.write(
                    "values.tif", Volume<UInt16>(shape: shape, voxels: (0..<48_000).map { UInt16($0 % 2000 + 1) }))
            }),
        Fault(
            train: "{image: \"[ij]m*e.tif\", labels: labels.tif}",
            finding: "error p.yaml:1: the image's pattern matches 2 files, and train.labels is one, 'labels.tif'",
            prepare: { try $0.write("jmage.tif", image) }),
        Fault(
            train: "{image: turned.nii, labels: upright.nii}",
            finding:
                "error upright.nii: lies otherwise than its image turned.nii: its axes x, y, z lead to RAS, and to LAS",
            prepare: {
                try $0.write("turned.nii", image, right: -11)
                try $0.write("upright.nii", labels, right: 11)
            }),
        Fault(
            train: "{image: \"s/i*.tif\", labels: \"s/l*.tif\"}",
            finding: "error s/l*.tif: has other sections than its image s/i*.tif: only here 3, only there 5;",
            prepare: {
                for z in 0..<8 {
                    let section = Box(origin: ZYX(z, 0, 0), shape: ZYX(1, 24, 32))
                    if z != 3 { try $0.write("s/i0\(z).tif", image.cropped(to: section)) }
                    if z != 5 { try $0.write("s/l0\(z).tif", labels.cropped(to: section)) }
                }
            }),
        Fault(
            train: "{image: gone.tif, labels: away.tif, mask: labels.tif}",
            finding: "error p.yaml:1: there is no file or folder away.tif"),
        Fault(
            train: "t",
            finding: "note p.yaml: t/masks/c.tif is named like labels, but there is no image of that name",
            prepare: {
                try $0.write("t/images/a.tif", image)
                for name in ["a", "c"] { try $0.write("t/masks/\(name).tif", labels) }
            }),
        Fault(
            train: "{image: image.tif, labels: float.tif}",
            finding: "error float.tif: labels must be whole numbers, found float32",
            prepare: { try $0.write("float.tif", labels.map(Float.init)) }),
        Fault(
            train: "{image: image.tif, labels: small.tif}",
            finding: "error small.tif: has shape z 8 × y 24 × x 31, but its image image.tif has z 8 × y 24 × x 32",
            prepare: { try $0.write("small.tif", Volume<UInt16>(shape: ZYX(8, 24, 31), repeating: 1)) }),
        Fault(
            train: "{image: image.tif, labels: tall.tif}",
            finding: "error tall.tif: has shape z 9 × y 24 × x 32, but its image image.tif has z 8 × y 24 × x 32",
            prepare: { try $0.write("tall.tif", Volume<UInt16>(shape: ZYX(9, 24, 32), repeating: 1)) }),
        Fault(
            train: "[{image: image.tif, labels: labels.tif}, {image: fine.tif, labels: labels.tif}]",
            finding:
                "error fine.tif: has voxels of z 10 × y 10 × x 11 nm, but image.tif has z 20 × y 10 × x 11 nm; correct "
                + "one, or say the size of all of them by voxel_size with 'replace: true'",
            prepare: { try $0.write("fine.tif", image, voxelSize: VoxelSize(ZYX(10, 10, 11), .nanometer)) }),
        Fault(
            segment: "fine.tif",
            finding: "note fine.tif: z 10 × y 10 × x 11 nm is resampled to z 20 × y 10 × x 11 nm",
            prepare: { try $0.write("fine.tif", image, voxelSize: VoxelSize(ZYX(10, 10, 11), .nanometer)) }),
        Fault(
            segment: "far.tif",
            finding:
                "error far.tif: has voxels of z 180 × y 10 × x 11 nm, which are not resampled to z 20 × y 10 × x 11",
            prepare: { try $0.write("far.tif", image, voxelSize: VoxelSize(ZYX(180, 10, 11), .nanometer)) }),
        Fault(
            extra: "resolution: {z: 160 nm, y: 30 nm, x: 11 nm}",
            finding: "note image.tif: z 20 × y 10 × x 11 nm is resampled to z 160 × y 30 × x 11 nm"),
        Fault(
            extra: "resolution: {z: 20 nm, y: 81 nm, x: 11 nm}",
            finding: "error image.tif: has voxels of z 20 × y 10 × x 11 nm, which are not resampled to z 20 × y 81"),
        Fault(
            segment: "unsized.tif", finding: "error unsized.tif: the file does not state the voxel size",
            prepare: { try $0.write("unsized.tif", image, voxelSize: nil) }),
        Fault(
            segment: "notes.tif", finding: "error notes.tif: begins with",
            prepare: { try $0.folder.write("notes.tif", "notes") }),
        Fault(
            segment: "{image: image.tif, truth: gone.h5}", finding: "error gone.h5: there is no such file"),
        Fault(segment: "{image: image.tif, channel: 1}", finding: "error image.tif, channel 1: has no channel 1"),
        Fault(segment: "{image: image.tif, time: all}", finding: "warning image.tif: 'time: all', but"),
        Fault(
            segment: "{image: image.tif, truth: labels.tif}",
            finding: "warning image.tif: is learnt from and scored too"),
        Fault(
            segment: "section.tif", finding: "warning section.tif: is a single section",
            prepare: { try $0.write("section.tif", Volume<UInt8>(shape: ZYX(1, 24, 32), repeating: 1)) }),
        Fault(
            extra: "training: {patch: [4, 9, 8]}",
            finding: "error p.yaml:7: training.patch must be multiples of [1, 2, 2]"),
        Fault(
            extra: "training: {patch: [4, 64, 8]}",
            finding: "warning image.tif: training.patch, z 4 × y 64 × x 8, reaches beyond"),
        Fault(
            extra: "voxel_size: {z: 20 nm, y: 10 nm, x: 10 nm}",
            finding: "error image.tif: the file states a voxel size of z 20 × y 10 × x 11 nm"),
        Fault(
            extra: "training: {steps: 0, patch: [4, 8, 8]}",
            finding: "error p.yaml:7: training.steps must be at least 1"),
    ]

    @Test(arguments: faults)
    func aFaultIsNamed(fault: Fault) throws {
        try prepare()
        try fault.prepare(self)
        func check(_ arguments: String...) throws -> (Program.Ending, [String: Any], [String]) {
            let found = try self.check(
                train: fault.train, segment: fault.segment, extra: fault.extra, arguments: arguments)
            return (found.ending, found.report, found.findings)
        }
        let (ending, report, findings) = try fault.isInHeaders ? check("--headers") : check()
        #expect(findings.contains { $0.hasPrefix(fault.finding) }, "\(ending.words)")
        #expect(ending.code == (fault.finding.hasPrefix("error") ? 1 : 0), "\(findings)")
        #expect(report["errors"] as? Int == findings.count { $0.hasPrefix("error") })
        #expect(report["warnings"] as? Int == findings.count { $0.hasPrefix("warning") })
        if !fault.isInHeaders {
            let (_, _, fast) = try check("--headers")
            #expect(!fast.contains { $0.hasPrefix(fault.finding) }, "\(fast)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/work"))
    }

    @Test func allFaultsAreSaidAtOnceAndInATable() throws {
        try prepare()
        try write("v-small.tif", Volume<UInt8>(shape: ZYX(8, 24, 31), repeating: 1))
        try folder.write("v-notes.tif", "notes")
        let (ending, _, findings) = try check(
            train: "[{image: image.tif, labels: labels.tif}, {image: gone.tif, labels: labels.tif}]",
            segment: "[{image: v-small.tif, truth: labels.tif}, v-notes.tif, nowhere/]",
            extra: "consensus: {agre: all, threshold: 2}\nlabels: 1\nlabel: {connectivity: 7, min_voxels: -1}\n"
                + "training: {patch: [4, b, 8], batch: 0}\nvoxel_size: {z: 4 mn, y: 5, x: 6 nm}")
        #expect(ending.code == 1)
        for problem in [
            "error p.yaml:1: there is no file or folder gone.tif",
            "error p.yaml:2: there is no file or folder nowhere/",
            "error p.yaml:7: unknown key 'agre'", "error p.yaml:7: consensus.threshold must be from 0.0 to 1.0",
            "error p.yaml:8: unknown key 'labels'", "error p.yaml:9: label.connectivity must be 4 or 8",
            "error p.yaml:9: label.min_voxels must be", "error p.yaml:10: training.patch[1] must be",
            "error p.yaml:10: training.batch must be", "error p.yaml:11: voxel_size.z must be",
            "error p.yaml:11: voxel_size.y must be", "error v-notes.tif: begins with",
            "error labels.tif: has shape",
            "warning v-small.tif: every voxel is 1",
        ] {
            #expect(findings.contains { $0.hasPrefix(problem) }, "\(problem): \(findings)")
        }
        let table = try Program.run("check", "p.yaml", in: folder.path)
        #expect(table.code == 1)
        #expect(table.output.contains("volume  v-small.tif  8 × 24 × 31  uint8"), "\(table.words)")
        #expect(table.output.contains("13 errors, 1 warning\n"), "\(table.words)")
    }
}
