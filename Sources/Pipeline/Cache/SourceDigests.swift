import Foundation
import Volumes

/// The digests of source files, remembered with each file's stamp, so that a terabyte is not read again
/// to learn that it is unchanged. A file with another stamp is read again; the same content is the same digest.
final class SourceDigests {
    private struct Memory: Codable {
        /// By path.
        var files: [String: Entry] = [:]
        /// By path, dataset and selection.
        var volumes: [String: Companions] = [:]
    }

    private struct Entry: Codable {
        var stamp: FileStamp
        var digest: String
    }

    /// The other files that a file names, with the digest of it and them together: those may name others in turn.
    private struct Companions: Codable {
        var digest: String
        var paths: [String]
    }

    private let path: String
    private var memory: Memory

    /// Remembers in `path`; an unreadable memory is an empty one, at the price of reading the sources again.
    init(rememberingIn path: String) {
        self.path = path
        let saved = FileManager.default.contents(atPath: path) ?? Data()
        memory = (try? JSONDecoder().decode(Memory.self, from: saved)) ?? Memory()
    }

    /// The digest of all that a volume is read from: its file, or its folder, and the files that these name.
    ///
    /// - Parameter executable: for looking into the file; nil does so in this process.
    /// - Throws: `FileFault` where it is missing or cannot be read.
    func digest(of ingest: Ingest, executable: String?) throws -> String {
        let own = try digest(of: ingest.source.path)
        guard VolumeFile.mayHaveCompanions(ingest.source.path) else { return own }
        let name = try canonicalJSONText(ingest)
        if let known = memory.volumes[name], known.digest == (try digest(of: own, with: known.paths)) {
            return known.digest
        }
        guard let paths = try companions(of: ingest, executable) else { return own }
        let whole = try digest(of: own, with: paths)
        memory.volumes[name] = Companions(digest: whole, paths: paths)
        return whole
    }

    private func digest(of own: String, with companions: [String]) throws -> String {
        let others = companions.map { path in
            [(path as NSString).lastPathComponent, (try? digest(of: path)) ?? "missing"]
        }
        return others.isEmpty ? own : Digest.of(try canonicalJSON([[own]] + others))
    }

    /// nil where the file cannot be opened, which reading it will say.
    private func companions(of ingest: Ingest, _ executable: String?) throws -> [String]? {
        do {
            guard let executable else { return try ingest.companions() }
            let answer = try WorkerOrder.companions(ingest).run(by: executable, title: ingest.source.title)
            return try JSONDecoder().decode([String].self, from: answer)
        } catch is FileFault {
            return nil
        }
    }

    /// The digest of the content of a source: a file, or a folder or a pattern that is one volume.
    ///
    /// - Throws: `FileFault` where it is missing or cannot be read.
    private func digest(of source: String) throws -> String {
        guard let stamp = FileStamp(whole: source) else { throw FileFault.unreadable(source) }
        if let known = memory.files[source], known.stamp == stamp { return known.digest }
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: source, isDirectory: &isFolder)
        let digest =
            if !exists {
                try Digest.ofMatches(PathPattern(source, relativeTo: "/"))
            } else {
                try isFolder.boolValue ? Digest.ofFolder(source) : Digest.ofFile(source)
            }
        memory.files[source] = Entry(stamp: stamp, digest: digest)
        return digest
    }

    /// Writes the memory down.
    func save() throws {
        try AtomicFile.write(try canonicalJSON(memory), to: path)
    }
}
