import Foundation
import TestSupport
import Testing

/// `segment diagnose` from the command line.
struct DiagnoseTests {
    private let folder = ScratchFolder()

    private func json(_ name: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)/diagnose.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func preparePipeline(settings: String = "levels: 2, features: 2") throws {
        try Program.run(
            "synthesize", "train.tif", "labels.h5", "--shape", "24,48,48", "--voxel-size", "10,10,10",
            in: folder.path)
        try folder.write(
            "p.yaml",
            """
            train:
              - {image: train.tif, labels: labels.h5}
            segment: train.tif
            network: {\(settings)}
            training: {steps: 2, patch: [8, 16, 16], batch: 2, validations: 1}
            ensemble: {members: 1}
            execution: {device: cpu, precision: f32, threads: 1}
            """)
    }

    @Test func aNetworkThatWillNotTrainIsToldFromOneThatWill() throws {
        let bad = try Program.run(
            "diagnose", "--network", "plain-56", "--dimensions", "2", "--set", "normalization=none", "--set",
            "features=2", "--experiments", "signal", "--threads", "1", "-o", "bad", in: folder.path)
        #expect(bad.code == 0, "\(bad.words)")
        #expect(bad.output.contains("will not train") && bad.output.contains("The cure: residual"))
        let good = try Program.run(
            "diagnose", "--network", "unet", "--dimensions", "2", "--set", "levels=2", "--set", "features=8",
            "--experiments", "signal", "--threads", "1", "-o", "good", in: folder.path)
        #expect(good.output.contains("unet will train"), "\(good.words)")
        for name in ["index.html", "signal-forward.png", "signal-backward.png"] {
            #expect(FileManager.default.fileExists(atPath: "\(folder.path)/good/\(name)"), "\(name)")
        }
    }

    @Test func experimentsOfOneNetworkAddUpAndAnotherIsRefused() throws {
        func run(_ experiments: String, features: Int) throws -> Program.Ending {
            try Program.run(
                "diagnose", "--network", "residual-unet", "--dimensions", "2", "--set", "levels=2", "--set",
                "features=\(features)", "--experiments", experiments, "--threads", "1", "-o", "out", in: folder.path
            )
        }
        for experiment in ["signal", "paths"] {
            let ending = try run(experiment, features: 2)
            #expect(ending.code == 0, "\(ending.words)")
        }
        let both = try json("out")
        #expect(both["signal"] is [String: Any] && both["gradients"] is NSNull)
        let paths = try #require(both["paths"] as? [String: Any])
        #expect(paths["network"] is [String: Any] && paths["deletion"] is NSNull)
        #expect((paths["reasons"] as? [String: String])?["deletion"]?.contains("pipeline file") == true)
        let reasons = try #require(both["reasons"] as? [String: String])
        #expect(Set(reasons.keys) == ["gradients", "batch_norm", "batch_norm_short", "degradation"])
        let other = try run("paths", features: 3)
        #expect(other.code == 1 && other.complaints.contains("out: holds the diagnosis of another network"))
        #expect(try json("out")["signal"] is [String: Any])
    }

    @Test func aTrainedPipelineLosesItsOwnBlocks() throws {
        try preparePipeline(settings: "architecture: residual-unet, levels: 2, features: 2")
        let trained = try Program.run("run", "p.yaml", "--until", "train", in: folder.path)
        #expect(trained.code == 0, "\(trained.words)")
        let ending = try Program.run(
            "diagnose", "p.yaml", "--experiments", "paths", "--threads", "1", "-o", "out", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        let paths = try #require(try json("out")["paths"] as? [String: Any])
        let deletion = try #require(paths["deletion"] as? [String: Any])
        #expect(deletion["network"] as? String == "the trained residual-unet")
        #expect((deletion["blocks"] as? [Any])?.isEmpty == false)
    }

    @Test func anInterruptedExperimentSavesAndGoesOn() throws {
        try preparePipeline()
        func interrupted() throws -> Program.Ending {
            let process = try Program.start(
                ["diagnose", "p.yaml", "--experiments", "degradation", "-o", "out"], in: folder.path)
            try Program.wait(for: process, toCompute: 8)
            kill(process.processIdentifier, SIGINT)
            return try Program.wait(for: process)
        }
        func step() throws -> Int {
            let file = try SafetensorsHeader(folder.data("out/state/degradation/plain-56-seed-1.safetensors"))
            let state = try JSONSerialization.jsonObject(with: Data((file.metadata["state"] ?? "").utf8))
            return try #require((state as? [String: Any])?["step"] as? Int)
        }
        let ending = try interrupted()
        #expect(ending.code == 130, "\(ending.words)")
        #expect(ending.complaints.contains("saved at degradation; run again to go on"), "\(ending.complaints)")
        let first = try step()
        #expect(try json("out")["degradation"] is NSNull)
        #expect(try interrupted().code == 130)
        #expect(try step() > first)
    }

    @Test func whatIsWrongIsSaidInOneLine() throws {
        try folder.write("file", "not a folder")
        let network = ["diagnose", "--network", "unet", "--dimensions", "2"]
        for (arguments, words) in [
            (network + ["-o", "x", "--experiments", "signal,wings"], "unknown experiment 'wings'"),
            (network + ["-o", "file/below"], "file/below: cannot be created"),
            (network + ["-o", "x", "--experiments", "degradation"], "needs annotated volumes"),
            (["diagnose", "--network", "unett", "-o", "x"], "unet"),
            (["diagnose", "nowhere.yaml", "-o", "x"], "nowhere.yaml: there is no such file"),
        ] {
            let ending = try Program.wait(for: Program.start(arguments, in: folder.path))
            let lines = ending.complaints.split(separator: "\n").filter { $0.hasPrefix("error: ") }
            #expect(ending.code == 1 && lines.count == 1, "\(ending.words)")
            #expect(lines.first?.contains(words) == true, "\(ending.words)")
        }
        #expect(try Program.run("diagnose", "-o", "x", in: folder.path).code != 0)
    }
}
