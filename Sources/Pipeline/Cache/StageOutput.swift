import Foundation
import Volumes

/// A finished step's output. Whatever is read through it has been verified: files against the manifest's
/// digest, block stores chunk by chunk against their checksums.
struct StageOutput {
    let folder: String
    let manifest: Manifest

    /// The path of a file whose content is what was written.
    ///
    /// - Throws: `DamagedStore`.
    func file(_ name: String) throws -> String {
        let path = folder + "/" + name
        guard let entry = manifest.files.first(where: { $0.path == name }) else {
            throw DamagedStore(path: path, problem: "is not in the manifest")
        }
        guard (try? Digest.ofFile(path)) == entry.digest else {
            throw DamagedStore(path: path, problem: "is not what was written (its SHA-256 differs)")
        }
        return path
    }

    func json<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
        let path = try file(name)
        do {
            return try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw DamagedStore(path: path, problem: "is not the JSON that was expected")
        }
    }

    /// A block store, its metadata verified; chunks are verified as they are read.
    func store(_ name: String) throws -> BlockStore {
        for entry in manifest.files where entry.path.hasPrefix(name + "/") && entry.path.hasSuffix(".json") {
            _ = try file(entry.path)
        }
        return try BlockStore.open(at: folder + "/" + name)
    }
}
