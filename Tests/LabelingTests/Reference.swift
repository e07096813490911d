import Foundation
import Volumes

/// A file of the tests' `Data` folder.
func reference(_ name: String) throws -> Data {
    try Data(contentsOf: Bundle.module.resourceURL!.appendingPathComponent("Data/" + name))
}

func json<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: reference(name))
}

extension Data {
    /// The 8-bit volume that starts at byte `offset`.
    func volume8(at offset: Int, _ shape: ZYX<Int>) -> Volume<UInt8> {
        Volume(shape: shape, voxels: [UInt8](self[offset..<offset + shape.count]))
    }

    /// The little-endian 16-bit volume that starts at byte `offset`.
    func volume16(at offset: Int, _ shape: ZYX<Int>) -> Volume<UInt32> {
        Volume(
            shape: shape,
            voxels: (0..<shape.count).map {
                UInt32(self[offset + 2 * $0]) | UInt32(self[offset + 2 * $0 + 1]) << 8
            })
    }
}

extension ZYX where Scalar == Int {
    init(_ array: [Int]) { self.init(array[0], array[1], array[2]) }
}

/// Random numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}

func randomMask(_ shape: ZYX<Int>, density: Double, seed: UInt64) -> Volume<UInt8> {
    var generator = SeededGenerator(state: seed)
    return Volume(
        shape: shape,
        voxels: (0..<shape.count).map { _ in
            Double.random(in: 0..<1, using: &generator) < density ? UInt8.random(in: 1...255, using: &generator) : 0
        })
}

func randomLabels(_ shape: ZYX<Int>, upTo last: UInt32, seed: UInt64) -> Volume<UInt32> {
    var generator = SeededGenerator(state: seed)
    return Volume(
        shape: shape,
        voxels: (0..<shape.count).map { _ in
            UInt32.random(in: 0...last, using: &generator)
        })
}
