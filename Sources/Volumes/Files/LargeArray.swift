extension [UInt8] {
    /// An array whose contents `fill` writes, all of them.
    init(ofSize size: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        try self.init(unsafeUninitializedCapacity: size) { memory, count in
            let bytes = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(memory)[..<size])
            if let base = bytes.baseAddress { preferHugePages(base, bytes: size) }
            try fill(bytes)
            count = size
        }
    }
}
