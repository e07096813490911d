import Foundation
import Tensors
import TestSupport
import Testing

/// `Data/python.safetensors` is a file of Python's library, made by `Data/make_reference.py`.
struct SafetensorsTests {
    let path = Bundle.module.path(forResource: "Data/python", ofType: "safetensors")!
    let folder = ScratchFolder()

    @Test func pythonsFileIsRead() throws {
        let file = try Safetensors(contentsOf: path)
        #expect(file.metadata == ["made \"by\"": "python\nä"])
        #expect(file.tensors.count == 6)
        #expect(file.tensors["weight"]?.shape == [2, 3])
        #expect(try file.tensors["weight"]?.values(of: Float.self) == [0, 0.25, 0.5, 0.75, 1, 1.25])
        #expect(file.tensors["half"]?.elementType == .bfloat16)
        #expect(try file.tensors["half"]?.floats() == [1, -2.5, 3])
        #expect(try file.tensors["steps"]?.values(of: Int64.self) == [1 << 40])
        #expect(try file.tensors["bytes"]?.values(of: UInt8.self) == [0, 127, 255])
        #expect(try file.tensors["short"]?.values(of: Int16.self) == [-300, 300])
        #expect(file.tensors["none"]?.shape == [0, 4])
    }

    @Test func writtenBytesArePythons() throws {
        let copy = folder.path("copy.safetensors")
        try Safetensors(contentsOf: path).write(to: copy)
        #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(folder.contents == ["copy.safetensors"])
    }

    @Test func channelsLastIsWrittenInRowMajorOrder() throws {
        let values = (0..<24).map(Float.init)
        let tensor = try Tensor(values, shape: [1, 3, 2, 2, 2]).contiguous(.channelsLast)
        let copy = folder.path("copy.safetensors")
        try Safetensors(["t": tensor]).write(to: copy)
        #expect(try Safetensors(contentsOf: copy).tensors["t"]?.floats() == values)
    }

    @Test("A file cut anywhere is one line with its path")
    func truncated() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let cut = folder.path("cut.safetensors")
        for length in 0..<whole.count {
            try whole.prefix(length).write(to: URL(fileURLWithPath: cut))
            let error = try #require(throws: SafetensorsError.self) { try Safetensors(contentsOf: cut) }
            #expect(error.description.hasPrefix(cut) && !error.description.contains("\n"))
        }
    }

    @Test(
        "A malformed header is an error",
        arguments: [
            "[]", "{", "{\"a\":1}", "{\"__metadata__\":{\"a\":1}}",
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            #"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        ])
    func malformed(header: String) throws {
        let file = folder.path("bad.safetensors")
        var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
        data.append(Data(count: 4))
        try data.write(to: URL(fileURLWithPath: file))
        #expect(throws: SafetensorsError.self) { try Safetensors(contentsOf: file) }
    }

    @Test func missingFileAndFolderAreNamed() throws {
        let missing = folder.path("none/a.safetensors")
        #expect(throws: SafetensorsError.self) { try Safetensors(contentsOf: missing) }
        let error = try #require(throws: SafetensorsError.self) { try Safetensors([:]).write(to: missing) }
        #expect(error.description == "\(missing): cannot be written: No such file or directory")
    }
}
