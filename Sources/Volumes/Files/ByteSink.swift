/// A file that is written from its first byte to its last, as it is or packed.
protocol ByteSink: AnyObject {
    func append(_ bytes: UnsafeRawBufferPointer) throws
    /// Puts the complete file in its place.
    func finish() throws
}

extension ByteSink {
    func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes(append) }
}
