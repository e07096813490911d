import ArgumentParser
import Foundation
import Pipeline

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open everything that a pipeline file names and say all that is wrong, before a run.",
        discussion: """
            Every file is read to its end; --headers looks at headers alone, which takes moments. Exit code 1 where \
            there are errors.

            Example:
              segment check pipelines/demo.yaml
            """)

    @OptionGroup var options: PipelineOptions

    @Flag(help: "Read headers only: shapes, types, voxel sizes and pairs, and no voxel.")
    var headers = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let interrupt = Interrupt()
        interrupt.listen()
        let check = PipelineCheck(options.pipeline, options: options.runOptions, headersOnly: headers)
        let isShown = Console.isTerminal
        let report = try check.run(shouldStop: { interrupt.isRequested }) { index, count in
            if isShown { Console.write("\r\u{1B}[2Kreading \(index + 1) of \(count)", to: STDERR_FILENO) }
        }
        if isShown { Console.write("\r\u{1B}[2K", to: STDERR_FILENO) }
        if json {
            Console.say(try report.json)
        } else {
            show(report)
        }
        if report.errors > 0 { throw ExitCode(1) }
    }

    private func show(_ report: CheckReport) {
        if !report.files.isEmpty {
            TextTable(
                ["", "file", "z, y, x", "type", "voxel size", "values"], report.files.map(row), rightAligned: []
            )
            .print()
            Console.say("")
        }
        for (_, findings) in groups(of: report.findings, by: { [$0.severity.rawValue, $0.problem] }) {
            let place = someOf(findings.map(\.place))
            Console.say("\(findings[0].severity.rawValue.padded(to: 9))\(place): \(findings[0].problem)")
        }
        if let needed = report.diskNeeded, let free = report.diskFree {
            Console.say("disk: up to \(Bytes.format(needed)) needed, \(Bytes.format(free)) free")
        }
        Console.say(
            "\(count(report.errors, "error")), \(count(report.warnings, "warning"))"
                + (report.headersOnly ? "; headers only, no voxel was read" : ""))
    }

    private func row(_ file: CheckReport.File) -> [String] {
        var values = ""
        if let objects = file.objects {
            values = count(objects, "object")
        } else if let low = file.minimum, let high = file.maximum {
            values = String(format: "%g to %g", low, high)
        }
        let shape = file.shape.map { $0.map(String.init).joined(separator: " × ") } ?? "?"
        return [file.role, file.file, shape, file.type ?? "?", file.voxelSize ?? "–", values]
    }

    private func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
