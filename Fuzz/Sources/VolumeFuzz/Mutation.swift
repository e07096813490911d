/// Damage to a file's bytes.
enum Mutation: CaseIterable {
    case flipBits, setBytes, editHeader, writeExtreme, writeExtremeInHeader, changeNumber, copyRange, fillRange
    case removeRange, insertRange, truncate

    /// Damages `bytes` in one way, and says which.
    static func damage(_ bytes: inout [UInt8], _ random: inout Random) -> String {
        guard !bytes.isEmpty else { return "empty" }
        let kind = allCases[random.below(allCases.count)]
        return "\(kind) \(kind.apply(to: &bytes, &random))"
    }

    /// - Returns: Where.
    private func apply(to bytes: inout [UInt8], _ random: inout Random) -> String {
        let header = min(bytes.count, 1024)
        switch self {
        case .flipBits:
            let places = (0...random.below(8)).map { _ in random.below(bytes.count) }
            for place in places { bytes[place] ^= 1 << UInt8(random.below(8)) }
            return "\(places)"
        case .setBytes, .editHeader:
            let limit = self == .editHeader ? header : bytes.count
            let places = (0...random.below(8)).map { _ in random.below(limit) }
            for place in places { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
            return "\(places)"
        case .writeExtreme, .writeExtremeInHeader:
            return Self.writeExtreme(in: &bytes, before: self == .writeExtreme ? bytes.count : header, &random)
        case .changeNumber:
            return Self.changeNumber(in: &bytes, &random)
        case .copyRange:
            let range = Self.range(in: bytes, &random)
            let target = random.below(bytes.count - range.count + 1)
            bytes.replaceSubrange(target..<target + range.count, with: Array(bytes[range]))
            return "\(range) to \(target)"
        case .fillRange:
            let range = Self.range(in: bytes, &random)
            let value: UInt8 = random.below(2) == 0 ? 0 : 0xFF
            for place in range { bytes[place] = value }
            return "\(range) with \(value)"
        case .removeRange:
            let range = Self.range(in: bytes, &random)
            bytes.removeSubrange(range)
            return "\(range)"
        case .insertRange:
            let range = Self.range(in: bytes, &random)
            bytes.insert(contentsOf: Array(bytes[range]), at: range.lowerBound)
            return "\(range)"
        case .truncate:
            bytes.removeSubrange(random.below(bytes.count)...)
            return "to \(bytes.count)"
        }
    }

    private static func range(in bytes: [UInt8], _ random: inout Random) -> Range<Int> {
        let start = random.below(bytes.count)
        return start..<min(bytes.count, start + 1 + random.below(64))
    }

    /// A number that programs trip over, of 1, 2, 4 or 8 bytes, in either byte order, mostly where numbers are aligned.
    private static func writeExtreme(in bytes: inout [UInt8], before limit: Int, _ random: inout Random) -> String {
        let width = [1, 2, 4, 8, 4, 8][random.below(6)]
        let bits = UInt64(width * 8)
        let size = UInt64(bytes.count)
        let values: [UInt64] = [
            0, 1, 2, .max, .max - 1, 1 << (bits - 1), (1 << (bits - 1)) - 1, (1 << (bits - 1)) - 16, size, size - 1,
            size + 1, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 32) - 1, 1 << 62, 65_535, 65_536, 0x7F80_0000,
            0x7FC0_0000,
            1 << 16 + 1, 100_000, 20_000_000, 0x7FF0_0000_0000_0000,
        ]
        let value = values[random.below(values.count)]
        var place = random.below(limit)
        if random.below(4) > 0 { place -= place % min(width, 4) }
        let isBigEndian = random.below(2) == 0
        for index in 0..<width where place + index < bytes.count {
            let shift = UInt64(8 * (isBigEndian ? width - 1 - index : index))
            bytes[place + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
        return "\(value) in \(width) bytes at \(place)"
    }

    /// A number written in digits, as in XML and JSON, replaced by another.
    private static func changeNumber(in bytes: inout [UInt8], _ random: inout Random) -> String {
        let isDigit = { (byte: UInt8) in (48...57).contains(byte) }
        let start = random.below(bytes.count)
        guard let first = bytes[start...].firstIndex(where: isDigit) else { return "(none)" }
        let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.count
        let numbers = [
            "0", "-1", "1e308", "1e-308", "nan", "4294967296", "2147483648", "9223372036854775807",
            "99999999999999999999", "65536", "0.5", "\"", "1000000", "null",
        ]
        let number = numbers[random.below(numbers.count)]
        bytes.replaceSubrange(first..<end, with: number.utf8)
        return "at \(first) to \(number)"
    }
}
