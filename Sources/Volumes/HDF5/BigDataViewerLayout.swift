import CHDF5
import Foundation

/// BigDataViewer's HDF5 files: `t00000/s00/0/cells` is time point 0 of setup 0 at level 0; a setup is taken for a channel.
/// Voxel sizes are in the XML beside (BigDataViewer, "XML/HDF5 File Format").
struct BigDataViewerLayout {
    private let file: HDF5File
    private let level: Int
    private let times: Int
    private let setups: Int

    private static let mostLevels = 100

    /// What the dataset's name chooses; nil where it names a level alone.
    private var named: VolumeSelection?
    /// Where the full resolution was found unasked.
    private var coarserLevels: [String] = []

    /// - Parameter name: A dataset, as in `t00000/s00/1/cells`, or a level, as in `1`; nil for the full resolution.
    /// - Returns: Nil where the file, or what `name` says, is not of this layout.
    init?(_ file: HDF5File, _ name: String?) {
        let parts = (name ?? "0").split(separator: "/")
        if parts.count == 4, parts[3] == "cells" {
            guard let time = Self.number("t", parts[0]), let setup = Self.number("s", parts[1]) else { return nil }
            named = VolumeSelection(channel: setup, time: time)
        } else if parts.count != 1 {
            return nil
        }
        guard let level = Int(parts.count == 4 ? parts[2] : parts[0]), (0..<Self.mostLevels).contains(level),
            let root = try? HDF5Object("/", in: file), root.has("s00"), root.has("t00000"),
            let first = try? HDF5Object("/t00000", in: file), first.has("s00")
        else { return nil }
        self.file = file
        self.level = level
        times = root.count { "t" + Self.digits($0, 5) }
        setups = first.count { "s" + Self.digits($0, 2) }
        if name == nil, let levels = try? HDF5Object("/t00000/s00", in: file) {
            coarserLevels = (0..<levels.count { "\($0)" }).dropFirst().map { "\($0)" }
        }
    }

    private static func number(_ letter: Character, _ text: Substring) -> Int? {
        text.first == letter ? Int(text.dropFirst()) : nil
    }

    /// - Throws: `FileFault` where the setup or time must be chosen; `HDF5Refusal`, `HDF5Fault`.
    func volume(_ selection: VolumeSelection, of path: String) throws -> HDF5Volume {
        let chosen = try (named ?? selection).resolved(channels: setups, times: times, of: path)
        let setup = chosen.channel ?? 0
        let name = "/t\(Self.digits(chosen.time ?? 0, 5))/s\(Self.digits(setup, 2))/\(level)/cells"
        var volume = try HDF5Volume(HDF5Dataset(name, in: file))
        volume.format = "BigDataViewer HDF5"
        volume.others = coarserLevels
        volume.companions = [BigDataViewerXML.path(beside: path)]
        (volume.channels, volume.times) = (setups, times)
        // The viewer keeps unsigned values in a signed type.
        volume.type = volume.type.unsigned()
        if let size = BigDataViewerXML.voxelSize(ofSetup: setup, beside: path), let factors = factors(of: setup) {
            volume.voxelSize = StatedVoxelSize(
                VoxelSize(size.in(size.unit).zip(factors, *), size.unit))
        }
        return volume
    }

    /// How many voxels of the full resolution make one of this level, by `s00/resolutions`: a row of x, y, z for
    /// each level.
    private func factors(of setup: Int) -> ZYX<Double>? {
        if level == 0 { return ZYX(repeating: 1) }
        guard let table = try? HDF5Dataset("/s\(Self.digits(setup, 2))/resolutions", in: file),
            table.dimensions.count == 2, table.dimensions[1] == 3, table.dimensions[0] > UInt64(level),
            table.dimensions[0] <= UInt64(Self.mostLevels)
        else { return nil }
        var values = [Double](repeating: 0, count: Int(table.dimensions[0]) * 3)
        guard
            H5Dread(table.handle.id, hdf5_native_double(), hdf5_all(), hdf5_all(), hdf5_default(), &values) >= 0
        else { return nil }
        let row = Array(values[level * 3..<level * 3 + 3])
        return row.allSatisfy { $0 >= 1 && $0.isFinite } ? ZYX(row[2], row[1], row[0]) : nil
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
}
