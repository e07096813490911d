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

    /// Waits for a process that does a step of this key, such as one whose run has gone, to end.
    ///
    /// - Throws: `FileFault` where the work folder cannot be written.
    init(_ folder: String, ofStep key: String) throws {
        descriptor = open("\(folder)/lock-\(key.prefix(20))", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
            throw FileFault(folder, "the work folder cannot be written: \(systemReason())")
        }
    }

    func release() {
        close(descriptor)
    }
}
