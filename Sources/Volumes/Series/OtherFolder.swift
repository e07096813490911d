import Foundation

/// A folder that is no volume.
enum OtherFolder {
    /// So many of its files are looked into.
    private static let mostOpened = 50
    private static let mostShown = 5

    /// What it holds instead, and what to do.
    ///
    /// - Parameter isVolume: whether there is a volume at a path.
    static func problem(_ path: String, isVolume: (String) -> Bool) -> String {
        guard let all = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            return "is a folder that cannot be read"
        }
        let names = all.filter { !$0.hasPrefix(".") }.sorted(by: isBeforeNaturally)
        if names.isEmpty { return "is an empty folder; expected TIFF or PNG files of one section each" }
        if let volume = names.prefix(mostOpened).first(where: { isVolume(path + "/" + $0) }) {
            return "is a folder of whole volumes, such as \(volume); name one of them"
        }
        let rest = names.count - mostShown
        let shown = names.prefix(mostShown).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
        return "is a folder without TIFF or PNG files (it holds \(shown)); expected a \(VolumeFormat.names) file"
    }
}
