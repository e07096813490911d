import CHDF5
import Foundation

/// What ilastik says of a dataset's axes: the attribute `axistags`, in vigra's JSON, one object for each axis with
/// its `key` and `resolution`; and `axis_units`, a JSON object of units by key.
struct AxisTags {
    let letters: [Character]
    /// The voxel size of the axes that have one.
    let voxelSize: StatedVoxelSize

    private static let longest = 1 << 16

    /// Nil where there are none that can be read.
    init?(of dataset: HDF5Handle) {
        guard let tags = Self.json("axistags", of: dataset)?["axes"]?.array else { return nil }
        letters = tags.compactMap { $0["key"]?.string.flatMap { $0.count == 1 ? $0.first : nil } }
        guard letters.count == tags.count else { return nil }
        let units = Self.json("axis_units", of: dataset)
        func unit(_ letter: Character) -> LengthUnit? {
            (units?[String(letter)]?.string).flatMap { LengthUnit(spelling: $0) }
        }
        func size(_ letter: Character) -> Double? {
            guard let tag = tags.first(where: { $0["key"]?.string == String(letter) }),
                let size = tag["resolution"]?.number, size > 0, size.isFinite, let unit = unit(letter)
            else { return nil }
            return size * unit.nanometers
        }
        voxelSize = StatedVoxelSize(
            nanometers: ZYX(size("z"), size("y"), size("x")), unit: unit("x") ?? .nanometer)
    }

    private static func json(_ name: String, of dataset: HDF5Handle) -> JSONValue? {
        guard let text = HDF5Attribute.text(name, of: dataset), text.utf8.count <= longest else { return nil }
        return try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }
}
