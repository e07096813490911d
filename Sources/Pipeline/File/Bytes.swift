import Foundation

/// Sizes in bytes as people write and read them.
public enum Bytes {
    /// Reads `8 GiB`, `500 MB`, `4G` (1024³), `1000000`; nil for anything else.
    public static func parse(_ text: String) -> Int? {
        let text = text.trimmingCharacters(in: .whitespaces)
        let number = text.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(number), value > 0 else { return nil }
        let units: [String: Double] = [
            "": 1, "b": 1, "k": 1024, "kib": 1024, "kb": 1e3, "m": 1_048_576, "mib": 1_048_576, "mb": 1e6,
            "g": 1_073_741_824, "gib": 1_073_741_824, "gb": 1e9, "t": 1_099_511_627_776, "tib": 1_099_511_627_776,
            "tb": 1e12,
        ]
        let suffix = text.dropFirst(number.count).trimmingCharacters(in: .whitespaces).lowercased()
        guard let unit = units[suffix], value * unit < 9e18 else { return nil }
        return Int(value * unit)
    }

    /// For example `3.1 GiB`.
    public static func format(_ bytes: Int) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 { return unit == "B" ? "\(bytes) B" : String(format: "%.1f %@", value, unit) }
            value /= 1024
        }
        return String(format: "%.1f TiB", value)
    }
}
