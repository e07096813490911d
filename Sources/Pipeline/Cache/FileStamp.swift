import Foundation
import Training

#if canImport(Glibc)
    import Glibc
#endif

/// What the file system says of a file without reading it: enough to see that it was not touched.
struct FileStamp: Codable, Equatable, Sendable {
    var size: Int
    /// Nanoseconds since 1970.
    var modified: Int
    /// When the system last saw it change, which no program can set: a copy may keep the time of its original.
    var changed: Int
    var inode: UInt64

    /// The stamp of a file, or nil where there is none.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        size = Int(status.st_size)
        modified = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
        changed = Int(status.st_ctim.tv_sec) * 1_000_000_000 + Int(status.st_ctim.tv_nsec)
        inode = UInt64(status.st_ino)
    }

    /// The stamp of a file, of a folder with all that is in it, or of the files that a pattern matches: the sum of the
    /// sizes, the newest time, and the folder's own inode joined with those of its files, so that a file that was
    /// replaced is seen.
    init?(whole path: String) {
        guard let own = FileStamp(path) else {
            let parts = PathPattern(path, relativeTo: "/").matches
            guard let first = parts.first.flatMap({ FileStamp($0) }) else { return nil }
            self = first
            for part in parts { join(part) }
            return
        }
        self = own
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue,
            let walk = FileManager.default.enumerator(atPath: (path as NSString).resolvingSymlinksInPath)
        else { return }
        for case let name as String in walk {
            join(path + "/" + name)
        }
    }

    private mutating func join(_ path: String) {
        guard let part = FileStamp(path) else { return }
        size &+= part.size
        modified = max(modified, part.modified)
        changed = max(changed, part.changed)
        // A sum does not depend on the order.
        let file = part.inode &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(bitPattern: Int64(part.modified))
        // FNV-1a, with the name: links may change places. Of names that differ in a digit alone it differs by little, and
        // such differences may cancel out in the sum, so it is mixed.
        inode &+= mixed(path.utf8.reduce(file ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    }
}
