import Foundation
import TestSupport
import Testing
import Volumes

/// Bad input gets one clear line that names file and place, and an exit code that is not 0.
struct WrongInputTests {
    private let folder = ScratchFolder()
    private static let shape = ZYX(8, 24, 32)
    private static let voxelSize = VoxelSize(ZYX(20, 10, 11), .nanometer)

    private func writeTIFF<Element: VoxelElement>(
        _ name: String, _ volume: Volume<Element>, voxelSize: VoxelSize? = Self.voxelSize
    ) throws {
        try folder.write(name, volume, voxelSize: voxelSize)
    }

    private func prepare() throws {
        let image = Volume<UInt8>(shape: Self.shape, voxels: (0..<Self.shape.count).map { UInt8($0 % 251) })
        let labels = Volume<UInt16>(shape: Self.shape, voxels: (0..<Self.shape.count).map { UInt16($0 / 999) })
        try writeTIFF("image.tif", image)
        try writeTIFF("labels.tif", labels)
        let writer = try HDF5Writer(
            path: folder.path + "/labels.h5", dataset: "/labels", shape: Self.shape, elementType: .uint16,
            voxelSize: Self.voxelSize)
        try writer.write(VoxelBuffer(labels), atZ: 0)
        try writer.finish()
    }

    private func run(image: String = "image.tif", labels: String = "labels.tif", extra: String = "") throws
        -> Program.Ending
    {
        try folder.write(
            "p.yaml",
            """
            train:
              - {image: \(image), labels: "\(labels)"}
            segment: image.tif
            network: {levels: 2, features: 2}
            training: {steps: 1, patch: [4, 8, 8]}
            ensemble: {members: 1}
            execution: {device: cpu}
            \(extra)
            """)
        return try Program.run("run", "p.yaml", in: folder.path)
    }

    /// The one line that says what is wrong.
    private func fault(_ ending: Program.Ending) -> String {
        let lines = ending.complaints.split(separator: "\n").map(String.init)
        return lines.last { $0.hasPrefix("error: ") } ?? "no error line: \(ending.words)"
    }

    private func expect(_ ending: Program.Ending, _ words: String...) {
        #expect(ending.code == 1, "\(ending.words)")
        let line = fault(ending)
        for word in words { #expect(line.contains(word), "\(line)") }
        #expect(!ending.complaints.contains("Fatal"))
    }

    @Test func aMisspeltKey() throws {
        try prepare()
        expect(try run(extra: "consensus: {agre: all}"), "p.yaml:8", "unknown key 'agre'", "did you mean 'agree'?")
    }

    @Test func aMissingFile() throws {
        try prepare()
        expect(try run(image: "nowhere.tif"), "p.yaml:2", "there is no file or folder nowhere.tif")
    }

    @Test func anImageOfOneValue() throws {
        try prepare()
        try writeTIFF("flat.tif", Volume<UInt8>(shape: Self.shape, repeating: 9))
        expect(try run(image: "flat.tif"), "flat.tif: every voxel is 9: there is nothing to learn from")
    }

    /// Not wrong, but people should know.
    @Test func whatAnnotationMayNotMeanIsNoted() throws {
        try prepare()
        var sparse = Volume<UInt16>(shape: Self.shape)
        for z in [1, 3, 6] { for x in 0..<20 { sparse[z, 5, x] = 1 + UInt16(x / 5) } }
        try writeTIFF("sparse.tif", sparse)
        let notes = try run(
            labels: "sparse.tif",
            extra: "target: [foreground, {affinities: [[-1, 0, 0], [-8, 0, 0]]}]\nconsensus: {threshold: 0.5}"
        ).complaints
        #expect(
            notes.contains("sparse.tif: 3 of 8 sections have labels, and the others count as outside"), "\(notes)")
        #expect(notes.contains("as large as the affinity [-8, 0, 0] reaches"), "\(notes)")
        #expect(!notes.contains("affinity [-1, 0, 0]"))
        let others = try run(
            extra:
                "target: [foreground, {affinities: [[-5, 0, 0]]}]\nlabel: {min_voxels: 12345, regrow: {within: 9 nm}}"
        ).complaints
        #expect(
            others.contains("training.patch, z 4 × y 8 × x 8, is not as large as the affinity [-5, 0, 0] reaches"))
        #expect(others.contains("voxels of an object at most, fewer than label.min_voxels = 12,345"), "\(others)")
        #expect(!others.contains("label.regrow.seeds ="))
    }

    @Test func aTruncatedTIFF() throws {
        try prepare()
        let path = folder.path + "/image.tif"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: folder.path + "/short.tif"))
        expect(try run(image: "short.tif"), "short.tif", "truncated")
    }

    @Test func aDatasetThatIsNotThere() throws {
        try prepare()
        expect(try run(labels: "labels.h5:/volumes/labels"), "labels.h5", "/volumes/labels", "/labels")
    }

    @Test func imageAndLabelsOfDifferentShape() throws {
        try prepare()
        try writeTIFF("small.tif", Volume<UInt16>(shape: ZYX(8, 24, 31), repeating: 1))
        expect(try run(labels: "small.tif"), "small.tif", "z 8 × y 24 × x 31", "z 8 × y 24 × x 32")
    }

    @Test func labelsThatAreAllZero() throws {
        try prepare()
        try writeTIFF("zero.tif", Volume<UInt16>(shape: Self.shape))
        expect(try run(labels: "zero.tif"), "zero.tif", "all labels are 0")
    }

    @Test func labelsThatAreNotWholeNumbers() throws {
        try prepare()
        try writeTIFF("float.tif", Volume<Float>(shape: Self.shape, repeating: 1))
        expect(try run(labels: "float.tif"), "float.tif", "whole numbers", "float32")
    }

    @Test func anImageWithNaN() throws {
        try prepare()
        var image = Volume<Float>(shape: Self.shape, repeating: 1)
        image[3, 5, 7] = .nan
        try writeTIFF("nan.tif", image)
        expect(try run(image: "nan.tif"), "nan.tif", "NaN", "z 3, y 5, x 7")
    }

    @Test func aVoxelSizeThatIsNowhereStated() throws {
        try prepare()
        try writeTIFF("unsized.tif", Volume<UInt8>(shape: Self.shape, repeating: 1), voxelSize: nil)
        expect(try run(image: "unsized.tif"), "unsized.tif", "z, y, x", "voxel_size: {z:")
    }

    @Test func aVoxelSizeThatContradictsTheFile() throws {
        try prepare()
        expect(
            try run(extra: "voxel_size: {z: 20 nm, y: 10 nm, x: 10 nm}"), "image.tif", "z 20 × y 10 × x 11 nm",
            "z 20 × y 10 × x 10 nm")
        let replaced = try run(extra: "voxel_size: {z: 20 nm, y: 10 nm, x: 10 nm, replace: true}")
        #expect(replaced.code == 0, "\(replaced.words)")
    }

    @Test func aFolderThatCannotBeWritten() throws {
        try prepare()
        // Root may write anywhere, but not below a file.
        try folder.write("work/p", "a file where the work folder should be")
        expect(try run(), "work/p", "cannot be")
    }

    @Test func aFileThatIsNoVolume() throws {
        try prepare()
        try folder.write("notes.tif", "these are notes, not a picture\n")
        expect(try run(image: "notes.tif"), "notes.tif")
    }
}
