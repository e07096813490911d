import CHDF5
import Foundation

/// Imaris' files (`.ims`): a dataset for each resolution level, time point and channel, padded to whole chunks; sizes
/// and extents as attributes whose text is an array of single characters (Imaris 5.5 File Format Description).
struct ImarisLayout {
    private let file: HDF5File
    private let level: String
    private let times: Int
    private let channels: Int

    /// What the dataset's name chooses; nil where it names a level alone.
    private var named: VolumeSelection?
    /// Where the full resolution was found unasked.
    private var coarserLevels: [String] = []

    /// - Parameter name: A dataset or resolution level; nil for the full resolution.
    /// - Returns: Nil where the file, or what `name` says, is not of this layout.
    init?(_ file: HDF5File, _ name: String?) {
        let parts = (name ?? "/DataSet/ResolutionLevel 0").split(separator: "/").map(String.init)
        guard parts.count == 2 || parts.count == 5, parts[0] == "DataSet",
            let level = Self.number("ResolutionLevel", parts[1])
        else { return nil }
        if parts.count == 5 {
            guard let time = Self.number("TimePoint", parts[2]), let channel = Self.number("Channel", parts[3]),
                parts[4] == "Data"
            else { return nil }
            named = VolumeSelection(channel: channel, time: time)
        }
        self.file = file
        self.level = "/DataSet/ResolutionLevel \(level)"
        guard let times = try? HDF5Object(self.level, in: file),
            let channels = try? HDF5Object(self.level + "/TimePoint 0", in: file), channels.has("Channel 0")
        else { return nil }
        self.times = times.count { "TimePoint \($0)" }
        self.channels = channels.count { "Channel \($0)" }
        if name == nil, let levels = try? HDF5Object("/DataSet", in: file) {
            coarserLevels = (0..<levels.count { "ResolutionLevel \($0)" }).dropFirst()
                .map { "/DataSet/ResolutionLevel \($0)" }
        }
    }

    private static func number(_ word: String, _ text: String) -> Int? {
        text.hasPrefix(word + " ") ? Int(text.dropFirst(word.count + 1)) : nil
    }

    /// - Throws: `FileFault` where the channel or time must be chosen; `HDF5Refusal`, `HDF5Fault`.
    func volume(_ selection: VolumeSelection, of path: String) throws -> HDF5Volume {
        let chosen = try (named ?? selection).resolved(channels: channels, times: times, of: path)
        let channel = "\(level)/TimePoint \(chosen.time ?? 0)/Channel \(chosen.channel ?? 0)"
        var volume = try HDF5Volume(HDF5Dataset(channel + "/Data", in: file))
        volume.format = "Imaris"
        volume.others = coarserLevels
        (volume.channels, volume.times) = (channels, times)
        try Self.describe(&volume, group: HDF5Object(channel, in: file))
        let image = try HDF5Object("/DataSetInfo/Image", in: file)
        Self.place(&volume, by: image.handle)
        return volume
    }

    /// Leaves out what pads the chunks.
    private static func describe(_ volume: inout HDF5Volume, group: HDF5Object) throws {
        let stated = ["ImageSizeZ", "ImageSizeY", "ImageSizeX"].map { name in
            HDF5Attribute.text(name, of: group.handle).flatMap { Int($0.trimmed) }
        }
        let shape = zip(stated, volume.shape.array).map { $0 ?? $1 }
        guard zip(shape, volume.shape.array).allSatisfy({ $0 >= 1 && $0 <= $1 }) else {
            throw HDF5Refusal(
                "is damaged: the image is z \(shape[0]) × y \(shape[1]) × x \(shape[2]), its dataset \(volume.shape)"
            )
        }
        volume.shape = ZYX(shape[0], shape[1], shape[2])
    }

    /// The extents are those of the volume's edges; axis 0 is x.
    private static func place(_ volume: inout HDF5Volume, by image: HDF5Handle) {
        func extents(_ name: String) -> ZYX<Double>? {
            let values = (0..<3).compactMap { axis in
                HDF5Attribute.text("\(name)\(axis)", of: image).flatMap { Double($0.trimmed) }
            }
            guard values.count == 3, values.allSatisfy(\.isFinite) else { return nil }
            return ZYX(values[2], values[1], values[0])
        }
        let unit = HDF5Attribute.text("Unit", of: image).map { LengthUnit(spelling: $0.trimmed) } ?? .micrometer
        guard let unit, let low = extents("ExtMin"), let high = extents("ExtMax") else { return }
        let size = high.zip(low, -).zip(volume.shape) { $0 / Double($1) }
        guard size.array.allSatisfy({ $0 > 0 && $0.isFinite }) else { return }
        volume.voxelSize = StatedVoxelSize(VoxelSize(size, unit))
        volume.position = low.zip(size) { ($0 + $1 / 2) * unit.nanometers }
    }
}

extension String {
    /// Without the spaces around it.
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
