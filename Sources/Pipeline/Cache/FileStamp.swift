import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// What the file system says of a file without reading it: enough to see that it was not touched.
struct FileStamp: Codable, Equatable, Sendable {
    var size: Int
    /// Nanoseconds since 1970.
    var modified: Int
    var inode: UInt64

    /// The stamp of a file, or nil where there is none.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        size = Int(status.st_size)
        modified = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
        inode = UInt64(status.st_ino)
    }
}
