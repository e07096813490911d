import Foundation
import Volumes

#if canImport(Glibc)
    import Glibc
#endif

/// A folder in the system's temporary folder for what this process keeps while it runs.
///
/// It belongs to the process as long as that holds its lock: what processes left that were killed, the next ones remove.
final class TemporaryFolder {
    let path: String
    private let lock: Int32

    private static let prefix = "segment-temporary-"
    private static let lockName = "in-use"

    /// - Throws: `FileFault` where it cannot be made.
    init() throws {
        let parent = NSTemporaryDirectory()
        Self.removeOrphans(in: parent)
        var template = Array((parent + Self.prefix + "XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw FileFault(
                parent, "no temporary folder can be made (TMPDIR names another place): \(systemReason())")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        lock = open(path + "/" + Self.lockName, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw FileFault(path, "cannot be written: \(systemReason())")
        }
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
        close(lock)
    }

    private static func removeOrphans(in parent: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let folder = parent + name
            var status = stat()
            // One that was made just now may not have its lock yet.
            guard lstat(folder, &status) == 0, status.st_uid == geteuid(),
                time(nil) - status.st_mtim.tv_sec > 60
            else { continue }
            let lock = open(folder + "/" + lockName, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            guard lock >= 0 else { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: folder) }
            close(lock)
        }
    }
}
