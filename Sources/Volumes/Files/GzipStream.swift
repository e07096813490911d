import CZlib

/// The content of a gzip file (RFC 1952), of one member or several, read forward in a buffer of fixed size.
///
/// A read before the buffer starts over from the file's beginning, so that a volume is best read from its first voxel
/// to its last. Each member's checksum is compared where its end is reached.
final class GzipStream {
    static let signature: [UInt8] = [0x1F, 0x8B]
    /// Deflate makes no more of a byte than this (two bits stand for at most 258 bytes).
    static let largestRatio = 1032

    let file: ReadableFile
    private let state: UnsafeMutablePointer<z_stream>
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var inputEnd = 0
    /// The content's bytes `content`, of which reads are served.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    /// Little is decoded at first, so that a header is read whatever is wrong further on.
    private static let firstBytes = 1 << 10
    private var content = 0..<0
    private var isAtEnd = false

    init(_ file: ReadableFile) throws {
        self.file = file
        state = .allocate(capacity: 1)
        state.initialize(to: z_stream())
        guard czlib_start_gzip(state) == Z_OK else { throw FileFault(file.path, "cannot be read: out of memory") }
    }

    deinit {
        inflateEnd(state)
        state.deallocate()
        input.deallocate()
        buffer.deallocate()
    }

    /// Fills `target` with the content from `offset` and returns how many bytes there were, fewer where it ends before.
    ///
    /// - Throws: `FileFault` where the file is damaged or truncated.
    func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        if offset < content.lowerBound { restart() }
        var done = 0
        while done < target.count {
            let position = offset + done
            if position < content.upperBound {
                let start = position - content.lowerBound
                let part = buffer[start..<min(content.count, start + target.count - done)]
                target[done...].copyBytes(from: part)
                done += part.count
            } else if isAtEnd {
                break
            } else {
                try fill()
            }
        }
        return done
    }

    private func restart() {
        inflateReset(state)
        state.pointee.avail_in = 0
        inputEnd = 0
        content = 0..<0
        isAtEnd = false
    }

    /// Replaces the buffer by what follows it.
    private func fill() throws {
        let start = content.upperBound
        content = start..<start
        state.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let room = start == 0 ? Self.firstBytes : buffer.count
        state.pointee.avail_out = UInt32(room)
        while state.pointee.avail_out > 0, !isAtEnd {
            if state.pointee.avail_in == 0 {
                try takeInput(decoded: start + room - Int(state.pointee.avail_out))
            }
            switch inflate(state, Z_NO_FLUSH) {
            case Z_OK: continue
            case Z_STREAM_END: try beginNextMember()
            default: throw damage()
            }
        }
        content = start..<start + room - Int(state.pointee.avail_out)
    }

    private func takeInput(decoded: Int) throws {
        let count = try file.read(into: input, at: inputEnd)
        guard count > 0 else {
            throw FileFault(file.path, "is truncated: its gzip data end after \(grouped(decoded)) bytes of content")
        }
        inputEnd += count
        state.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_in = UInt32(count)
    }

    /// What follows a member and is no other is padding.
    private func beginNextMember() throws {
        let next = inputEnd - Int(state.pointee.avail_in)
        isAtEnd = try file.read(2, at: next) != Self.signature
        if !isAtEnd { inflateReset(state) }
    }

    private func damage() -> FileFault {
        let reason = state.pointee.msg.map { String(cString: $0) } ?? "its end does not follow"
        let position = inputEnd - Int(state.pointee.avail_in)
        return FileFault(
            file.path, "is damaged: its gzip data are not sound near byte \(grouped(position)) (\(reason))")
    }
}
