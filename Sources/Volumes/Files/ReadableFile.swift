import Foundation

/// An open file of which any range can be read, from several threads at once.
final class ReadableFile: Sendable {
    let path: String
    let size: Int
    private let descriptor: Int32

    /// - Throws: `MissingFile`, or `FileFault` with the system's reason.
    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw MissingFile() }
            throw FileFault(path, "cannot be read: \(systemReason())")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = systemReason()
            close(descriptor)
            throw FileFault(path, "cannot be read: \(reason)")
        }
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// The bytes from `offset`; fewer than `count` where the file ends before.
    func read(_ count: Int, at offset: Int) throws -> [UInt8] {
        let available = max(0, min(count, size - offset))
        return try [UInt8](unsafeUninitializedCapacity: available) { target, done in
            done = try read(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(target)[..<available]),
                at: offset)
        }
    }

    /// Fills `target` with the bytes from `offset` and returns how many there were, fewer where the file ends before.
    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        guard let start = target.baseAddress else { return 0 }
        var done = 0
        while done < target.count {
            let got = pread(descriptor, start + done, target.count - done, off_t(offset + done))
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw FileFault(path, "cannot be read: \(systemReason())") }
            if got == 0 { break }
            done += got
        }
        return done
    }
}

struct MissingFile: Error {}
