import Foundation
import TestSupport
import Testing
import Volumes

/// The commands beside `run`.
struct CommandTests {
    private let folder = ScratchFolder()

    @Test(arguments: ["run", "plan", "status", "clean", "info", "evaluate", "label", "synthesize"])
    func helpEndsInAnExample(command: String) throws {
        let ending = try Program.run(command, "--help", in: folder.path)
        #expect(ending.code == 0)
        let example = try #require(ending.output.components(separatedBy: "\n\n").last)
        #expect(example.hasPrefix("Example:\n  segment \(command) "))
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
        #expect(object?["elementType"] as? String == "uint32")
        #expect(object?["voxelSizeNanometers"] as? [String: Double] == ["z": 40, "y": 8, "x": 9])
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
    }

    @Test(arguments: [(6, 2), (18, 1), (26, 1)], ["components.tif", "components.h5"])
    func labelJoinsByConnectivity(expected: (connectivity: Int, objects: Int), output: String) throws {
        // Two voxels that share an edge, and no face.
        var mask = Volume<UInt8>(shape: ZYX(1, 3, 4))
        mask[0, 0, 1] = 255
        mask[0, 1, 2] = 255
        let writer = try TIFFWriter(
            path: folder.path + "/mask.tif", flavor: .imageJ, shape: mask.shape, elementType: .uint8,
            voxelSize: VoxelSize(ZYX(3, 2, 1), .micrometer))
        try writer.write(VoxelBuffer(mask), atZ: 0)
        try writer.finish()
        let ending = try Program.run(
            "label", "mask.tif", "-o", output, "--connectivity", "\(expected.connectivity)", in: folder.path)
        #expect(ending.output.hasPrefix("\(expected.objects) object"), "\(ending.words)")
        let reader = try VolumeFile.open(folder.path + "/" + output)
        let labels = try reader.read(Box(reader.info.shape)).converted(to: UInt32.self)
        #expect(labels[0, 0, 1] == 1)
        #expect(labels[0, 1, 2] == UInt32(expected.objects))
        #expect(reader.info.voxelSize.complete?.nanometers == ZYX(3000, 2000, 1000))
    }
}
