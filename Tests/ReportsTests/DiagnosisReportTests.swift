import Diagnosis
import Foundation
import Reports
import TestSupport
import Testing
import Volumes

@Suite struct DiagnosisReportTests {
    /// A file as the diagnosis writes it, but for white space.
    private static let json = """
        {
          "subject": {"name": "larva", "facts": [{"name": "network", "value": "unet <3D>"}], "digest": "abc"},
          "verdict": ["It will train."],
          "signal": null, "trial": null, "gradients": null, "paths": null, "batch_norm": null,
          "batch_norm_short": {
            "plan": {
              "network": {"layers": 8, "is_residual": false, "features": 8}, "seeds": [1], "steps": 4, "batch": 8,
              "first_rate": 1, "share": 0.95, "spread_rate": 0.05, "batch_sizes": [2, 4], "observed_samples": 2,
              "observed_batches": 3
            },
            "data": "patches of <something>",
            "ladders": [
              {"is_normalized": true, "seed": 1, "trials": [
                {"rate": 1, "loss": 0.5, "trains": true}, {"rate": 2, "loss": 0.75, "trains": false},
                {"rate": 4, "loss": null, "trains": false}]},
              {"is_normalized": false, "seed": 1, "trials": [{"rate": 1, "loss": null, "trains": false}]}
            ],
            "spreads": [
              {"batch": 2, "is_ghost": false, "mean": 0.25, "expected_mean": 0.25, "output": 0.5},
              {"batch": 4, "is_ghost": false, "mean": 0.125, "expected_mean": 0.125, "output": 0.25}
            ]
          },
          "degradation": {
            "plan": {
              "layers": [20], "features": 8, "seeds": [1, 2], "steps": 20, "batch": 8, "learning_rate": 0.5,
              "points": 2
            },
            "training_samples": 8, "test_samples": 4,
            "runs": [\([("false", 1), ("false", 2), ("true", 1), ("true", 2)].map(run).joined(separator: ", "))]
          },
          "reasons": {"batch_norm": "not run", "signal": "no <reason>"}
        }
        """

    private static func run(_ isResidual: String, _ seed: Int) -> String {
        func point(_ step: Int) -> String {
            """
            {"step": \(step), "training_loss": \(seed), "training_error": 0.5, "test_loss": 0.5, "test_error": 0.25}
            """
        }
        return """
            {"network": {"layers": 20, "is_residual": \(isResidual), "features": 8}, "seed": \(seed),
             "points": [\(point(10)), \(point(20))]}
            """
    }

    /// Reads the file and writes the report into another folder.
    private func withReport(_ body: (_ folder: String) throws -> Void) throws {
        let folder = ScratchFolder()
        try FileManager.default.createDirectory(atPath: folder.path("old"), withIntermediateDirectories: true)
        try Data(Self.json.utf8).write(to: URL(fileURLWithPath: folder.path("old/diagnose.json")))
        let results = try #require(try DiagnosisResults(readingFrom: folder.path("old")))
        try DiagnosisReport(results).write(to: folder.path("new"))
        try body(folder.path("new"))
    }

    @Test func `what was read is written again, key by key, null where there is no result`() throws {
        try withReport { folder in
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/diagnose.json"))
            let written = try #require(try JSONSerialization.jsonObject(with: data) as? NSDictionary)
            let expected = try JSONSerialization.jsonObject(with: Data(Self.json.utf8)) as? NSDictionary
            #expect(written == expected)
        }
    }

    @Test func `numbers that overflow are kept`() throws {
        let folder = ScratchFolder()
        var results = DiagnosisResults(subject: .init(name: "deep", facts: [], digest: "abc"))
        results.signal = SignalPropagation(
            network: .init(
                name: "deep",
                layers: [
                    .init(name: "a", activation: 1, gradient: .nan),
                    .init(name: "b", activation: .infinity, gradient: 1),
                ]),
            references: [])
        try DiagnosisReport(results).write(to: folder.path)
        let read = try #require(try DiagnosisResults(readingFrom: folder.path)?.signal?.network)
        #expect(read.layers[0].gradient.isNaN && read.layers[1].activation == .infinity)
    }

    @Test func `what is no report is not read`() throws {
        let folder = ScratchFolder()
        #expect(try DiagnosisResults(readingFrom: folder.path) == nil)
        // Another program's page, or an unreadable report, is not written over.
        for (name, words) in [("index.html", "is of no diagnosis"), ("diagnose.json", "cannot be read")] {
            try Data("{".utf8).write(to: URL(fileURLWithPath: folder.path(name)))
            let fault = #expect(throws: FileFault.self) { try DiagnosisResults(readingFrom: folder.path) }
            #expect(fault?.problem.contains(words) == true)
        }
    }

    @Test func `the page shows and explains every picture beside it`() throws {
        try withReport { folder in
            let page = try String(contentsOfFile: folder + "/index.html", encoding: .utf8)
            let pictures = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                $0.hasSuffix(".png")
            }
            #expect(
                Set(pictures) == [
                    "degradation-training.png", "degradation-test.png", "batch-norm-short-rates.png",
                    "batch-norm-short-spread.png",
                ])
            for picture in pictures {
                #expect(page.contains("src=\"\(picture)\""))
                #expect(try #require(Picture(path: folder + "/" + picture)).width > 100)
            }
            #expect(page.components(separatedBy: "<cite>").count == pictures.count + 1)
            #expect(page.contains("It will train.") && page.contains("no &lt;reason&gt;"))
            #expect(
                page.contains("patches of &lt;something&gt;") && page.contains("<h1>larva: will it train?</h1>")
                    && page.contains("unet &lt;3D&gt;") && !page.contains("<3D>"))
        }
    }

    @Test func `a folder that cannot be written is a clear error`() throws {
        let subject = DiagnosisResults.Subject(name: "larva", facts: [], digest: "abc")
        #expect {
            try DiagnosisReport(DiagnosisResults(subject: subject)).write(to: "/proc/nowhere")
        } throws: {
            "\($0)".contains("/proc/nowhere")
        }
    }
}
