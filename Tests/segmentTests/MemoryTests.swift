import Foundation
import TestSupport
import Testing

/// What `--memory` promises, and what `segment plan` says that a run takes.
@Suite(.serialized) struct MemoryTests {
    private let folder = ScratchFolder()

    private func prepare() throws {
        for (seed, name) in ["train", "test"].enumerated() {
            let made = try Program.run(
                "synthesize", "\(name).tif", "\(name)-labels.h5", "--shape", "16,48,48", "--voxel-size", "20,10,10",
                "--seed", "\(seed)", in: folder.path)
            #expect(made.code == 0, "\(made.words)")
        }
        try folder.write(
            "p.yaml",
            """
            train: {image: train.tif, labels: train-labels.h5}
            target: [boundary, affinities]
            network: {levels: 2, features: 4}
            training: {steps: 4, patch: [8, 16, 16], validations: 1}
            ensemble: {members: 2}
            consensus: {threshold: 0.5}
            label: {min_voxels: 4, regrow: {within: 20 nm}, merge: {above: 0.5}}
            segment: {image: test.tif, truth: test-labels.h5}
            evaluate: {thresholds: true}
            """)
    }

    @Test func theLeastThatIsNamedWillDo() throws {
        try prepare()
        let refusal = try Program.run("run", "p.yaml", "--memory", "1MiB", in: folder.path)
        #expect(refusal.code == 1)
        let problem =
            /error: p.yaml: [a-z]+ takes (\d+) MiB of memory at least, and 1 MiB are given; give --memory (\d+)MiB or more\n/
        let match = try #require(refusal.complaints.firstMatch(of: problem), "\(refusal.words)")
        #expect(match.1 == match.2)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/work/p/train"))
        let run = try Program.run("run", "p.yaml", "--memory", "\(match.2)MiB", in: folder.path)
        #expect(run.code == 0, "\(run.words)")
        let wrong = try Program.run("run", "p.yaml", "--memory", "much", in: folder.path)
        #expect(
            wrong.code != 0 && wrong.complaints.contains("--memory must be a number of bytes"), "\(wrong.words)")
    }

    @Test func aPlanSaysWhatARunTakes() throws {
        try prepare()
        let plan = try Program.run("plan", "p.yaml", "--memory", "2G", in: folder.path)
        #expect(plan.code == 0, "\(plan.words)")
        let lines = plan.output.split(separator: "\n").map(String.init)
        let table = lines.drop { !$0.hasPrefix("stage ") }.dropFirst()
        let stages = ["ingest", "train", "predict", "consensus", "regrow", "label", "export", "evaluate"]
        #expect(table.dropLast().map { String($0.prefix { $0 != " " }) } == stages, "\(plan.words)")
        #expect(table.dropLast().allSatisfy { $0.contains("MiB") && $0.hasSuffix("s") })
        #expect(table.last?.contains("of the 2.0 GiB of memory given") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { $0 != "work" })
    }

    /// The network sees 100 voxels along each axis, so that small tiles are mostly what lies around them.
    @Test func memoryThatMakesTilesMostlyHaloIsTold() throws {
        try prepare()
        let made = try Program.run(
            "synthesize", "test.tif", "test-labels.h5", "--shape", "48,240,240", "--voxel-size", "20,10,10",
            "--overwrite", in: folder.path)
        #expect(made.code == 0, "\(made.words)")
        try folder.write(
            "p.yaml",
            """
            train: {image: train.tif, labels: train-labels.h5}
            network: {levels: 4, features: 16}
            training: {steps: 4, patch: [16, 16, 16], validations: 1}
            segment: test.tif
            execution: {precision: f32}
            """)
        func note(_ memory: String) throws -> Substring? {
            let run = try Program.run("run", "p.yaml", "--until", "ingest", "--memory", memory, in: folder.path)
            #expect(run.code == 0, "\(run.words)")
            return (run.output + run.complaints).split(separator: "\n").first { $0.contains("mostly halo") }
        }
        let told = try #require(try note("500MiB"))
        let parts = /each voxel is computed (\d+|\d\.\d) times; with --memory (\d+MiB) it is (\d\.\d)$/
        let match = try #require(told.firstMatch(of: parts), "\(told)")
        #expect(Double(match.1)! > 4 && Double(match.3)! <= 3, "\(told)")
        #expect(try note(String(match.2)) == nil)
    }
}
