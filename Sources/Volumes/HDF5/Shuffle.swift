/// HDF5's shuffle filter: the first bytes of all values, then their second bytes, and so on; bytes that are left over
/// come last.
enum Shuffle {
    static func shuffled(_ bytes: [UInt8], elementSize: Int) -> [UInt8] {
        if elementSize == 1 { return bytes }
        let count = bytes.count / elementSize
        return [UInt8](unsafeUninitializedCapacity: bytes.count) { target, filled in
            bytes.withUnsafeBufferPointer { source in
                for byte in 0..<elementSize {
                    for value in 0..<count { target[byte * count + value] = source[value * elementSize + byte] }
                }
            }
            filled = bytes.count
        }
    }

    static func unshuffled(_ bytes: [UInt8], elementSize: Int) -> [UInt8] {
        guard elementSize > 1, elementSize <= bytes.count else { return bytes }
        let count = bytes.count / elementSize
        return [UInt8](unsafeUninitializedCapacity: bytes.count) { target, filled in
            bytes.withUnsafeBufferPointer { source in
                switch elementSize {
                case 2: interleave(source, target, count, 2)
                case 4: interleave(source, target, count, 4)
                case 8: interleave(source, target, count, 8)
                default: interleave(source, target, count, elementSize)
                }
                for index in count * elementSize..<bytes.count { target[index] = source[index] }
            }
            filled = bytes.count
        }
    }

    /// Inlined where the size is known, the inner loop is unrolled and vectorised.
    @inline(__always)
    private static func interleave(
        _ source: UnsafeBufferPointer<UInt8>, _ target: UnsafeMutableBufferPointer<UInt8>, _ count: Int, _ size: Int
    ) {
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        for value in 0..<count {
            for byte in 0..<size { to[value &* size &+ byte] = from[byte &* count &+ value] }
        }
    }
}
