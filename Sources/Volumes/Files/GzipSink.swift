import CDeflate

/// Packs a file with gzip (RFC 1952), a single member, in blocks on several threads and in memory of fixed size beside
/// that of what is appended. The same content gives the same bytes, however it is appended and on any number of threads.
final class GzipSink: ByteSink {
    private static let blockBytes = 1 << 20
    private static let level: Int32 = 4

    private let file: OutputFile
    private let threads: Int
    private var pending: [UInt8] = []
    private var checksum: UInt32 = 0
    private var size = 0

    init(_ file: OutputFile, threads: Int) throws {
        self.file = file
        self.threads = threads
        // Deflate, no name, no time, written on Unix.
        try file.append(GzipStream.signature + [8, 0, 0, 0, 0, 0, 0, 3])
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        pending += bytes
        let blocks = pending.count / Self.blockBytes
        if blocks >= threads { try pack(blocks * Self.blockBytes) }
    }

    func finish() throws {
        try pack(pending.count)
        var end = Deflate.lastBlock
        end.append(checksum)
        end.append(UInt32(truncatingIfNeeded: size))
        try file.append(end)
        try file.finish()
    }

    /// Writes the first `count` bytes that wait.
    private func pack(_ count: Int) throws {
        let blocks = stride(from: 0, to: count, by: Self.blockBytes).map {
            pending[$0..<min($0 + Self.blockBytes, count)]
        }
        let packed = try parallelMap(blocks.count, threads: threads) {
            Deflate.blocks(blocks[$0], level: Self.level)
        }
        for block in packed { try file.append(block) }
        checksum = UInt32(libdeflate_crc32(checksum, pending, count))
        size += count
        pending.removeFirst(count)
    }
}
