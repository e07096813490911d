import Foundation

/// A file under construction: written beside its place and renamed there when it is complete.
/// Where it is abandoned nothing is left behind.
final class OutputFile: ByteSink {
    let path: String
    let descriptor: Int32
    private let temporary: String
    private var end = 0
    private var isFinished = false

    /// Makes the folder where that is missing.
    ///
    /// - Throws: `FileFault` where the folder cannot be made or written.
    init(path: String) throws {
        self.path = path
        try AtomicFile.makeFolder((path as NSString).deletingLastPathComponent)
        temporary = AtomicFile.temporaryPath(beside: path)
        descriptor = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
    }

    deinit {
        guard !isFinished else { return }
        close(descriptor)
        unlink(temporary)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
            done += count
        }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws {
        try bytes.withUnsafeBytes { try write($0, at: offset) }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        try write(bytes, at: end)
        end += bytes.count
    }

    /// Puts the complete file in its place.
    func finish() throws {
        guard fsync(descriptor) == 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
        guard rename(temporary, path) == 0 else {
            throw FileFault(path, "cannot be put in place: \(systemReason())")
        }
        isFinished = true
        close(descriptor)
    }
}
