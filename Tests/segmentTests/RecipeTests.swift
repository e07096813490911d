import Foundation
import TestSupport
import Testing

/// The recipes of `pipelines`, but for few steps of two members and what takes long, on files such as they ask for.
@Suite(.serialized) struct RecipeTests {
    /// Where a recipe finds a volume, and where its labels.
    struct Files: Sendable {
        var recipe: String
        /// Along z, y and x.
        var shape: String
        var volumes: [(image: String, labels: String)]
        /// Of the volumes that it segments.
        var results: [String]
    }

    static let recipes = [
        Files(
            recipe: "fib25", shape: "72,64,64",
            volumes: [
                ("fib25/train.tif", "fib25/train-labels.h5"),
                ("fib25/validation.tif", "fib25/validation-labels.h5"),
            ], results: ["validation"]),
        Files(
            recipe: "nuclei", shape: "24,72,64",
            volumes: ["Emb1_t1", "Emb2_t1", "Emb3_t1", "Emb4_t1"].map {
                ("bbbc050/images/\($0).tif", "bbbc050/labels/\($0).tif")
            }, results: ["Emb3_t1", "Emb4_t1"]),
        Files(
            recipe: "cells", shape: "1,300,256",
            volumes: ["train", "test"].map { ("dsb2018/\($0)/images/a.tif", "dsb2018/\($0)/masks/a.tif") },
            results: ["a"]),
        Files(
            recipe: "sstem", shape: "12,72,64",
            volumes: ["train", "test"].map { ("isbi2012/\($0).tif", "isbi2012/\($0)-objects.tif") },
            results: ["test"]),
    ]

    private static let folder: String = {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.deletingLastPathComponent().path + "/pipelines"
    }()

    /// `make demo` runs the demo.
    @Test func everyRecipeIsTried() throws {
        let there = try FileManager.default.contentsOfDirectory(atPath: Self.folder).filter {
            $0.hasSuffix(".yaml")
        }
        #expect(Set(there) == Set(Self.recipes.map { $0.recipe + ".yaml" } + ["demo.yaml"]))
    }

    @Test(arguments: recipes) func runs(files: Files) throws {
        let folder = ScratchFolder()
        for (seed, volume) in files.volumes.enumerated() {
            for path in [volume.image, volume.labels] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder.path)/\((path as NSString).deletingLastPathComponent)",
                    withIntermediateDirectories: true)
            }
            let made = try Program.run(
                "synthesize", volume.image, volume.labels, "--shape", files.shape, "--seed", "\(seed)",
                in: folder.path)
            #expect(made.code == 0, "\(made.words)")
        }
        let text = try String(contentsOfFile: "\(Self.folder)/\(files.recipe).yaml", encoding: .utf8)
        let members = "ensemble: {members: 2"
        let two =
            text.contains("\nensemble: {")
            ? text.replacing("ensemble: {", with: members + ", ") : text + members + "}\n"
        try folder.write(
            "\(files.recipe).yaml",
            two.replacing(/steps: \d+/, with: "steps: 2").replacing(
                /(mirror|thresholds): true/, with: { "\($0.1): false" }
            )
            .replacing(/validations: \d+/, with: "validations: 1")
            .replacing(/voxel_size: \{/, with: "voxel_size: {replace: true, "))
        let ending = try Program.run("run", "\(files.recipe).yaml", in: folder.path)
        #expect(ending.code == 0, "\(ending.words)")
        for name in files.results {
            let results = "\(folder.path)/results/\(files.recipe)/\(name)"
            #expect(FileManager.default.fileExists(atPath: results + "/labels.tif"))
            #expect(FileManager.default.fileExists(atPath: results + "/scores.json"))
        }
    }
}
