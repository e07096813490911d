import Volumes

/// A bit for each x of the 64 from `first` on, within `width`, at which label x of one row is label x + `shift` of another;
/// 0 where x or x + shift lies outside of the row. `shift` is -1, 0 or 1.
@inline(__always)
func equals<Label: VoxelElement & FixedWidthInteger>(
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
func zeros<Label: VoxelElement & FixedWidthInteger>(in row: UnsafePointer<Label>, at first: Int, width: Int)
    -> UInt64
{
    var bits: UInt64 = 0
    guard first &+ 64 <= width else {
        for x in first..<width where row[x] == 0 { bits |= 1 &<< UInt64(x &- first) }
        return bits
    }
    for x in 0..<64 { bits |= (row[first &+ x] == 0 ? 1 : 0) &<< UInt64(truncatingIfNeeded: x) }
    return bits
}

@inline(__always)
private func equalLabels<Label: VoxelElement & FixedWidthInteger>(
    _ one: UnsafePointer<Label>, _ other: UnsafePointer<Label>
) -> UInt64 {
    var bits: UInt64 = 0
    for x in 0..<64 { bits |= (one[x] == other[x] ? 1 : 0) &<< UInt64(truncatingIfNeeded: x) }
    return bits
}
