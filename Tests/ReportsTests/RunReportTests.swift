import Foundation
import Labeling
import Reports
import TestSupport
import Testing
import Volumes

private let truth = Volume<UInt8>(shape: ZYX(1, 1, 4), voxels: [1, 1, 2, 2])

private func report() throws -> RunReport {
    RunReport(
        title: "larva <1>", summary: [.init("device", "cpu & 2 threads")],
        segmentations: [
            .init(
                name: "volume-a", path: "larva & co/a#1/", objects: 1204, coverage: 0.932,
                scores: try .evaluate(labels: truth, truth: truth), overview: Data([1, 2, 3]),
                comparison: Data([4, 5, 6])),
            .init(name: "volume-b", path: "", failure: "section 41 of 60 is truncated"),
        ],
        members: [.init(number: 1, steps: 2000, validationLoss: 0.18, dice: 0.91, disagreement: 0.0213)],
        trainingCurve: Plot(title: "Training", xLabel: "step", yLabel: "loss", series: []),
        threshold: Threshold(probability: 0.98), thresholdCurve: nil,
        stages: [.init(name: "train", state: "new", seconds: 4000, peakBytes: 2 << 30)],
        parameters: "network: {features: 16}\nnote: \"<script>\"")
}

@Suite struct RunReportTests {
    @Test func `the page says what was done and found`() throws {
        let page = try report().html()
        for text in [
            "<td>volume-a</td>", ">1,204<", ">93.2 %<",
            "<a href=\"./larva%20&amp;%20co/a%231/\">larva &amp; co/a#1/</a>", ">0.0000<", ">1.0000<",
            "failed: section 41 of 60 is truncated", ">0.1800<", ">2.1 %<", "probability 0.98 (logit 3.8918)",
            "1 h 6 min", "2.0 GiB", "cpu &amp; 2 threads",
        ] {
            #expect(page.contains(text), "\(text)")
        }
    }

    @Test func `the page needs nothing but itself`() throws {
        let page = try report().html()
        #expect(page.contains("src=\"data:image/png;base64,AQID\""))
        #expect(page.components(separatedBy: "<img").count == 4)
        #expect(!page.contains("http"))
    }

    @Test func `text from outside is escaped`() throws {
        let page = try report().html()
        #expect(page.contains("<title>larva &lt;1&gt;</title>"))
        #expect(page.contains("&quot;&lt;script&gt;&quot;") && !page.contains("<script>"))
    }

    @Test func `what is empty has no section`() {
        let page = RunReport(
            title: "none", summary: [], segmentations: [], members: [], stages: [], parameters: ""
        ).html()
        #expect(!page.contains("<section>") && !page.contains("<table>"))
    }

    @Test func `the page is written whole, and a bad path is a clear error`() throws {
        let page = try report()
        let folder = ScratchFolder()
        try page.write(to: folder.path("report.html"))
        #expect(try String(contentsOfFile: folder.path("report.html"), encoding: .utf8) == page.html())
        #expect(throws: FileFault.self) { try page.write(to: folder.path) }
        #expect(folder.contents == ["report.html"])
    }
}
