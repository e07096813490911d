import Foundation

/// Files that are complete or absent: written under another name beside their place, then renamed.
///
/// No `fsync`: after a power cut a file may be short, which readers find by its checksum.
public enum AtomicFile {
    /// Writes `data` to `path`; makes its folder where that is missing.
    ///
    /// - Throws: `FileFault` with the system's reason; nothing is left behind.
    public static func write(_ data: Data, to path: String) throws {
        try write([[UInt8](data)], to: path)
    }

    /// Writes `pieces`, one after the other, to `path`; makes its folder where that is missing.
    ///
    /// - Throws: `FileFault` with the system's reason; nothing is left behind.
    static func write(_ pieces: [[UInt8]], to path: String) throws {
        try write(to: path) { file in for piece in pieces { try file.write(piece) } }
    }

    /// Writes text to `path`; makes its folder where that is missing.
    ///
    /// - Parameter text: calls what it is given with one part of the text after the other.
    /// - Throws: `FileFault` with the system's reason, or what `text` throws; nothing is left behind.
    public static func writeText(to path: String, _ text: ((String) throws -> Void) throws -> Void) throws {
        try write(to: path) { file in
            var buffer: [UInt8] = []
            try text {
                buffer += $0.utf8
                guard buffer.count >= 1 << 20 else { return }
                try file.write(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
            try file.write(buffer)
        }
    }

    private struct OpenFile {
        let descriptor: Int32
        let path: String

        func write(_ bytes: [UInt8]) throws { try AtomicFile.write(bytes, to: descriptor, path) }
    }

    private static func write(to path: String, _ contents: (OpenFile) throws -> Void) throws {
        try makeFolder((path as NSString).deletingLastPathComponent)
        let temporary = temporaryPath(beside: path)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
        do {
            do {
                try contents(OpenFile(descriptor: descriptor, path: path))
            } catch {
                close(descriptor)
                throw error
            }
            // A network file system may report a full disk only here.
            guard close(descriptor) == 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
            try move(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// A name beside `path` that no other writer uses.
    static func temporaryPath(beside path: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        let name = (path as NSString).lastPathComponent
        return (folder as NSString).appendingPathComponent(".\(name).\(UUID().uuidString).partial")
    }

    static func move(_ temporary: String, to path: String) throws {
        guard rename(temporary, path) == 0 else {
            throw FileFault(path, "cannot be written: \(systemReason())")
        }
    }

    /// Waits until the system has put `temporary` on the disk, so that a power cut after its renaming loses nothing.
    static func sync(_ temporary: String, _ path: String) throws {
        let descriptor = open(temporary, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
    }

    /// Puts the folder `temporary` in the place of the one at `path`, if there is one.
    ///
    /// A folder cannot be renamed over another: the old one is moved away first, and back where the new one fails.
    static func moveFolder(_ temporary: String, to path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return try move(temporary, to: path) }
        let old = temporaryPath(beside: path)
        try move(path, to: old)
        do {
            try move(temporary, to: path)
        } catch {
            try? move(old, to: path)
            throw error
        }
        try? FileManager.default.removeItem(atPath: old)
    }

    /// Copies the file at `path`, with its permissions, to `temporary`.
    ///
    /// - Parameter step: called now and then; what it throws ends the copy, and nothing is left behind.
    static func copy(_ path: String, to temporary: String, step: () throws -> Void) throws {
        let source: ReadableFile
        do {
            source = try ReadableFile(path)
        } catch is MissingFile {
            throw FileFault(path, "there is no such file")
        }
        var status = stat()
        let mode = stat(path, &status) == 0 ? status.st_mode & 0o777 : 0o666
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
        defer { close(descriptor) }
        do {
            fchmod(descriptor, mode)
            for start in stride(from: 0, to: source.size, by: 16 << 20) {
                try write(try source.read(16 << 20, at: start), to: descriptor, path)
                try step()
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Makes a folder and the folders above it; one that is there already is fine.
    public static func makeFolder(_ path: String) throws {
        if path.isEmpty || mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        guard errno == ENOENT else { throw FileFault(path, "cannot be created: \(systemReason())") }
        try makeFolder((path as NSString).deletingLastPathComponent)
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw FileFault(path, "cannot be created: \(systemReason())")
        }
    }

    /// Writes all of `bytes` to an open file; `path` is for the fault.
    static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws {
        try bytes.withUnsafeBytes { source in
            var done = 0
            while done < source.count {
                let written = Foundation.write(descriptor, source.baseAddress! + done, source.count - done)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
                done += written
            }
        }
    }
}

/// The system's words for an error, by default that of its last call, as in `No space left on device`.
public func systemReason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
