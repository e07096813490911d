/// The bytes of a file as they are, or the content of one that gzip packed.
enum ByteSource {
    case plain(ReadableFile)
    case gzip(GzipStream)

    /// Opens a file by what it begins with, whatever its name ends in.
    ///
    /// - Throws: `FileFault` where it is missing or cannot be read.
    init(_ path: String) throws {
        do {
            try self.init(ReadableFile(path))
        } catch is MissingFile {
            throw FileFault(path, "there is no such file")
        }
    }

    init(_ file: ReadableFile) throws {
        let isPacked = try file.read(2, at: 0) == GzipStream.signature
        self = isPacked ? .gzip(try GzipStream(file)) : .plain(file)
    }

    var file: ReadableFile {
        switch self {
        case .plain(let file): file
        case .gzip(let stream): stream.file
        }
    }

    var isPacked: Bool { if case .gzip = self { true } else { false } }

    /// No more bytes than this can be there.
    var largestSize: Int {
        guard isPacked else { return file.size }
        let (size, overflow) = file.size.multipliedReportingOverflow(by: GzipStream.largestRatio)
        return overflow ? Int.max : size
    }

    /// Fills `target` with the bytes from `offset` and returns how many there were, fewer where they end before.
    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        switch self {
        case .plain(let file): try file.read(into: target, at: offset)
        case .gzip(let stream): try stream.read(into: target, at: offset)
        }
    }

    /// The bytes from `offset`; fewer than `count` where they end before.
    func read(_ count: Int, at offset: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { target, done in
            done = try read(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(target)[..<count]),
                at: offset)
        }
    }
}
