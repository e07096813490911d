import Volumes

/// The voxel size that the networks work at, to which volumes of another are brought.
struct WorkingResolution: Sendable {
    let size: VoxelSize
    /// Of the networks. In 2D each section is seen by itself, so that volumes keep their sections.
    let dimensions: Int

    /// Volumes whose voxels differ by less than this part, along each axis, are used as they are.
    static let tolerance = 0.1

    /// What a volume's voxels become.
    func size(for own: VoxelSize) -> VoxelSize {
        var result = size
        if dimensions == 2 { result.nanometers.z = own.nanometers.z }
        return result
    }

    /// Whether volumes of some voxel size are used as they are.
    func suits(_ own: VoxelSize) -> Bool { own.agrees(with: size(for: own), tolerance: Self.tolerance) }

    /// A box of a volume as the networks see it.
    func box(_ box: Box, of own: VoxelSize?) -> Box {
        guard let own, !suits(own) else { return box }
        return (try? Resampling(box, from: own, to: size(for: own)))?.target ?? box
    }

    /// The voxel size that a volume is brought to, with what people are told of that.
    ///
    /// - Returns: nil where it is used as it is, or its own voxel size is not known.
    /// - Throws: `FileFault` where its voxels are too far from these.
    func resampling(of volume: LabelPlacement.Extent) throws -> (size: VoxelSize, note: String)? {
        guard let own = volume.voxelSize, !suits(own) else { return nil }
        let size = size(for: own)
        do {
            _ = try Resampling(Box(volume.shape), from: own, to: size)
        } catch {
            throw FileFault(volume.title, "\(error)")
        }
        return (size, "\(own) is resampled to \(size)")
    }
}
