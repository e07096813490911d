import CHDF5

/// The voxel size that attributes of a dataset, of the groups around it or of the root state:
/// `resolution` in nm (CREMI) or `element_size_um` in µm (ilastik, PlantSeg), both as z, y, x.
enum HDF5VoxelSize {
    static let nanometers = "resolution"
    static let micrometers = "element_size_um"

    /// Each attribute counts where it is nearest to the dataset; one that is not three positive numbers
    /// counts as absent.
    ///
    /// - Throws: `Contradiction` where both are there and differ. Call within `HDF5Library.alone`.
    static func stated(of dataset: HDF5Dataset, in file: HDF5Handle) throws -> StatedVoxelSize {
        let first = nearest(nanometers, .nanometer, to: dataset, in: file)
        let second = nearest(micrometers, .micrometer, to: dataset, in: file)
        if let first, let second, !first.agrees(with: second) {
            throw Contradiction(nanometers: first, micrometers: second)
        }
        return (first ?? second).map(StatedVoxelSize.init) ?? .none
    }

    struct Contradiction: Error {
        let nanometers: VoxelSize
        let micrometers: VoxelSize
    }

    private static func nearest(
        _ attribute: String, _ unit: LengthUnit, to dataset: HDF5Dataset, in file: HDF5Handle
    ) -> VoxelSize? {
        var parts = dataset.name.split(separator: "/")
        while true {
            let object = "/" + parts.joined(separator: "/")
            if let size = size(attribute, unit, of: object, in: file) { return size }
            if parts.popLast() == nil { return nil }
        }
    }

    private static func size(
        _ name: String, _ unit: LengthUnit, of object: String, in file: HDF5Handle
    ) -> VoxelSize? {
        guard H5Aexists_by_name(file.id, object, name, hdf5_default()) > 0,
            let attribute = try? HDF5Handle(
                H5Aopen_by_name(file.id, object, name, hdf5_default(), hdf5_default()), close: H5Aclose),
            let space = try? HDF5Handle(H5Aget_space(attribute.id), close: H5Sclose),
            let type = try? HDF5Handle(H5Aget_type(attribute.id), close: H5Tclose),
            H5Sget_simple_extent_npoints(space.id) == 3,
            [H5T_FLOAT, H5T_INTEGER].contains(H5Tget_class(type.id))
        else { return nil }
        var values = [0.0, 0, 0]
        guard H5Aread(attribute.id, hdf5_native_double(), &values) >= 0,
            values.allSatisfy({ $0 > 0 && $0.isFinite })
        else { return nil }
        return VoxelSize(ZYX(values[0], values[1], values[2]), unit)
    }
}
