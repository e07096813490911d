/// HDF5's shuffle filter: the first bytes of all values, then their second bytes, and so on.
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
}
