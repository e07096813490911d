import Foundation

/// A table of an HTML page.
struct Table {
    enum Column {
        case text(String)
        case number(String)
        /// Of paths from the page's folder.
        case link(String)

        var title: String {
            switch self {
            case .text(let title), .number(let title), .link(let title): title
            }
        }

        var attribute: String {
            switch self {
            case .text, .link: ""
            case .number: " class=\"number\""
            }
        }

        func content(_ cell: String, isFault: Bool) -> String {
            guard case .link = self, !isFault,
                let address = cell.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)
            else { return escaped(cell) }
            return "<a href=\"./\(escaped(address))\">\(escaped(cell))</a>"
        }
    }

    var columns: [Column]
    private var rows: [(cells: [String], isFault: Bool)] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row with a plain text for each column.
    mutating func add(_ cells: [String], isFault: Bool = false) { rows.append((cells, isFault)) }

    var html: String {
        let head = columns.map { "<th\($0.attribute)>\(escaped($0.title))</th>" }.joined()
        let body = rows.map { row in
            let cells = zip(columns, row.cells).map {
                "<td\($0.attribute)>\($0.content($1, isFault: row.isFault))</td>"
            }.joined()
            return "<tr\(row.isFault ? " class=\"fault\"" : "")>\(cells)</tr>"
        }
        return """
            <table>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body.joined(separator: "\n"))
            </tbody>
            </table>
            """
    }
}
