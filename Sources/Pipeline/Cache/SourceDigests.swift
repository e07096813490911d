import Foundation
import Volumes

/// The digests of source files, remembered with each file's stamp, so that a terabyte is not read again
/// to learn that it is unchanged. A file with another stamp is read again; the same content is the same digest.
final class SourceDigests {
    private struct Entry: Codable {
        var stamp: FileStamp
        var digest: String
    }

    private let path: String
    private var entries: [String: Entry]

    /// Remembers in `path`; an unreadable memory is an empty one, at the price of reading the sources again.
    init(rememberingIn path: String) {
        self.path = path
        let saved = FileManager.default.contents(atPath: path) ?? Data()
        entries = (try? JSONDecoder().decode([String: Entry].self, from: saved)) ?? [:]
    }

    /// The digest of the content of a source: a file, or a folder that is one volume.
    ///
    /// - Throws: `FileFault` where it is missing or cannot be read.
    func digest(of source: String) throws -> String {
        guard let stamp = FileStamp(whole: source) else { throw FileFault.unreadable(source) }
        if let known = entries[source], known.stamp == stamp { return known.digest }
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: source, isDirectory: &isFolder)
        let digest = try isFolder.boolValue ? Digest.ofFolder(source) : Digest.ofFile(source)
        entries[source] = Entry(stamp: stamp, digest: digest)
        return digest
    }

    /// Writes the memory down.
    func save() throws {
        try AtomicFile.write(try canonicalJSON(entries), to: path)
    }
}
