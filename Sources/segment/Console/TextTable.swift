/// Columns of text as wide as they must be.
struct TextTable {
    private let rows: [[String]]
    private let rightAligned: Set<Int>

    init(_ header: [String], _ rows: [[String]], rightAligned: Set<Int>) {
        self.rows = [header] + rows
        self.rightAligned = rightAligned
    }

    func print() {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return rightAligned.contains(column) ? space + cell.0 : cell.0 + space
            }
            let line = cells.joined(separator: "  ")
            Console.say(String(line.reversed().drop { $0 == " " }.reversed()))
        }
    }
}
