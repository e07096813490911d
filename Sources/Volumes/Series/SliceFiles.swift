import Foundation

/// The files of a series of slices: those in a folder, or those a pattern as `slices/*.png` matches.
enum SliceFiles {
    private static let endings: Set<String> = ["tif", "tiff", "png"]

    /// Whether a path has what a shell takes for a pattern.
    static func isPattern(_ path: String) -> Bool { path.contains { "*?[".contains($0) } }

    /// Whether a folder holds images, by their names.
    static func isSeries(folder: String) throws -> Bool { try !names(inFolder: folder).isEmpty }

    /// The paths in natural order; empty where there are none.
    static func paths(_ path: String) throws -> [String] {
        let found =
            isRegularFolder(path)
            ? try names(inFolder: path).map { (path as NSString).appendingPathComponent($0) } : matches(path)
        // A folder named like a slice is none; a link to nothing is a slice that is missing.
        return try found.filter { file in
            if isRegularFolder(file) { return false }
            guard isRegularFile(file) else {
                throw FileFault(file, "is no regular file, or a link to nothing; expected a section of the series")
            }
            return true
        }.sorted(by: isBeforeNaturally)
    }

    private static func names(inFolder path: String) throws -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw FileFault(path, "is a folder that cannot be read")
        }
        return names.filter(isSlice)
    }

    /// Whether a file's name is that of an image, and not hidden.
    static func isSlice(_ name: String) -> Bool {
        !name.hasPrefix(".") && endings.contains((name as NSString).pathExtension.lowercased())
    }

    private static func matches(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, GLOB_NOSORT, nil, &found) == 0, let paths = found.gl_pathv else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
    }

    private static func isRegularFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}
