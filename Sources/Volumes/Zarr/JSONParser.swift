/// Reads JSON (RFC 8259) that is not trusted, with the NaN and Infinity that Python writes.
///
/// Foundation's decoder stops the process at bytes that are no UTF-8 where it accepts NaN; here they become U+FFFD.
/// Depth is bounded. A whole number too large to be exact is a string of its digits, as `JSONValue` asks for.
struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0

    private static let deepest = 128

    /// The value that `bytes` are; nil where they are not JSON.
    static func parse(_ bytes: [UInt8]) -> JSONValue? {
        var parser = JSONParser(bytes: bytes)
        guard let value = parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        return parser.position == bytes.count ? value : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count,
            bytes[position..<end].elementsEqual(
                UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else { return false }
        position = end
        return true
    }

    private mutating func value(depth: Int) -> JSONValue? {
        guard depth < Self.deepest else { return nil }
        skipSpace()
        guard let byte = next else { return nil }
        switch Unicode.Scalar(byte) {
        case "{": return object(depth: depth)
        case "[": return array(depth: depth)
        case "\"": return string().map(JSONValue.string)
        case "t": return take(word: "true") ? true : nil
        case "f": return take(word: "false") ? false : nil
        case "n": return take(word: "null") ? .null : nil
        case "N": return take(word: "NaN") ? .number(.nan) : nil
        case "I": return take(word: "Infinity") ? .number(.infinity) : nil
        case "-" where take(word: "-Infinity"): return .number(-.infinity)
        default: return number()
        }
    }

    private mutating func object(depth: Int) -> JSONValue? {
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\""), let key = string() else { return nil }
            skipSpace()
            guard take(":"), let value = value(depth: depth + 1) else { return nil }
            members[key] = value
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    private mutating func array(depth: Int) -> JSONValue? {
        position += 1
        var values: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(values) }
        while true {
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
            skipSpace()
            if take("]") { return .array(values) }
            guard take(",") else { return nil }
        }
    }

    private mutating func number() -> JSONValue? {
        let start = position
        while let byte = next, "+-.0123456789eE".utf8.contains(byte) { position += 1 }
        guard position > start, position - start <= 512 else { return nil }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text) else { return nil }
        let isWhole = text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }
        return isWhole && abs(value) >= 0x1p53 ? .string(text) : .number(value)
    }

    private mutating func string() -> String? {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch Unicode.Scalar(byte) {
            case "\"": return String(decoding: text, as: UTF8.self)
            case "\\":
                guard let scalar = escaped() else { return nil }
                text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escaped() -> Unicode.Scalar? {
        guard let byte = next else { return nil }
        position += 1
        switch Unicode.Scalar(byte) {
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "\"", "\\", "/": return Unicode.Scalar(byte)
        case "u": return unicode()
        default: return nil
        }
    }

    /// The scalar of `\uXXXX`, or of a pair of them beyond U+FFFF; half a pair becomes U+FFFD.
    private mutating func unicode() -> Unicode.Scalar? {
        guard let high = codeUnit() else { return nil }
        guard UTF16.isLeadSurrogate(high) else { return Unicode.Scalar(high) ?? "\u{FFFD}" }
        let start = position
        guard take("\\"), take("u"), let low = codeUnit(), UTF16.isTrailSurrogate(low) else {
            position = start
            return "\u{FFFD}"
        }
        return Unicode.Scalar(0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)) ?? "\u{FFFD}"
    }

    private mutating func codeUnit() -> UInt16? {
        guard position + 4 <= bytes.count else { return nil }
        var unit: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        position += 4
        return unit
    }
}
