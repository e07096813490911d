import Volumes

/// Grows seeds over a landscape of logits, highest first: a seeded watershed (Meyer 1991).
///
/// A voxel that a region reaches becomes part of it, and the highest of all reached voxels is the next to reach its 6
/// neighbours; of equals, the one that was reached first, the seeds in storage order before them. Regions meet
/// without a gap. scikit-image's `watershed(-logits, seeds, mask=mask)` does the same, but leaves open in which order
/// seeds of one logit come.
///
/// - Parameters:
///   - seeds: 0 where there is none.
///   - logits: in `LogitScale`, of the same shape.
///   - mask: grows only into voxels that are not 0; seeds stay whatever it says. nil for everywhere.
/// - Returns: the seeds, grown; 0 where no seed came.
/// - Throws: `LabelingFault` where shapes differ or 32 bits cannot number the voxels.
public func seededWatershed(
    from seeds: Volume<UInt32>, over logits: Volume<Int16>, within mask: Volume<UInt8>? = nil
) throws -> Volume<UInt32> {
    let shape = seeds.shape
    guard logits.shape == shape else {
        throw LabelingFault.shapesDiffer("seeds", shape, "logits", logits.shape)
    }
    if let mask, mask.shape != shape { throw LabelingFault.shapesDiffer("seeds", shape, "mask", mask.shape) }
    guard shape.count < Int(UInt32.max) else { throw LabelingFault.tooManyVoxels(shape) }

    var labels = seeds
    labels.voxels.withUnsafeMutableBufferPointer { labels in
        logits.voxels.withUnsafeBufferPointer { logits in
            (mask?.voxels ?? []).withUnsafeBufferPointer { mask in
                let flood = Flood(shape: shape, labels: labels, logits: logits, mask: mask)
                flood.run()
            }
        }
    }
    return labels
}

/// The voxels that lie within `distance` nanometres of a seed, as 1.
public func voxels(
    within distance: Double, ofSeeds seeds: Volume<UInt32>, voxelSize: VoxelSize, threads: Int = 1
) -> Volume<UInt8> {
    let reach = Float(inclusive(distance: distance))
    return squaredDistances(toVoxelsOf: seeds, spacing: voxelSize.nanometers, threads: threads)
        .map { $0 <= reach * reach ? 1 : 0 }
}

private struct Flood {
    let shape: ZYX<Int>
    let labels: UnsafeMutableBufferPointer<UInt32>
    let logits: UnsafeBufferPointer<Int16>
    /// Empty for everywhere.
    let mask: UnsafeBufferPointer<UInt8>

    func run() {
        let queue = LevelQueue(voxels: shape.count)
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x {
                    let voxel = (z * shape.y + y) * shape.x + x
                    // A seed's inner voxels reach nothing.
                    guard labels[voxel] != 0, hasFreeNeighbour(voxel, z, y, x) else { continue }
                    queue.add(UInt32(voxel), at: logits[voxel])
                }
            }
        }
        while let next = queue.removeHighest() {
            let voxel = Int(next)
            let (row, x) = voxel.quotientAndRemainder(dividingBy: shape.x)
            let (z, y) = row.quotientAndRemainder(dividingBy: shape.y)
            forEachNeighbour(voxel, z, y, x) { neighbour in
                guard isFree(neighbour) else { return }
                labels[neighbour] = labels[voxel]
                queue.add(UInt32(neighbour), at: logits[neighbour])
            }
        }
    }

    private func isFree(_ voxel: Int) -> Bool {
        labels[voxel] == 0 && (mask.isEmpty || mask[voxel] != 0)
    }

    private func hasFreeNeighbour(_ voxel: Int, _ z: Int, _ y: Int, _ x: Int) -> Bool {
        var found = false
        forEachNeighbour(voxel, z, y, x) { found = found || isFree($0) }
        return found
    }

    @inline(__always)
    private func forEachNeighbour(_ voxel: Int, _ z: Int, _ y: Int, _ x: Int, _ body: (Int) -> Void) {
        let plane = shape.y &* shape.x
        if z > 0 { body(voxel &- plane) }
        if y > 0 { body(voxel &- shape.x) }
        if x > 0 { body(voxel &- 1) }
        if x &+ 1 < shape.x { body(voxel &+ 1) }
        if y &+ 1 < shape.y { body(voxel &+ shape.x) }
        if z &+ 1 < shape.z { body(voxel &+ plane) }
    }
}

/// A queue of voxels for each of the 65,536 logits, first in, first out; the highest that is not empty comes first.
///
/// The queues are linked through one array, four bytes a voxel, since a voxel is in one of them at most once.
private final class LevelQueue {
    private static let levels = 65_536
    private static let none = UInt32.max

    private let next: UnsafeMutablePointer<UInt32>
    private let first: UnsafeMutablePointer<UInt32>
    private let last: UnsafeMutablePointer<UInt32>
    /// A bit for each level that is not empty, and one for each word of them that is not 0.
    private let filled: UnsafeMutablePointer<UInt64>
    private let filledWords: UnsafeMutablePointer<UInt64>

    init(voxels: Int) {
        next = .allocate(capacity: max(1, voxels))
        preferHugePages(next, bytes: voxels * 4)
        first = .allocate(capacity: Self.levels)
        last = .allocate(capacity: Self.levels)
        first.initialize(repeating: Self.none, count: Self.levels)
        last.initialize(repeating: Self.none, count: Self.levels)
        filled = .allocate(capacity: Self.levels / 64)
        filledWords = .allocate(capacity: Self.levels / 4096)
        filled.initialize(repeating: 0, count: Self.levels / 64)
        filledWords.initialize(repeating: 0, count: Self.levels / 4096)
    }

    deinit {
        next.deallocate()
        first.deallocate()
        last.deallocate()
        filled.deallocate()
        filledWords.deallocate()
    }

    @inline(__always)
    func add(_ voxel: UInt32, at logit: Int16) {
        let level = Int(logit) &+ 32_768
        next[Int(voxel)] = Self.none
        if first[level] == Self.none {
            first[level] = voxel
            filled[level &>> 6] |= 1 &<< UInt64(level & 63)
            filledWords[level &>> 12] |= 1 &<< UInt64((level &>> 6) & 63)
        } else {
            next[Int(last[level])] = voxel
        }
        last[level] = voxel
    }

    @inline(__always)
    func removeHighest() -> UInt32? {
        var group = Self.levels / 4096 &- 1
        while filledWords[group] == 0 {
            if group == 0 { return nil }
            group &-= 1
        }
        let word = group &* 64 &+ 63 &- filledWords[group].leadingZeroBitCount
        let level = word &* 64 &+ 63 &- filled[word].leadingZeroBitCount
        let voxel = first[level]
        first[level] = next[Int(voxel)]
        if first[level] == Self.none {
            filled[word] &= ~(1 &<< UInt64(level & 63))
            if filled[word] == 0 { filledWords[group] &= ~(1 &<< UInt64(word & 63)) }
        }
        return voxel
    }
}
