import Volumes

/// Grows objects back into the voxels around them, window by window: a seeded watershed over the logits, as far from the
/// seeds as it may.
///
/// Windows cut the volume into boxes of one size. Each grows by itself, together with what lies within three times
/// that distance around it, so that the ways by which regions come to its voxels are seen. The result is a function of the
/// volume alone, whatever the memory and the threads; that of a volume of one window is `seededWatershed`'s.
public struct ObjectGrowth: Sendable {
    /// In nanometres.
    public let reach: Double
    /// Objects grow only where the logits reach this; nil for everywhere.
    public let floor: Threshold?
    public let voxelSize: VoxelSize
    /// Whether each section has objects of its own.
    public let withinSections: Bool

    public init(reach: Double, floor: Threshold? = nil, voxelSize: VoxelSize, withinSections: Bool = false) {
        (self.reach, self.floor) = (reach, floor)
        (self.voxelSize, self.withinSections) = (voxelSize, withinSections)
    }

    /// Whole shards of any store of the volume.
    public func windows(of shape: ZYX<Int>) -> [Box] {
        Box(shape).cells(of: withinSections ? ZYX(64, 512, 512) : ZYX(128, 256, 256))
    }

    /// The voxels that the growth in a window depends on.
    public func surroundings(of window: Box, in shape: ZYX<Int>) -> Box {
        var margin = voxelSize.nanometers.map { Int(exactly: (3 * reach / $0).rounded(.up)) ?? .max / 4 }
        if withinSections { margin.z = 0 }
        return window.grown(by: margin.zip(shape, min)).intersection(Box(shape))
    }

    /// Bytes that the growth in the largest window of a volume takes, its input and output included.
    ///
    /// - Parameter channels: of logits, the highest of which counts.
    public func memory(for shape: ZYX<Int>, channels: Int) -> Int {
        // Seeds and regions, distances, the queue, the mask, and the logits once more.
        windows(of: shape).map { surroundings(of: $0, in: shape).count * (19 + 2 * channels) }.max() ?? 0
    }

    /// The objects of a window, grown.
    ///
    /// - Parameters:
    ///   - seeds: of the window's surroundings; 0 where there is none.
    ///   - logits: of the surroundings, in `LogitScale`.
    /// - Throws: `LabelingFault` where these have other shapes.
    public func grown(
        _ window: Box, of shape: ZYX<Int>, seeds: Volume<UInt32>, over logits: Volume<Int16>
    ) throws -> Volume<UInt32> {
        let region = surroundings(of: window, in: shape)
        for (name, found) in [("seeds", seeds.shape), ("logits", logits.shape)] where found != region.shape {
            throw LabelingFault.shapesDiffer("the surroundings of a window", region.shape, name, found)
        }
        let inner = window.relative(to: region.origin)
        guard withinSections else { return try grown(seeds, over: logits).cropped(to: inner) }
        var result = Volume<UInt32>(shape: window.shape)
        for section in Box(region.shape).cells(of: ZYX(1, region.shape.y, region.shape.x)) {
            let regions = try grown(seeds.cropped(to: section), over: logits.cropped(to: section))
            let flat = Box(
                origin: ZYX(0, inner.origin.y, inner.origin.x), shape: ZYX(1, inner.shape.y, inner.shape.x))
            result.replace(at: ZYX(section.origin.z, 0, 0), with: regions.cropped(to: flat))
        }
        return result
    }

    private func grown(_ seeds: Volume<UInt32>, over logits: Volume<Int16>) throws -> Volume<UInt32> {
        var mask = voxels(within: reach, ofSeeds: seeds, voxelSize: voxelSize)
        let least = floor?.units ?? Int32(LogitScale.outside) + 1
        for voxel in mask.voxels.indices where Int32(logits.voxels[voxel]) < least { mask.voxels[voxel] = 0 }
        return try seededWatershed(from: seeds, over: logits, within: mask)
    }
}
