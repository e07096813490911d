import Foundation

/// The header of a safetensors file, checked: every entry lies within the data, its bytes fit its shape and type, and
/// the entries fill the data without gap or overlap.
struct SafetensorsHeader {
    struct Entry {
        var type: Tensor.ElementType
        var shape: [Int]
        /// Bytes from the start of the data.
        var begin: Int
        var end: Int
    }

    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]
    /// Bytes from the start of the file.
    var dataStart: Int

    /// The limit that Python's library sets.
    private static let longest = 100_000_000

    /// - Throws: ``SafetensorsError`` naming the file at `path`.
    init(of file: FileHandle, path: String) throws {
        func fault(_ reason: String) -> SafetensorsError { SafetensorsError(path, reason) }
        guard let end = try? file.seekToEnd(), let size = Int(exactly: end) else { throw fault("cannot be read") }
        guard size >= 8 else {
            throw fault("is no safetensors file: \(size) bytes, expected at least 8")
        }
        let length = try file.bytes(0..<8, of: path).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(Self.longest) else {
            throw fault("is no safetensors file: it does not begin with the length of a header")
        }
        dataStart = 8 + Int(length)
        guard dataStart <= size else {
            throw fault("is truncated: a header of \(length) bytes is expected, \(size - 8) are there")
        }
        let json = try file.bytes(8..<dataStart, of: path)
        guard let fields = (try? JSONSerialization.jsonObject(with: json)) as? [String: Any] else {
            throw fault("is malformed: its header is not a JSON object")
        }
        for (name, value) in fields {
            if name == "__metadata__" {
                guard let pairs = value as? [String: String] else {
                    throw fault("is malformed: __metadata__ holds something other than strings")
                }
                metadata = pairs
            } else {
                guard let entry = Self.entry(value) else {
                    throw fault("is malformed: the header's entry of tensor '\(name)' is not valid")
                }
                entries[name] = entry
            }
        }
        var position = 0
        for (name, entry) in entries.sorted(by: { ($0.value.begin, $0.value.end) < ($1.value.begin, $1.value.end) })
        {
            guard entry.begin == position else {
                throw fault("is malformed: tensor '\(name)' starts at byte \(entry.begin), expected \(position)")
            }
            position = entry.end
        }
        guard position == size - dataStart else {
            let found = size - dataStart
            throw fault(
                "\(found < position ? "is truncated" : "is malformed"): \(position) bytes of tensors are expected, "
                    + "\(found) are there")
        }
    }

    private static func entry(_ value: Any) -> Entry? {
        guard let fields = value as? [String: Any], let code = fields["dtype"] as? String,
            let type = codes.first(where: { $0.value == code })?.key,
            let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
            offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1]
        else { return nil }
        let (count, overflow) = Tensor.elementCount(shape)
        let (bytes, tooMany) = count.multipliedReportingOverflow(by: type.size)
        guard !overflow, !tooMany, bytes == offsets[1] - offsets[0] else { return nil }
        return Entry(type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }

    static func code(of type: Tensor.ElementType) -> String { codes[type]! }

    private static let codes: [Tensor.ElementType: String] = [
        .float32: "F32", .bfloat16: "BF16", .float16: "F16", .float64: "F64", .int64: "I64", .int32: "I32",
        .int16: "I16",
        .int8: "I8", .uint8: "U8", .bool: "BOOL",
    ]
}
