import Foundation

extension [UInt8] {
    /// An array whose contents `fill` writes, all of them. A large one asks the system for large pages first: of 4 KiB
    /// ones, handing out each for the first time takes longer than filling it from a file in memory.
    init(ofSize size: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        try self.init(unsafeUninitializedCapacity: size) { memory, count in
            let bytes = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(memory)[..<size])
            askForLargePages(bytes)
            try fill(bytes)
            count = size
        }
    }
}

private func askForLargePages(_ bytes: UnsafeMutableRawBufferPointer) {
    #if os(Linux)
        let page = 4096
        guard bytes.count >= 4 << 20, let base = bytes.baseAddress else { return }
        let skipped = (page - Int(bitPattern: base) % page) % page
        // Advice: nothing depends on its being taken.
        _ = madvise(base + skipped, (bytes.count - skipped) / page * page, MADV_HUGEPAGE)
    #endif
}
