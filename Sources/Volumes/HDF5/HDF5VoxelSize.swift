/// What attributes of a dataset, of the groups around it or of the root state of its voxels: `resolution` in nm (CREMI)
/// or `element_size_um` in µm (PlantSeg), both as z, y, x; or ilastik's axis tags.
enum HDF5VoxelSize {
    static let nanometers = "resolution"
    static let micrometers = "element_size_um"

    /// Each attribute counts where it is nearest to the dataset; one that is not three positive numbers counts as
    /// absent.
    ///
    /// - Throws: `HDF5Refusal` where both are there and differ. Call within `HDF5Library.alone`.
    static func stated(of dataset: HDF5Dataset) throws -> StatedVoxelSize {
        let first = nearest(nanometers, .nanometer, to: dataset)
        let second = nearest(micrometers, .micrometer, to: dataset)
        if let first, let second, !first.agrees(with: second) {
            throw HDF5Refusal("states two voxel sizes: \(nanometers) is \(first), \(micrometers) is \(second)")
        }
        if let size = first ?? second { return StatedVoxelSize(size) }
        return AxisTags(of: dataset.handle)?.voxelSize ?? .none
    }

    /// Where the first voxel is, in nm: the dataset's own `offset` as z, y, x (CREMI).
    static func position(of dataset: HDF5Dataset) -> ZYX<Double>? {
        guard let values = HDF5Attribute.numbers("offset", of: dataset.handle), values.count == 3,
            values.allSatisfy(\.isFinite)
        else { return nil }
        return ZYX(values[0], values[1], values[2])
    }

    private static func nearest(
        _ attribute: String, _ unit: LengthUnit, to dataset: HDF5Dataset
    ) -> VoxelSize? {
        for object in [dataset.handle] + dataset.object.groups.reversed() {
            if let values = HDF5Attribute.numbers(attribute, of: object), values.count == 3,
                values.allSatisfy({ $0 > 0 && $0.isFinite })
            {
                return VoxelSize(ZYX(values[0], values[1], values[2]), unit)
            }
        }
        return nil
    }
}
