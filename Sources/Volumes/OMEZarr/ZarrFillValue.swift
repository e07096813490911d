/// An array's `fill_value` as the metadata have it: what the voxels of missing chunks are.
enum ZarrFillValue: Equatable, Sendable {
    case number(Double)
    /// `NaN`, `Infinity`, `-Infinity`, `0x7fc00000`, a whole number beyond 2⁵³, or one that its writer put in
    /// quotes.
    case text(String)

    /// Missing or null is 0; nil for what is no number.
    init?(_ json: JSONValue?) {
        switch json {
        case nil, .null, .bool(false): self = .number(0)
        case .bool(true): self = .number(1)
        case .number(let value): self = .number(value)
        case .string(let text): self = .text(text)
        case .array, .object: return nil
        }
    }

    /// The value's bytes in this machine's order; nil where the type cannot hold it.
    func bytes(of type: ZarrDataType) -> [UInt8]? {
        func bytes<Element: VoxelElement>(_ element: Element.Type) -> [UInt8]? {
            value(element, isHalf: type.isHalf).map { value in withUnsafeBytes(of: value) { [UInt8]($0) } }
        }
        return bytes(type.elementType.scalar)
    }

    private func value<Element: VoxelElement>(_ type: Element.Type, isHalf: Bool) -> Element? {
        switch self {
        case .number(let value): Element.nearest(value)
        case .text(let text): parsed(text, type, isHalf: isHalf)
        }
    }

    private func parsed<Element: VoxelElement>(_ text: String, _ type: Element.Type, isHalf: Bool) -> Element? {
        if text.hasPrefix("0x") {
            guard !Element.elementType.isInteger, let bits = UInt64(text.dropFirst(2), radix: 16) else {
                return nil
            }
            return bitPattern(bits, type, isHalf: isHalf)
        }
        if let value = UInt64(text).flatMap({ Element(exactly: $0) }) { return value }
        if let value = Int64(text).flatMap({ Element(exactly: $0) }) { return value }
        return Double(text).flatMap { Element.nearest($0) }
    }

    private func bitPattern<Element: VoxelElement>(
        _ bits: UInt64, _ type: Element.Type, isHalf: Bool
    ) -> Element? {
        if isHalf { return UInt16(exactly: bits).map { ZarrDataType.float(half: $0) } as? Element }
        if Element.elementType == .float32 {
            return UInt32(exactly: bits).map { Float(bitPattern: $0) } as? Element
        }
        return Double(bitPattern: bits) as? Element
    }
}
