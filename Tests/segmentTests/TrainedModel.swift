import Foundation
import TestSupport

/// A tiny pipeline that has been trained and exported once, and a folder of another user's, with the model and a
/// volume to segment.
struct TrainedModel {
    /// Where `train.yaml` was run.
    let home = ScratchFolder()
    let model: Data

    static let shared = Result { try TrainedModel() }

    static let pipeline = """
        train:
          - {image: train.tif, labels: train-labels.h5:/labels}
        network: {levels: 2, features: 4}
        training: {steps: 150, patch: [8, 16, 16], batch: 2, validations: 1}
        ensemble: {members: 2}
        consensus: {agree: 1, threshold: auto}
        label: {connectivity: 26, min_voxels: 4}
        segment:
          - {image: test.tif, truth: test-labels.h5:/labels}
        execution: {device: cpu, precision: f32, threads: 2}
        """

    struct Unexpected: Error {
        let words: String
    }

    private init() throws {
        try Self.synthesize("train", shape: "16,48,32", seed: 1, in: home)
        try Self.synthesize("test", shape: "16,32,40", seed: 2, in: home)
        try home.write("train.yaml", Self.pipeline)
        for arguments in [["run", "train.yaml"], ["model", "export", "train.yaml", "-o", "m.segmodel"]] {
            let ending = try Program.wait(for: Program.start(arguments, in: home.path))
            guard ending.code == 0 else { throw Unexpected(words: ending.words) }
        }
        model = try home.data("m.segmodel")
    }

    /// A folder with the model and the volumes.
    func folder() throws -> ScratchFolder {
        let folder = ScratchFolder()
        for name in ["m.segmodel", "train.tif", "train-labels.h5", "test.tif", "test-labels.h5"] {
            try FileManager.default.copyItem(
                atPath: "\(home.path)/\(name)", toPath: "\(folder.path)/\(name)")
        }
        return folder
    }

    static func synthesize(_ name: String, shape: String, seed: Int, in folder: ScratchFolder) throws {
        try Program.run(
            "synthesize", "\(name).tif", "\(name)-labels.h5", "--shape", shape, "--voxel-size", "20,10,11",
            "--seed", "\(seed)", in: folder.path)
    }
}
