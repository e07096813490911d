import Foundation

/// A safetensors file open for reading: its header is in memory, its tensors are read when they are asked for.
public struct SafetensorsFile {
    private let path: String
    private let handle: FileHandle
    private let header: SafetensorsHeader

    /// Reads the header.
    ///
    /// - Throws: ``SafetensorsError`` naming the file, where it is truncated, malformed or cannot be read.
    public init(_ path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw SafetensorsError(path, "cannot be read: \(String(cString: strerror(errno)))")
        }
        self.path = path
        self.handle = handle
        header = try SafetensorsHeader(of: handle, path: path)
    }

    /// Free text, under the header's key `__metadata__`.
    public var metadata: [String: String] { header.metadata }

    /// The shape of each tensor, by name.
    public var shapes: [String: [Int]] { header.entries.mapValues(\.shape) }

    /// The tensors whose names begin with `prefix`, without it.
    ///
    /// - Throws: ``SafetensorsError`` where the file cannot be read any more; ``TensorError``.
    public func tensors(below prefix: String = "") throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (name, entry) in header.entries where name.hasPrefix(prefix) {
            let bytes = try handle.bytes(header.dataStart + entry.begin..<header.dataStart + entry.end, of: path)
            tensors[String(name.dropFirst(prefix.count))] = try bytes.withUnsafeBytes {
                try Tensor(bytes: $0, type: entry.type, shape: entry.shape)
            }
        }
        return tensors
    }
}

extension FileHandle {
    /// The bytes of a range of the file at `path`.
    ///
    /// - Throws: ``SafetensorsError`` where they are not all there.
    func bytes(_ range: Range<Int>, of path: String) throws -> Data {
        do {
            try seek(toOffset: UInt64(range.lowerBound))
            var data = Data()
            while data.count < range.count {
                guard let piece = try read(upToCount: range.count - data.count), !piece.isEmpty else { break }
                data = data.isEmpty ? piece : data + piece
            }
            guard data.count == range.count else {
                throw SafetensorsError(path, "is truncated: \(range.upperBound) bytes are expected")
            }
            return data
        } catch let error as SafetensorsError {
            throw error
        } catch {
            throw SafetensorsError(path, "cannot be read to its end")
        }
    }
}
