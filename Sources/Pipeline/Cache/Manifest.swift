import Foundation
import Volumes

/// The list of a finished step's files with their digests: the evidence that the output is whole.
struct Manifest: Codable, Equatable {
    struct File: Codable, Equatable {
        /// Relative to the step's folder, or for results to the folder they were exported to.
        var path: String
        var size: Int
        /// Nanoseconds since 1970.
        var modified: Int
        var digest: String
    }

    var files: [File]
    /// Files outside the work folder, of a step that exports; where that is follows from the step.
    var results: [File]?

    static let name = "manifest.json"

    /// Lists and digests every file below `folder`, and the results.
    init(of folder: String, results: Results?) throws {
        files = try Manifest.list(filesBelow(folder), in: folder)
        self.results = try results.map { try Manifest.list($0.files, in: $0.root) }
    }

    private static func list(_ paths: [String], in folder: String) throws -> [File] {
        try paths.sorted().map { path in
            let whole = folder + "/" + path
            guard let stamp = FileStamp(whole) else { throw FileFault.unreadable(whole) }
            return File(path: path, size: stamp.size, modified: stamp.modified, digest: try Digest.ofFile(whole))
        }
    }

    // MARK: On disk

    private struct Sealed: Codable {
        var manifest: Manifest
        var seal: String
    }

    /// Reads the manifest of a step's folder, or nil where there is none that is whole.
    init?(readingFrom folder: String) {
        guard let data = FileManager.default.contents(atPath: folder + "/" + Manifest.name),
            let sealed = try? JSONDecoder().decode(Sealed.self, from: data),
            let content = try? canonicalJSON(sealed.manifest), Digest.of(content) == sealed.seal
        else { return nil }
        self = sealed.manifest
    }

    func write(to folder: String) throws {
        let sealed = Sealed(manifest: self, seal: Digest.of(try canonicalJSON(self)))
        try AtomicFile.write(try canonicalJSON(sealed), to: folder + "/" + Manifest.name)
    }

    // MARK: Checking

    /// Paths (relative) of files that are missing or not what they were.
    ///
    /// - Parameters:
    ///   - resultsFolder: where the results should be now.
    ///   - thoroughly: reads every file; otherwise only those whose size or time changed.
    func damage(in folder: String, resultsFolder: String?, thoroughly: Bool) -> [String] {
        let own = files.filter { !isWhole($0, in: folder, thoroughly: thoroughly) }
        let exported = (results ?? []).filter { file in
            resultsFolder.map { !isWhole(file, in: $0, thoroughly: thoroughly) } ?? true
        }
        return (own + exported).map(\.path)
    }

    private func isWhole(_ file: File, in folder: String, thoroughly: Bool) -> Bool {
        let path = folder + "/" + file.path
        guard let stamp = FileStamp(path), stamp.size == file.size else { return false }
        if !thoroughly && stamp.modified == file.modified { return true }
        return (try? Digest.ofFile(path)) == file.digest
    }
}

/// The files below a folder, relative to it, without the cache's own records.
func filesBelow(_ folder: String) -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: folder) else { return [] }
    return walk.compactMap { $0 as? String }.filter { path in
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: folder + "/" + path, isDirectory: &isFolder)
            && !isFolder.boolValue && path != Manifest.name && path != Ingredients.name
    }
}
