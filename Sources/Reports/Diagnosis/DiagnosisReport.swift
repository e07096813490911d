import Diagnosis
import Foundation
import Volumes

/// The report of `segment diagnose`: a folder with one PNG for each picture, `diagnose.json` and `index.html`.
public struct DiagnosisReport: Sendable {
    /// A chart, and what to see in it.
    struct Picture: Sendable {
        /// Of the PNG file, without its ending.
        var name: String
        var plot: Plot
        /// What is drawn and why it matters, in two sentences.
        var explanation: String
        /// What came of it here, in numbers; empty where the picture says it all.
        var finding = ""
        /// Who published what it shows.
        var source: String
    }

    /// What an experiment gives to see.
    struct Section: Sendable {
        var title: String
        var pictures: [Picture] = []
        /// HTML below the pictures.
        var table = ""
    }

    public static let jsonName = "diagnose.json"
    public static let pageName = "index.html"

    private let results: DiagnosisResults

    public init(_ results: DiagnosisResults) { self.results = results }

    /// Writes everything, each file at once or not at all.
    ///
    /// - Throws: `FileFault` where a file cannot be written.
    public func write(to folder: String) throws {
        let sections = DiagnosisResults.Key.allCases.map { ($0, results.section($0)) }
        let pictures = sections.flatMap { $0.1?.pictures ?? [] }
        try AtomicFile.write(results.json(), to: "\(folder)/\(Self.jsonName)")
        for picture in pictures { try AtomicFile.write(picture.plot.png(), to: "\(folder)/\(picture.name).png") }
        try AtomicFile.write(Data(html(sections).utf8), to: "\(folder)/\(Self.pageName)")
    }

    private func html(_ sections: [(DiagnosisResults.Key, Section?)]) -> String {
        let verdict = results.verdict.map { "<p>\(escaped($0))</p>" }.joined(separator: "\n")
        let missing = sections.filter { $0.1 == nil }.compactMap { key, _ in
            results.reasons[key.rawValue].map { "<dt>\(escaped(key.title))</dt><dd>\(escaped($0))</dd>" }
        }
        let parts = sections.compactMap { $0.1.map(html) }
        return Page(
            title: "\(results.subject.name): will it train?",
            parts: [Page.facts(results.subject.facts.map { RunReport.Fact($0.name, $0.value) })]
                + [Page.section("What was found", verdict)] + parts
                + [Page.section("Not run", missing.isEmpty ? "" : "<dl>\(missing.joined())</dl>")]
        ).html
    }

    private func html(_ section: Section) -> String {
        let figures = section.pictures.map { picture in
            """
            <figure><img alt="\(escaped(picture.plot.title))" src="\(picture.name).png">
            <figcaption>\(escaped(picture.explanation)) <cite>\(escaped(picture.source))</cite>\
            \(picture.finding.isEmpty ? "" : "<p>Here: \(escaped(picture.finding))</p>")</figcaption></figure>
            """
        }
        return Page.section(escaped(section.title), (figures + [section.table]).joined(separator: "\n"))
    }
}
