import Foundation

/// Text as it may stand in HTML, in attributes too.
func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for character in text.unicodeScalars {
        switch character {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        default: result.unicodeScalars.append(character)
        }
    }
    return result
}

/// Four decimals, or a dash.
func decimal(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    return String(format: "%.4f", value)
}

/// For example `93.2 %`.
func percent(_ share: Double?) -> String {
    guard let share, share.isFinite else { return "–" }
    return String(format: share < 0.01 && share > 0 ? "%.3f %%" : "%.1f %%", share * 100)
}

/// For example `0.4 s`, `3 min 20 s`, `2 h 5 min`.
func duration(_ seconds: Double) -> String {
    if seconds < 10 { return String(format: "%.1f s", seconds) }
    let whole = Int(min(seconds, 1e9).rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
}

/// For example `1.9 GiB`.
func binary(_ bytes: Int) -> String {
    let gibibytes = Double(bytes) / Double(1 << 30)
    return gibibytes >= 1
        ? String(format: "%.1f GiB", gibibytes) : String(format: "%.0f MiB", Double(bytes) / Double(1 << 20))
}
