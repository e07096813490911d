import Foundation
import Volumes

#if canImport(Glibc)
    import Glibc
#endif

/// Keeps two runs out of one work folder. The lock goes with the process, however it ends.
struct WorkFolderLock {
    private let descriptor: Int32

    /// - Throws: `FileFault` where another process has it.
    init(_ folder: String) throws {
        let path = folder + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw FileFault(folder, "the work folder cannot be written: \(systemReason())")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw FileFault(
                folder, "another run is at work in this folder; wait for it or give another with --work")
        }
    }

    func release() {
        close(descriptor)
    }
}
