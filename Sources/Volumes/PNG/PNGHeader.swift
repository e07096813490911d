/// The IHDR chunk of a PNG file (PNG 1.2, section 4.1.1), which comes first.
struct PNGHeader {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    /// The signature and the chunk.
    static let size = 33

    let height: Int
    let width: Int
    /// Samples of a pixel: grey or an index into a palette is one, alpha is one of its own.
    let samples: Int
    /// 1, 2, 4, 8 or 16.
    let bits: Int

    /// Bytes of a decoded row; samples of fewer than 8 bits take a byte each.
    var rowBytes: Int { width * samples * (bits == 16 ? 2 : 1) }

    /// - Throws: `FileFault` where the header is no valid one.
    init(_ head: [UInt8], file: String) throws {
        guard head.count >= PNGHeader.size, head.starts(with: PNGHeader.signature),
            Array(head[12..<16]) == Array("IHDR".utf8)
        else { throw FileFault(file, "is a PNG without a header") }
        func integer(_ at: Int) -> Int { head[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        width = integer(16)
        height = integer(20)
        guard (1...Int(Int32.max)).contains(width), (1...Int(Int32.max)).contains(height) else {
            throw FileFault(file, "is a PNG of y \(height) × x \(width) pixels")
        }
        bits = Int(head[24])
        let colour = Int(head[25])
        let allowed: [Int: (samples: Int, bits: [Int])] = [
            0: (1, [1, 2, 4, 8, 16]), 2: (3, [8, 16]), 3: (1, [1, 2, 4, 8]), 4: (2, [8, 16]), 6: (4, [8, 16]),
        ]
        guard let kind = allowed[colour], kind.bits.contains(bits) else {
            throw FileFault(file, "is a PNG of colour type \(colour) and \(bits) bits, which there is not")
        }
        samples = kind.samples
    }
}
