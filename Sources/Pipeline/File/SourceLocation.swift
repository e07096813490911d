import Foundation
import Volumes

/// Where a volume is: a file, and the dataset where the file holds several.
public struct SourceLocation: Hashable, Codable, Sendable {
    /// Absolute.
    public var path: String
    /// For example `/volumes/raw`.
    public var dataset: String?
    /// As the pipeline file names it; what people see.
    public var title: String

    /// - Parameters:
    ///   - text: `block1.tif`, `block1.h5` or `block1.h5:/labels`.
    ///   - folder: what a relative path starts from.
    public init(_ text: String, relativeTo folder: String) {
        title = text
        let (file, dataset) = VolumeFile.split(SourceLocation.absolute(text, relativeTo: folder))
        self.dataset = dataset
        path = file
    }

    /// `file:/dataset`, as readers take it.
    public var location: String { dataset.map { "\(path):\($0)" } ?? path }

    static func absolute(_ path: String, relativeTo folder: String) -> String {
        let expanded = (path as NSString).expandingTildeInPath
        let joined = expanded.hasPrefix("/") ? expanded : folder + "/" + expanded
        return URL(fileURLWithPath: joined).standardizedFileURL.path
    }
}
