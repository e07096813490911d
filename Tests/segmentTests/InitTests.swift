import Foundation
import TestSupport
import Testing
import Volumes

/// `segment init` writes a pipeline file that suits the data.
@Suite(.serialized) struct InitTests {
    private let folder = ScratchFolder()
    private static let shape = ZYX(24, 36, 36)
    private static let cubes = VoxelSize(ZYX(10, 10, 10), .nanometer)

    private func write<Element: VoxelElement>(
        _ name: String, _ volume: Volume<Element>, voxelSize: VoxelSize? = Self.cubes
    ) throws {
        try folder.write(name, volume, voxelSize: voxelSize)
    }

    /// Balls of radius 4 with their centres 12 voxels apart, each with the label that `label` has for its number.
    private static func balls(_ label: (Int) -> UInt8 = { UInt8($0) }) -> Volume<UInt8> {
        var labels = Volume<UInt8>(shape: shape)
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x {
                    let (dz, dy, dx) = (z % 12 - 6, y % 12 - 6, x % 12 - 6)
                    guard dz * dz + dy * dy + dx * dx <= 16 else { continue }
                    labels[z, y, x] = label(z / 12 * 9 + y / 12 * 3 + x / 12 + 1)
                }
            }
        }
        return labels
    }

    /// Rows of four voxels along y, from end to end.
    private static let slabs = Volume<UInt8>(
        shape: shape, voxels: (0..<shape.count).map { UInt8($0 / shape.x % shape.y / 4 + 1) })

    /// Bright where there are labels and dark at the voxels after their borders.
    private static func image(of labels: Volume<UInt8>) -> Volume<UInt8> {
        var image = labels.map { $0 == 0 ? 40 : 160 as UInt8 }
        for index in image.voxels.indices {
            if index >= shape.x, labels.voxels[index] != labels.voxels[index - shape.x] { image.voxels[index] = 60 }
            image.voxels[index] += UInt8(index * 7 % 23)
        }
        return image
    }

    private func prepare(_ labels: Volume<UInt8>, voxelSize: VoxelSize? = Self.cubes) throws {
        try write("raw.tif", Self.image(of: labels), voxelSize: voxelSize)
        try write("labels.tif", labels, voxelSize: voxelSize)
    }

    private func start(_ arguments: String..., labels: String = "labels.tif") throws -> Program.Ending {
        try Program.wait(
            for: Program.start(
                ["init", "raw.tif", labels, "-o", "p.yaml", "--device", "cpu", "--minutes", "0.01"] + arguments,
                in: folder.path))
    }

    private func written() throws -> String {
        try String(contentsOfFile: folder.path + "/p.yaml", encoding: .utf8)
    }

    struct Data: Sendable {
        var labels: @Sendable () -> Volume<UInt8>
        var voxelSize: VoxelSize? = InitTests.cubes
        var arguments: [String] = []
        var lines: [String]
        /// Of what is said.
        var found: String
    }

    private static let thin: @Sendable () -> Volume<UInt8> = {
        var labels = slabs
        for z in 0..<shape.z where z % 8 != 3 {
            labels.replace(at: ZYX(z, 0, 0), with: Volume(shape: ZYX(1, 36, 36)))
        }
        return labels
    }

    private static let data = [
        Data(
            labels: { slabs },
            lines: [
                "target: [boundary, affinities]", "regrow: {within: 100 nm, seeds: ", "merge: {above: auto}",
                "learning_rate: 0.002", "foreground_oversampling: 0",
            ], found: "objects that fill the volume"),
        Data(
            labels: { balls() },
            lines: [
                "target: foreground", "min_voxels: 26", "regrow: {votes: majority, above: 0.5, seeds: 26}",
                "patch: [24, 32, 32]",
            ],
            found: "18 objects"),
        Data(
            labels: { balls { $0 % 2 == 0 ? 3 : 1 } }, lines: ["target: {classes: [1, 3]}"],
            found: "2 numbers in 18 separate pieces"),
        Data(
            labels: { balls { _ in 255 } }, lines: ["target: foreground"],
            found: "one number in 18 separate pieces"),
        Data(
            labels: { slabs }, voxelSize: VoxelSize(ZYX(0.04, 0.01, 0.01), .micrometer),
            lines: ["kernels: [[1, 3, 3], ", "strides: [[1, 2, 2], ", "within: 0.1 µm"], found: "z 0.04 × y 0.01"),
        Data(
            labels: thin,
            lines: ["dimensions: 2", "unlabelled: 0 ", "Sections are annotated one by one"],
            found: "3 of 24 sections have labels, one by one"),
        Data(
            labels: { thin().map { $0 % 2 == 0 ? $0 : 0 } },
            lines: ["unlabelled: sections ", "Sections are annotated one by one"],
            found: "56 % of sections with labels are 0"),
        Data(
            labels: { slabs }, voxelSize: nil, arguments: ["--voxel-size", "40,4,4"],
            lines: [
                "dimensions: 2", "voxel_size: {z: 40 nm, y: 4 nm, x: 4 nm}", "Voxels are 10 times longer along z",
                "  connectivity: 4 ",
            ],
            found: "a 2D U-Net"),
        Data(
            labels: { slabs }, arguments: ["--voxel-size", "20,10,10", "--unlabelled", "--mask", "labels.tif"],
            lines: ["replace: true}", "unlabelled: 0 ", "mask: labels.tif"], found: "z 20 × y 10 × x 10 nm"),
    ]

    @Test(arguments: data.indices)
    func aFileSuitsItsData(index: Int) throws {
        let data = Self.data[index]
        try prepare(data.labels(), voxelSize: data.voxelSize)
        let ending = try Program.wait(
            for: Program.start(
                ["init", "raw.tif", "labels.tif", "-o", "p.yaml", "--device", "cpu"] + data.arguments,
                in: folder.path))
        #expect(ending.code == 0, "\(ending.words)")
        #expect(ending.output.contains(data.found), "\(ending.words)")
        #expect(ending.output.hasSuffix("next    segment check p.yaml\n        segment run p.yaml\n"))
        let text = try written()
        for line in data.lines { #expect(text.contains(line), "\(text)") }
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 }, "\(text)")
        let check = try Program.run("check", "p.yaml", in: folder.path)
        #expect(check.code == 0, "\(check.words)")
    }

    @Test func theFileRuns() throws {
        try prepare(Self.balls())
        #expect(try start().code == 0)
        let text = try written()
        #expect(text.contains("steps: 10 "))
        // Fewer members and validations than it has, which cost more than the steps.
        try folder.write(
            "p.yaml",
            text.replacing("  batch: 2\n", with: "  batch: 2\n  validations: 1\n") + "ensemble: {members: 2}\n")
        let run = try Program.run("run", "p.yaml", in: folder.path)
        #expect(run.code == 0, "\(run.words)")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/results/p/raw/labels.tif"))
    }

    @Test func pathsStartFromTheFile() throws {
        try prepare(Self.balls())
        try FileManager.default.createDirectory(
            atPath: folder.path + "/volumes 1", withIntermediateDirectories: false)
        try write("volumes 1/a.tif", Self.image(of: Self.balls()))
        let ending = try Program.run(
            "init", "raw.tif", "labels.tif", "-o", "made/p.yaml", "--device", "cpu", "--segment", "volumes 1/*.tif",
            in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        let text = try String(contentsOfFile: folder.path + "/made/p.yaml", encoding: .utf8)
        #expect(text.contains("  - image: ../raw.tif\n    labels: ../labels.tif\n"), "\(text)")
        #expect(text.contains("  - '../volumes 1/*.tif'\n"), "\(text)")
        #expect(text.contains("\nexecution: {device: cpu}\n"), "\(text)")
        #expect(ending.output.contains("segments ../volumes 1/*.tif\n"), "\(ending.words)")
    }

    @Test func whatIsSegmentedIsScoredAgainstItsTruth() throws {
        try prepare(Self.balls())
        let ending = try start("--segment", "raw.tif", "--truth", "labels.tif")
        #expect(ending.code == 0, "\(ending.words)")
        #expect(ending.output.contains("segments raw.tif, scored against labels.tif\n"), "\(ending.words)")
        #expect(try written().contains("segment:\n  - image: raw.tif\n    truth: labels.tif\n"))
    }

    /// Where all that lies beside the image can be segmented, it is.
    @Test(arguments: [(true, "'images/*.tif'"), (false, "images/a.tif")])
    func volumesLikeTheImageAreSegmented(hasSize: Bool, segment: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder.path + "/images", withIntermediateDirectories: false)
        try write("labels.tif", Self.balls())
        for (name, size) in [("a", Self.cubes), ("b", hasSize ? Self.cubes : nil)] {
            try write("images/\(name).tif", Self.image(of: Self.balls()), voxelSize: size)
        }
        let ending = try Program.run(
            "init", "images/a.tif", "labels.tif", "-o", "p.yaml", "--device", "cpu", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        #expect(try written().contains("segment:\n  - \(segment)\n"))
    }

    struct Fault: Sendable {
        var arguments: [String] = []
        var labels = "labels.tif"
        var problem: String
        var prepare: @Sendable (InitTests) throws -> Void = { _ in }
    }

    private static let faults = [
        Fault(labels: "gone.tif", problem: "error: gone.tif: there is no such file\n"),
        Fault(
            problem: "labels.tif: has shape z 24 × y 36 × x 35, but its image raw.tif has z 24 × y 36 × x 36",
            prepare: { try $0.write("labels.tif", slabs.cropped(to: Box(ZYX(24, 36, 35)))) }),
        Fault(
            problem: "error: labels.tif: all labels are 0",
            prepare: { try $0.write("labels.tif", Volume<UInt8>(shape: shape)) }),
        Fault(
            problem: "error: labels.tif: labels must be whole numbers, found float32",
            prepare: { try $0.write("labels.tif", slabs.map(Float.init)) }),
        Fault(
            problem: "error: raw.tif: the file does not state the voxel size along z, y, x; give it in nanometres",
            prepare: { try $0.write("raw.tif", image(of: slabs), voxelSize: nil) }),
        Fault(
            problem: "error: labels.tif: has voxels of z 20 × y 10 × x 10 nm, but its image raw.tif has",
            prepare: { try $0.write("labels.tif", slabs, voxelSize: VoxelSize(ZYX(20, 10, 10), .nanometer)) }),
        Fault(
            problem: "error: raw.tif: every voxel is 9",
            prepare: { try $0.write("raw.tif", Volume<UInt8>(shape: shape, repeating: 9)) }),
        Fault(
            problem: "error: raw.tif: begins with", prepare: { try $0.folder.write("raw.tif", "none") }),
        Fault(
            problem:
                "error: labels.tif: 100 % of its voxels lie beside one of another label: are these intensities?",
            prepare: { try $0.write("labels.tif", image(of: slabs)) }),
        Fault(arguments: ["--truth", "labels.tif"], problem: "--truth takes --segment"),
        Fault(
            arguments: ["--segment", "raw.tif", "--truth", "gone.tif"],
            problem: "error: gone.tif: there is no such file"),
        Fault(
            arguments: ["--voxel-size", "-40,8,8"],
            problem:
                "expected three lengths z,y,x, such as 40,8,8 for nanometres or '2,0.8,0.8 µm', found '-40,8,8'"),
        Fault(arguments: ["--mask", "gone.tif"], problem: "error: gone.tif: there is no such file"),
        Fault(
            arguments: ["--mask", "mask.tif"], problem: "error: mask.tif: has shape",
            prepare: { try $0.write("mask.tif", slabs.cropped(to: Box(ZYX(24, 36, 35)))) }),
        Fault(
            arguments: ["--mask", "mask.tif"], problem: "error: mask.tif: leaves no labelled voxel",
            prepare: { try $0.write("mask.tif", Volume<UInt8>(shape: shape)) }),
        Fault(arguments: ["--segment", "gone/"], problem: "error: gone/: there is no such file"),
        Fault(arguments: ["--segment", "v/*.tif"], problem: "error: v/*.tif: no file matches"),
        Fault(arguments: ["--memory", "1MiB"], problem: "error: raw.tif: training takes more than the 1.0 MiB"),
        Fault(
            arguments: ["--voxel-size", "40,8"], problem: "expected three lengths z,y,x"),
        Fault(arguments: ["--dimensions", "4"], problem: "--dimensions must be 2 or 3, found 4"),
        Fault(arguments: ["--minutes", "0"], problem: "--minutes must be more than 0"),
    ]

    @Test(arguments: faults.indices)
    func aFaultIsOneLineAndNothingIsWritten(index: Int) throws {
        let fault = Self.faults[index]
        try prepare(Self.slabs)
        try fault.prepare(self)
        let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let ending = try Program.wait(
            for: Program.start(
                ["init", "raw.tif", fault.labels, "-o", "p.yaml", "--device", "cpu"] + fault.arguments,
                in: folder.path))
        #expect(ending.code != 0)
        #expect(ending.complaints.contains(fault.problem), "\(ending.words)")
        #expect(ending.output.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == before)
    }

    @Test func aFileThatIsThereIsKept() throws {
        try prepare(Self.balls())
        try folder.write("p.yaml", "mine")
        #expect(try start().complaints == "error: p.yaml: is there already; give --overwrite to replace it\n")
        #expect(try written() == "mine")
        #expect(try start("--overwrite").code == 0)
        #expect(try written().contains("target: foreground"))
    }
}
