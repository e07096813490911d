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
        /// Where the results are, from the folder of the page.
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
        /// A member's objects and the consensus's beside the truth, as a PNG file.
        public var comparison: Data?

        public init(
            name: String, path: String, objects: Int? = nil, coverage: Double? = nil,
            scores: SegmentationScores? = nil, failure: String? = nil, overview: Data? = nil,
            comparison: Data? = nil
        ) {
            self.name = name
            self.path = path
            self.objects = objects
            self.coverage = coverage
            self.scores = scores
            self.failure = failure
            self.overview = overview
            self.comparison = comparison
        }
    }

    /// A member of the ensemble.
    public struct Member: Sendable {
        public var number: Int
        /// Taken by the weights that it ended with.
        public var steps: Int
        /// Why it ended early, in a word.
        public var ending: String?
        public var validationLoss: Double?
        public var dice: Double?
        /// The adapted Rand error of the objects made of its validation block.
        public var randError: Double?
        /// The share of voxels at which the member differs from the others' majority.
        public var disagreement: Double?

        public init(
            number: Int, steps: Int, ending: String? = nil, validationLoss: Double? = nil,
            dice: Double? = nil, randError: Double? = nil, disagreement: Double? = nil
        ) {
            self.number = number
            self.steps = steps
            self.ending = ending
            self.validationLoss = validationLoss
            self.dice = dice
            self.randError = randError
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
    /// Why the results may not be good ones, in one clause each.
    public var doubts: [String]
    public var segmentations: [Segmentation]
    public var members: [Member]
    public var trainingCurve: Plot?
    public var threshold: Threshold?
    public var thresholdCurve: Plot?
    public var stages: [Stage]
    /// All parameters, defaults included, as they would stand in the pipeline file.
    public var parameters: String

    public init(
        title: String, summary: [Fact], doubts: [String] = [], segmentations: [Segmentation], members: [Member],
        trainingCurve: Plot? = nil, threshold: Threshold? = nil, thresholdCurve: Plot? = nil,
        stages: [Stage], parameters: String
    ) {
        self.title = title
        self.summary = summary
        self.doubts = doubts
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
        Page(
            title: title,
            parts: [
                Page.facts(summary), doubtSection, segmentationSection, memberSection, thresholdSection,
                stageSection,
                Page.section("Parameters", parameters.isEmpty ? "" : "<pre>\(escaped(parameters))</pre>"),
            ]
        ).html
    }

    private var doubtSection: String {
        if doubts.isEmpty { return "" }
        let sentences = doubts.map { "<p>\(escaped($0.prefix(1).uppercased() + $0.dropFirst())).</p>" }
        return Page.section("What to be careful about", sentences.joined())
    }

    private var segmentationSection: String {
        if segmentations.isEmpty { return "" }
        let scored = segmentations.contains { $0.scores != nil }
        var table = Table([.text("Volume"), .number("Objects"), .number("Inside objects")])
        if scored {
            table.columns += ["Adapted Rand error", "VI split (bits)", "VI merge (bits)", "Object F1", "Dice"]
                .map { .number($0) }
        }
        table.columns.append(.link("Results"))
        for result in segmentations {
            var row = [result.name, result.objects.map(grouped) ?? "–", percent(result.coverage)]
            if scored {
                let scores = result.scores
                row += [scores?.adaptedRandError, scores?.viSplit, scores?.viMerge, scores?.objectF1, scores?.dice]
                    .map { decimal($0) }
            }
            row.append(result.failure.map { "failed: \($0)" } ?? result.path)
            table.add(row, isFault: result.failure != nil)
        }
        let pictures = segmentations.flatMap { result in
            [
                result.overview.map { figure($0, "\(result.name): sections") },
                result.comparison.map { figure($0, "\(result.name): objects beside the truth's") },
            ].compactMap { $0 }
        }
        let note =
            scored
            ? "<p>Best are an adapted Rand error and a variation of information (VI) of 0, which count voxels where the "
                + "truth is not 0, and an object F1 and a Dice coefficient of 1.</p>" : ""
        return Page.section("Segmented volumes", table.html + note + pictures.joined(separator: "\n"))
    }

    private var memberSection: String {
        if members.isEmpty && trainingCurve == nil { return "" }
        var table = Table([
            .number("Member"), .number("Steps"), .number("Validation loss"), .number("Dice"),
            .number("Adapted Rand error"), .number("Disagreement"),
        ])
        for member in members {
            table.add([
                "\(member.number)",
                grouped(member.steps) + (member.ending.map { " (\($0))" } ?? ""), decimal(member.validationLoss),
                decimal(member.dice), decimal(member.randError), percent(member.disagreement),
            ])
        }
        let note =
            "<p>Loss, Dice and Rand error are of the block that each member keeps back for its own validation, – where that "
            + "holds no object."
            + (members.contains { $0.disagreement != nil }
                ? " Disagreement: the share of its votes, one a voxel, in which a member differs from the majority."
                : "") + "</p>"
        return Page.section("Ensemble", (members.isEmpty ? "" : table.html + note) + plot(trainingCurve))
    }

    private var thresholdSection: String {
        if threshold == nil && thresholdCurve == nil { return "" }
        let chosen = threshold.map { "<p>Members vote from \(escaped($0.description)).</p>" } ?? ""
        return Page.section("Threshold", chosen + plot(thresholdCurve))
    }

    private var stageSection: String {
        if stages.isEmpty { return "" }
        var table = Table([.text("Stage"), .text("State"), .number("Time"), .number("Peak memory")])
        for stage in stages {
            table.add([stage.name, stage.state, duration(stage.seconds), stage.peakBytes.map(binary) ?? "–"])
        }
        return Page.section("Time and memory", table.html)
    }

    private func plot(_ plot: Plot?) -> String { plot.map { figure($0.png(), $0.title) } ?? "" }

    private func figure(_ png: Data, _ text: String) -> String {
        """
        <figure><img alt="\(escaped(text))" src="data:image/png;base64,\(png.base64EncodedString())"></figure>
        """
    }
}
