/// A file's header whose fields stand at fixed places, in either byte order.
///
/// Places are the format's own, within the bytes: one outside is a programmer's error.
struct FixedHeader {
    let bytes: [UInt8]
    let isBigEndian: Bool

    func integer<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int) -> Integer {
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
        return isBigEndian ? Integer(bigEndian: value) : Integer(littleEndian: value)
    }

    func int16(_ offset: Int) -> Int { Int(integer(Int16.self, at: offset)) }
    func int32(_ offset: Int) -> Int { Int(integer(Int32.self, at: offset)) }
    func int64(_ offset: Int) -> Int { Int(integer(Int64.self, at: offset)) }
    func float32(_ offset: Int) -> Double { Double(Float(bitPattern: integer(UInt32.self, at: offset))) }
    func float64(_ offset: Int) -> Double { Double(bitPattern: integer(UInt64.self, at: offset)) }
}
