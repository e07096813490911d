/// An HTML page in the look of all reports.
struct Page {
    var title: String
    /// HTML.
    var parts: [String]

    var html: String {
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
        \(parts.joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    static func facts(_ facts: [RunReport.Fact]) -> String {
        if facts.isEmpty { return "" }
        let lines = facts.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>" }
        return "<dl>\(lines.joined(separator: "\n"))</dl>"
    }

    /// Nothing where there is no content.
    static func section(_ title: String, _ content: String) -> String {
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
        figcaption { max-width: 860px; }
        figcaption cite { color: var(--quiet); }
        img { max-width: 100%; height: auto; }
        pre { margin: 0; font: 13px/1.5 "DejaVu Sans Mono", monospace; overflow-x: auto; }
        @media print { body { background: white; } section { break-inside: avoid; } }
        """
}
