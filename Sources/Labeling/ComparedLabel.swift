import Volumes

/// Labels that are compared eight at a time.
protocol ComparedLabel: VoxelElement, FixedWidthInteger, SIMDScalar, Codable {}

extension UInt32: ComparedLabel {}
extension UInt64: ComparedLabel {}

/// A bit for each x of the 64 from `first` on, within `width`, at which label x of one row is label x + `shift` of another;
/// 0 where x or x + shift lies outside of the row. `shift` is -1, 0 or 1.
@inline(__always)
func equals<Label: ComparedLabel>(
    _ row: UnsafePointer<Label>, _ other: UnsafePointer<Label>, at first: Int, shift: Int, width: Int
) -> UInt64 {
    if first &+ 64 &+ max(0, shift) <= width, first &+ shift >= 0 {
        return equalLabels(row + first, other + (first &+ shift))
    }
    // The first word has nothing before it; compared one voxel later, its bits come one place too early.
    if shift < 0, first == 0, width > 64 { return equalLabels(row + 1, other) &<< 1 }
    var bits: UInt64 = 0
    var x = max(first, -shift)
    let end = min(first &+ 64, width &- max(0, shift))
    while x < end {
        if row[x] == other[x &+ shift] { bits |= 1 &<< UInt64(x &- first) }
        x &+= 1
    }
    return bits
}

/// A bit for each x of the 64 from `first` on at which the label is 0; bits beyond `width` are 0.
@inline(__always)
func zeros<Label: ComparedLabel>(in row: UnsafePointer<Label>, at first: Int, width: Int) -> UInt64 {
    var bits: UInt64 = 0
    guard first &+ 64 <= width else {
        for x in first..<width where row[x] == 0 { bits |= 1 &<< UInt64(x &- first) }
        return bits
    }
    let start = UnsafeRawPointer(row + first)
    for eight in 0..<8 {
        let labels = eightLabels(start, eight, of: Label.self)
        bits |= gathered(SIMD8<Label>.zero.replacing(with: 1, where: labels .== 0)) &<< UInt64(8 &* eight)
    }
    return bits
}

@inline(__always)
private func equalLabels<Label: ComparedLabel>(_ one: UnsafePointer<Label>, _ other: UnsafePointer<Label>) -> UInt64
{
    let (one, other) = (UnsafeRawPointer(one), UnsafeRawPointer(other))
    var bits: UInt64 = 0
    for eight in 0..<8 {
        let equal = eightLabels(one, eight, of: Label.self) .== eightLabels(other, eight, of: Label.self)
        bits |= gathered(SIMD8<Label>.zero.replacing(with: 1, where: equal)) &<< UInt64(8 &* eight)
    }
    return bits
}

@inline(__always)
private func eightLabels<Label: ComparedLabel>(
    _ start: UnsafeRawPointer, _ eight: Int, of type: Label.Type
) -> SIMD8<Label> {
    start.loadUnaligned(fromByteOffset: eight &* 8 &* MemoryLayout<Label>.size, as: SIMD8<Label>.self)
}

/// Eight numbers that are 0 or 1 as the lowest eight bits.
@inline(__always)
private func gathered<Label: ComparedLabel>(_ ones: SIMD8<Label>) -> UInt64 {
    let bytes = unsafeBitCast(SIMD8<UInt8>(truncatingIfNeeded: ones), to: UInt64.self)
    // By one product, as in `packedBits`.
    return (bytes &* 0x0102_0408_1020_4080) &>> 56
}
