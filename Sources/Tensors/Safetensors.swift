import Foundation

/// A file of named tensors in the safetensors format: the header's length in 8 bytes, a JSON header, the bytes.
///
/// Its bytes are a function of its content: tensors lie in the order of Python's `safetensors`, largest element type
/// first, then by name.
public struct Safetensors {
    public var tensors: [String: Tensor]
    /// Free text, under the header's key `__metadata__`.
    public var metadata: [String: String]

    public init(_ tensors: [String: Tensor], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// Reads a file.
    ///
    /// - Throws: ``SafetensorsError`` naming the file, where it is truncated, malformed or cannot be read.
    public init(contentsOf path: String) throws {
        let file = try SafetensorsFile(path)
        metadata = file.metadata
        tensors = try file.tensors()
    }

    /// The bytes of the file.
    public func encoded() throws -> Data {
        let ordered = try tensors.map { name, tensor in
            (name: name, tensor: tensor, type: try Self.storable(tensor, name))
        }.sorted { $0.type.size != $1.type.size ? $0.type.size > $1.type.size : $0.name < $1.name }
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map {
                "\(Self.quoted($0.key)):\(Self.quoted($0.value))"
            }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for (name, tensor, type) in ordered {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = offset + tensor.count * type.size
            let code = SafetensorsHeader.code(of: type)
            fields.append(
                "\(Self.quoted(name)):{\"dtype\":\"\(code)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        var header = Data("{\(fields.joined(separator: ","))}".utf8)
        header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
        var data = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
        let dataStart = data.count
        data.count += offset
        try data.withUnsafeMutableBytes { bytes in
            var position = dataStart
            for (_, tensor, type) in ordered {
                let size = tensor.count * type.size
                try tensor.read(bytes: UnsafeMutableRawBufferPointer(rebasing: bytes[position..<position + size]))
                position += size
            }
        }
        return data
    }

    /// Writes the file: under another name first, synced, then renamed, so that `path` is the old file or the whole
    /// new one, whatever happens in between.
    ///
    /// - Throws: ``SafetensorsError`` naming the file and the reason.
    public func write(to path: String) throws {
        let data = try encoded()
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let temporary = "\(path).\(getpid()).partial"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Self.fault(path) }
        var finished = false
        defer { if !finished { unlink(temporary) } }
        do {
            defer { close(file) }
            try data.withUnsafeBytes { bytes in
                var written = 0
                while written < bytes.count {
                    let count = Glibc.write(file, bytes.baseAddress! + written, bytes.count - written)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw Self.fault(path) }
                    written += count
                }
            }
            guard fsync(file) == 0 else { throw Self.fault(path) }
        }
        guard rename(temporary, path) == 0 else { throw Self.fault(path) }
        finished = true
        // The new name is safe once the folder is; file systems that cannot sync a folder are no fault of ours.
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
    }

    private static func fault(_ path: String) -> SafetensorsError {
        SafetensorsError(path, "cannot be written: \(String(cString: strerror(errno)))")
    }

    private static func storable(_ tensor: Tensor, _ name: String) throws -> Tensor.ElementType {
        guard let type = tensor.elementType else {
            throw TensorError.elementType(found: "another type ('\(name)')", expected: "one safetensors can hold")
        }
        return type
    }

    /// A JSON string, escaped as Python's library does it: the necessary and nothing else.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{8}": result += "\\b"
            case "\u{c}": result += "\\f"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// A safetensors file that cannot be read or written: one line with its path.
public struct SafetensorsError: Error, CustomStringConvertible {
    public let path: String
    public let reason: String

    init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "\(path): \(reason)" }
}
