extension [UInt8] {
    /// Appends an integer in little endian.
    mutating func append<Integer: FixedWidthInteger>(_ value: Integer) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// Puts an integer at a place that there is, in little endian.
    mutating func put<Integer: FixedWidthInteger>(_ value: Integer, at offset: Int) {
        withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Integer.self) }
    }

    mutating func put(_ value: Float, at offset: Int) { put(value.bitPattern, at: offset) }
    mutating func put(_ value: Double, at offset: Int) { put(value.bitPattern, at: offset) }
}
