import Foundation
import Labeling
import Volumes

/// What a run did and found, as one HTML page that needs nothing but itself.
public struct RunReport: Sendable {
    /// A line of the summary.
    public struct Fact: Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A volume that was segmented, or could not be.
    public struct Segmentation: Sendable {
        public var name: String
        /// Where the labels are.
        public var path: String
        public var objects: Int?
        /// The share of the volume's voxels with a label.
        public var coverage: Double?
        /// Against the truth, where there is one.
        public var scores: SegmentationScores?
        /// One line that says why there is no result.
        public var failure: String?
        /// The overview as a PNG file.
        public var overview: Data?

        public init(
            name: String, path: String, objects: Int? = nil, coverage: Double? = nil,
            scores: SegmentationScores? = nil, failure: String? = nil, overview: Data? = nil
        ) {
            self.name = name
            self.path = path
            self.objects = objects
            self.coverage = coverage
            self.scores = scores
            self.failure = failure
            self.overview = overview
        }
    }

    /// A member of the ensemble.
    public struct Member: Sendable {
        public var number: Int
        public var seed: UInt64
        public var steps: Int
        public var validationLoss: Double?
        public var dice: Double?
        /// The share of voxels at which the member differs from the others' majority.
        public var disagreement: Double?

        public init(
            number: Int, seed: UInt64, steps: Int, validationLoss: Double? = nil, dice: Double? = nil,
            disagreement: Double? = nil
        ) {
            self.number = number
            self.seed = seed
            self.steps = steps
            self.validationLoss = validationLoss
            self.dice = dice
            self.disagreement = disagreement
        }
    }

    /// What a stage took.
    public struct Stage: Sendable {
        public var name: String
        /// For example `kept` or `new`.
        public var state: String
        public var seconds: Double
        public var peakBytes: Int?

        public init(name: String, state: String, seconds: Double, peakBytes: Int? = nil) {
            self.name = name
            self.state = state
            self.seconds = seconds
            self.peakBytes = peakBytes
        }
    }

    public var title: String
    public var summary: [Fact]
    public var segmentations: [Segmentation]
    public var members: [Member]
    public var trainingCurve: Plot?
    public var threshold: Threshold?
    public var thresholdCurve: Plot?
    public var stages: [Stage]
    /// All parameters, defaults included, as they would stand in the pipeline file.
    public var parameters: String

    public init(
        title: String, summary: [Fact], segmentations: [Segmentation], members: [Member],
        trainingCurve: Plot? = nil, threshold: Threshold? = nil, thresholdCurve: Plot? = nil,
        stages: [Stage], parameters: String
    ) {
        self.title = title
        self.summary = summary
        self.segmentations = segmentations
        self.members = members
        self.trainingCurve = trainingCurve
        self.threshold = threshold
        self.thresholdCurve = thresholdCurve
        self.stages = stages
        self.parameters = parameters
    }

    /// Writes the page, at once or not at all.
    ///
    /// - Throws: `FileFault` where the file cannot be written.
    public func write(to path: String) throws {
        try AtomicFile.write(Data(html().utf8), to: path)
    }

    /// The page; images are within it.
    public func html() -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(escaped(title))</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <main>
        <h1>\(escaped(title))</h1>
        \(facts)
        \(segmentationSection)
        \(memberSection)
        \(thresholdSection)
        \(stageSection)
        \(section("Parameters", parameters.isEmpty ? "" : "<pre>\(escaped(parameters))</pre>"))
        </main>
        </body>
        </html>

        """
    }

    private var facts: String {
        if summary.isEmpty { return "" }
        let lines = summary.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>" }
        return "<dl>\(lines.joined(separator: "\n"))</dl>"
    }

    private var segmentationSection: String {
        if segmentations.isEmpty { return "" }
        let scored = segmentations.contains { $0.scores != nil }
        var table = Table([.text("Volume"), .number("Objects"), .number("Coverage")])
        if scored {
            table.columns += ["Adapted Rand error", "VI split (bits)", "VI merge (bits)", "Dice"]
                .map { .number($0) }
        }
        table.columns.append(.text("Labels"))
        for result in segmentations {
            var row = [result.name, result.objects.map(grouped) ?? "–", percent(result.coverage)]
            if scored {
                let scores = result.scores
                row += [scores?.adaptedRandError, scores?.viSplit, scores?.viMerge, scores?.dice]
                    .map { decimal($0) }
            }
            row.append(result.failure.map { "failed: \($0)" } ?? result.path)
            table.add(row, isFault: result.failure != nil)
        }
        let pictures = segmentations.compactMap { result in
            result.overview.map { figure($0, "\(result.name): sections through the middle") }
        }
        return section("Segmented volumes", table.html + pictures.joined(separator: "\n"))
    }

    private var memberSection: String {
        if members.isEmpty && trainingCurve == nil { return "" }
        var table = Table([
            .number("Member"), .number("Seed"), .number("Steps"), .number("Validation loss"), .number("Dice"),
            .number("Disagreement"),
        ])
        for member in members {
            table.add([
                "\(member.number)", "\(member.seed)", grouped(member.steps), decimal(member.validationLoss),
                decimal(member.dice), percent(member.disagreement),
            ])
        }
        let note =
            members.contains { $0.disagreement != nil }
            ? "<p>Disagreement: the share of voxels at which a member differs from most of the others.</p>" : ""
        return section("Ensemble", (members.isEmpty ? "" : table.html) + note + plot(trainingCurve))
    }

    private var thresholdSection: String {
        if threshold == nil && thresholdCurve == nil { return "" }
        let chosen = threshold.map { "<p>Members vote from \(escaped($0.description)).</p>" } ?? ""
        return section("Threshold", chosen + plot(thresholdCurve))
    }

    private var stageSection: String {
        if stages.isEmpty { return "" }
        var table = Table([.text("Stage"), .text("State"), .number("Time"), .number("Peak memory")])
        for stage in stages {
            table.add([stage.name, stage.state, duration(stage.seconds), stage.peakBytes.map(binary) ?? "–"])
        }
        return section("Time and memory", table.html)
    }

    private func plot(_ plot: Plot?) -> String { plot.map { figure($0.png(), $0.title) } ?? "" }

    private func figure(_ png: Data, _ text: String) -> String {
        """
        <figure><img alt="\(escaped(text))" src="data:image/png;base64,\(png.base64EncodedString())"></figure>
        """
    }

    private func section(_ title: String, _ content: String) -> String {
        content.isEmpty ? "" : "<section>\n<h2>\(title)</h2>\n\(content)\n</section>"
    }

    private static let style = """
        :root { color-scheme: light; --ink: #22272e; --quiet: #6b7480; --line: #d9dee4; --fault: #b3261e; }
        body { margin: 0; background: #f4f6f8; color: var(--ink);
          font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
        main { max-width: 1100px; margin: 0 auto; padding: 40px 28px 64px; }
        h1 { font-size: 28px; margin: 0 0 16px; }
        h2 { font-size: 19px; margin: 0 0 14px; }
        section { background: white; border: 1px solid var(--line); border-radius: 8px; padding: 22px 24px;
          margin-top: 22px; overflow-x: auto; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0; }
        dt, p { color: var(--quiet); }
        dd { margin: 0; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th { color: var(--quiet); font-weight: 600; font-size: 13px; text-align: left; vertical-align: bottom; }
        th, td { padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); }
        td:first-child { white-space: nowrap; }
        td:last-child { overflow-wrap: anywhere; }
        .number { text-align: right; padding-right: 22px; white-space: nowrap; }
        .fault td { color: var(--fault); }
        figure { margin: 20px 0 0; }
        img { max-width: 100%; height: auto; }
        pre { margin: 0; font: 13px/1.5 "DejaVu Sans Mono", monospace; overflow-x: auto; }
        @media print { body { background: white; } section { break-inside: avoid; } }
        """
}
