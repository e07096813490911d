import Foundation
import Labeling
import Volumes

/// What `label:` does to objects once they are made: they are smoothed, holes are filled, then small objects and those at the
/// border or in an excluded part are dropped, and the rest numbered anew in the same order.
struct ObjectFinishing {
    let settings: LabelSettings.Finish
    /// Objects with a voxel that is not 0 in it are dropped; nil for none.
    let exclusion: BlockStore?
    /// The part of the volume that was segmented.
    let segmented: Box
    /// Whether objects are those of sections.
    let withinSections: Bool
    /// Where the store has none.
    let voxelSize: VoxelSize
    let work: BlockWork

    /// Voxels that smoothing may reach over.
    private static let largestSmoothing = 16.0

    /// Refuses, before any work, to smooth over more voxels than that is meant for, or over none.
    ///
    /// - Parameters:
    ///   - setting: what smoothing is called where it was asked for.
    ///   - file: whose voxels they are.
    static func checkSmoothing(
        _ settings: LabelSettings.Finish, as setting: String, of file: String, _ voxelSize: VoxelSize
    ) throws {
        guard let radius = settings.smoothing else { return }
        let reach = radius / (voxelSize.nanometers.array.min() ?? 1)
        guard reach < 1 || reach > largestSmoothing else { return }
        func number(_ value: Double) -> String { String(format: value < 1 ? "%.2g" : "%.0f", value) }
        throw FileFault(
            file,
            "\(setting) is \(number(radius)) nm, which is \(number(reach)) of its voxels; expected "
                + (reach < 1 ? "1 at least" : "\(Int(largestSmoothing)) at most"))
    }

    /// Writes objects as a store at `path` that are in another now, block by block.
    func write(_ made: StoredObjects, to path: String, progress: @escaping (Double) -> Void) throws -> StoredObjects
    {
        let threads = work.shardsAtOnce(made.store.layout)
        let store = try smoothed(made.store, at: path + ".smoothed")
        let filling = try settings.fillHoles ? filling(store) { progress($0 / 3) } : nil
        let shards = store.shards
        let labels = { @Sendable (index: Int) in
            try filling?.labels(ofBlock: index) ?? store.read(shards[index]).volume(of: UInt32.self)
        }

        var sizes = [Int](repeating: 0, count: made.count)
        var isAtBorder = [Bool](repeating: false, count: made.count)
        var isExcluded = isAtBorder
        let (segmented, withinSections, exclusion) = (segmented, withinSections, exclusion)
        try parallelForEach(shards.count, threads: threads) { index in
            let (shard, labels) = (shards[index], try labels(index))
            let mask = try exclusion?.read(shard).converted(to: Double.self)
            let touched = Set(mask.map { zip(labels.voxels, $0.voxels).lazy.filter { $1 != 0 }.map(\.0) } ?? [])
            return (census(labels, at: shard, of: segmented, withinSections: withinSections), touched)
        } use: { index, result in
            let (found, touched) = result
            for label in touched where label != 0 { isExcluded[Int(label) - 1] = true }
            if work.shouldStop() { throw Interruption() }
            for (label, part) in found {
                sizes[Int(label) - 1] += part.voxels
                if part.isAtBorder { isAtBorder[Int(label) - 1] = true }
            }
            progress((1 + Double(index + 1) / Double(shards.count)) / 3)
        }

        let volume = (store.layout.voxelSize ?? voxelSize).in(.micrometer).array.reduce(1, *)
        let kept = sizes.indices.filter { object in
            Double(sizes[object]) * volume >= settings.minimumVolume ?? 0 && sizes[object] > 0
                && !(settings.dropsBorder && isAtBorder[object]) && !isExcluded[object]
        }
        var numbers = [UInt32](repeating: 0, count: made.count + 1)
        for (number, object) in kept.enumerated() { numbers[object + 1] = UInt32(number + 1) }
        let result = try BlockStore.create(at: path, store.layout)
        let renumbered = numbers
        try result.fill(
            threads: threads, shouldStop: work.shouldStop, progress: { progress((2 + $0) / 3) },
            with: { index, _ in try labels(index).map { renumbered[Int($0)] } })
        for path in Set([store.path, made.store.path]) { try FileManager.default.removeItem(atPath: path) }
        return StoredObjects(
            store: result, count: kept.count, classes: made.classes.map { classes in kept.map { classes[$0] } })
    }

    private func smoothed(_ store: BlockStore, at path: String) throws -> BlockStore {
        guard let radius = settings.smoothing else { return store }
        let filter = ModeFilter(
            radius: radius, voxelSize: store.layout.voxelSize ?? voxelSize, withinSections: withinSections)
        let result = try BlockStore.create(at: path, store.layout)
        let (segmented, layout) = (segmented, store.layout)
        let read = Box(layout.shard).grown(by: filter.reach).count
        try result.fill(threads: work.atOnce(read * StageMemory.bytesPerVoxel), shouldStop: work.shouldStop) {
            _, shard in
            // Beyond what was segmented nothing is known, as beyond the volume.
            let part = shard.intersection(segmented)
            guard !part.isEmpty else { return Volume(shape: shard.shape) }
            let region = part.grown(by: filter.reach).intersection(segmented)
            return filter.smoothed(try store.read(region).volume(of: UInt32.self), of: region, in: part)
                .placed(part, in: shard)
        }
        return result
    }

    private func filling(_ store: BlockStore, _ progress: (Double) -> Void) throws -> HoleFilling {
        try HoleFilling(
            shape: store.layout.shape, block: store.layout.shard, withinSections: withinSections,
            threads: work.shardsAtOnce(store.layout),
            progress: {
                if work.shouldStop() { throw Interruption() }
                progress($0)
            }, read: { try store.read($0).volume(of: UInt32.self) })
    }
}

/// The voxels of each object in a block, and whether one of them is at the border of what was segmented.
private func census(
    _ labels: Volume<UInt32>, at box: Box, of segmented: Box, withinSections: Bool
) -> [UInt32: (voxels: Int, isAtBorder: Bool)] {
    var found: [UInt32: (voxels: Int, isAtBorder: Bool)] = [:]
    forEachStretch(of: labels, in: box, of: box) { label, z, y, x in
        let stretch = Box(from: ZYX(z, y, x.lowerBound), to: ZYX(z + 1, y + 1, x.upperBound))
        var known = found[label] ?? (0, false)
        known.voxels += x.count
        known.isAtBorder =
            known.isAtBorder || stretch.touchesBorder(of: segmented, withinSections: withinSections)
        found[label] = known
    }
    return found
}
