import Foundation

/// What a safetensors file says of itself, read without the library under test.
struct SafetensorsHeader {
    let metadata: [String: String]
    /// The bytes of each tensor, by name.
    let tensors: [String: Data]

    init(_ file: Data) throws {
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let json = try JSONSerialization.jsonObject(with: file.subdata(in: 8..<8 + length)) as? [String: Any]
        metadata = json?["__metadata__"] as? [String: String] ?? [:]
        var tensors: [String: Data] = [:]
        for (name, value) in json ?? [:] where name != "__metadata__" {
            let offsets = (value as? [String: Any])?["data_offsets"] as? [Int] ?? [0, 0]
            tensors[name] = file.subdata(in: 8 + length + offsets[0]..<8 + length + offsets[1])
        }
        self.tensors = tensors
    }

    /// The numbers of a tensor of 32-bit floats.
    func floats(_ name: String) -> [Float] {
        (tensors[name] ?? Data()).withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: Float.self) }
        }
    }
}
