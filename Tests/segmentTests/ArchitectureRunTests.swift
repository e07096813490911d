import Foundation
import TestSupport
import Testing

/// Every architecture from files to labels, in 2D and in 3D, and every normalization.
@Suite(.serialized)
final class ArchitectureRunTests {
    private static let folder: Result<ScratchFolder, any Error> = Result {
        let folder = ScratchFolder()
        for (name, shape, seed) in [("train", "16,64,64", "1"), ("test", "16,40,48", "2")] {
            try Program.run(
                "synthesize", "\(name).tif", "\(name)-labels.h5", "--shape", shape, "--voxel-size", "10,10,10",
                "--seed", seed, in: folder.path)
        }
        return folder
    }

    static let networks = [
        "architecture: unet, levels: 2, features: 4", "architecture: unet, levels: 2, features: 4, padding: valid",
        "architecture: unet-2015, levels: 2, features: 4", "architecture: unet-2016, levels: 2, features: 8",
        "architecture: residual-unet, levels: 2, features: 4",
        "architecture: bottleneck-unet, levels: 2, features: 8", "architecture: dense-unet, levels: 2, features: 4",
        "architecture: nnunet, levels: 3, features: 4", "architecture: nnunet-resenc, levels: 3, features: 4",
        "architecture: hourglass, levels: 2, features: 4",
        "architecture: stacked-hourglass, levels: 2, features: 4, deep_supervision: true",
        "architecture: resnet-unet, encoder: resnet-18, features: 4",
        "architecture: densenet-unet, encoder: densenet-121, features: 4",
        "architecture: unet, levels: 2, features: 4, block: residual",
        "architecture: residual-unet, levels: 3, features: 4, deep_supervision: true",
    ]

    @Test(arguments: networks, [2, 3])
    func runs(network: String, dimensions: Int) throws {
        // What valid convolutions lose is more in three dimensions than this volume has.
        let isValid = network.contains("valid") || network.contains("201")
        let side = isValid ? 24 : network.contains("encoder") || network.contains("levels: 4") ? 32 : 16
        let depth = dimensions == 2 ? 1 : side
        try expectLabels("\(network), dimensions: \(dimensions)", patch: "[\(depth), \(side), \(side)]")
    }

    @Test(arguments: ["none", "batch", "layer", "instance", "{ghost: 1}", "{group: 2}"])
    func runsWithNormalization(normalization: String) throws {
        try expectLabels(
            "architecture: residual-unet, levels: 2, features: 4, normalization: \(normalization)",
            patch: "[16, 16, 16]")
    }

    private func expectLabels(_ network: String, patch: String) throws {
        let folder = try Self.folder.get()
        try folder.write(
            "architecture.yaml",
            """
            train: [{image: train.tif, labels: "train-labels.h5:/labels"}]
            network: {\(network)}
            training: {steps: 2, patch: \(patch), batch: 2, validations: 1}
            ensemble: {members: 1}
            consensus: {threshold: 0.5}
            label: {min_voxels: 0}
            segment: [{image: test.tif, truth: "test-labels.h5:/labels"}]
            execution: {device: cpu, threads: 1}
            """)
        let labels = folder.path + "/results/architecture/test/labels.tif"
        try? FileManager.default.removeItem(atPath: labels)
        let ending = try Program.run("run", "architecture.yaml", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        #expect(FileManager.default.fileExists(atPath: labels))
        #expect(ending.output.contains("adapted Rand error"))
    }
}
