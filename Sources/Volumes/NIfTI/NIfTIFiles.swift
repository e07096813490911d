import Foundation

/// The files that a NIfTI volume may be of: one, or a header and an image that differ in their endings alone, `.hdr` and
/// `.img`, before any `.gz`.
struct NIfTIFiles {
    let header: String
    let image: String

    init(of path: String) {
        header = Self.replacing("img", by: "hdr", in: path) ?? path
        image = Self.replacing("hdr", by: "img", in: path) ?? path
    }

    /// The path with another ending, in the letter case of the one it has; nil where it ends otherwise.
    private static func replacing(_ ending: String, by other: String, in path: String) -> String? {
        let gz = (path as NSString).pathExtension.lowercased() == "gz" ? path.suffix(3) : ""
        let name = path.dropLast(gz.count)
        let last = name.suffix(4)
        guard last.lowercased() == "." + ending else { return nil }
        let isUpper = last.dropFirst().allSatisfy(\.isUppercase)
        return name.dropLast(3) + (isUpper ? other.uppercased() : other) + gz
    }
}
