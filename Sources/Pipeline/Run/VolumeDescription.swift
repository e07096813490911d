import Foundation
import Volumes

/// What `segment info` says of a file.
public struct VolumeDescription: Codable, Sendable {
    var file: String
    var format: String
    var shape: ZYX<Int>
    var elementType: ElementType
    /// Nanometres; an axis that the file does not state is missing.
    var voxelSizeNanometers: [String: Double]
    var voxelSizeUnit: String?
    var chunk: ZYX<Int>
    var compression: String
    var channels: Int
    var times: Int
    /// Of the middle of the first voxel, in nanometres, where the file says it.
    var position: ZYX<Double>?
    /// What people should know, such as a gap in the numbering of sections.
    var notes: [String]
    /// nil where the voxels were not read.
    var minimum: Double?
    var maximum: Double?

    /// Reads the description in a process of its own, since an unknown file may be damaged.
    ///
    /// - Parameter range: whether to read all voxels, for their range.
    public init(of file: String, _ selection: VolumeSelection, range: Bool, executable: String) throws {
        var source = SourceLocation(file, relativeTo: FileManager.default.currentDirectoryPath)
        guard FileManager.default.fileExists(atPath: source.path) else { throw FileFault.unreadable(file) }
        source.selection = selection
        self = try Self.read(source, executable: executable)
        let isChosen = (channels == 1 || selection.channel != nil) && (times == 1 || selection.time != nil)
        guard range, isChosen else { return }
        let inspection = try InspectedFiles.inspect(
            Ingest(source: source, role: .values, voxelSize: nil), voxels: true, executable: executable
        ) { false }
        if let problem = inspection.errors.first { throw FileFault(file, problem) }
        (minimum, maximum) = (inspection.statistics?.minimum, inspection.statistics?.maximum)
    }

    /// - Parameter executable: nil reads in this process.
    static func read(_ source: SourceLocation, executable: String?) throws -> VolumeDescription {
        guard let executable else { return try VolumeDescription(reading: source) }
        let answer = try WorkerOrder.describe(source).run(by: executable, title: source.title)
        return try JSONDecoder().decode(VolumeDescription.self, from: answer)
    }

    /// The volume, or the first of a file that has several channels or time points and none is chosen.
    private static func first(of source: SourceLocation) throws -> any VolumeReader {
        var first = source
        first.selection.channel = source.selection.channel ?? 0
        first.selection.time = source.selection.time ?? 0
        return try first.open()
    }

    init(reading source: SourceLocation) throws {
        let info = try Self.first(of: source).info
        file = source.title
        format = info.format
        shape = info.shape
        elementType = info.elementType
        let sides = Swift.zip(["z", "y", "x"], info.voxelSize.nanometers.array)
        voxelSizeNanometers = Dictionary(
            uniqueKeysWithValues: sides.compactMap { axis, side in side.map { (axis, $0) } })
        voxelSizeUnit = voxelSizeNanometers.isEmpty ? nil : info.voxelSize.unit.rawValue
        chunk = info.chunk
        compression = info.compression
        channels = info.channels
        times = info.times
        position = info.position
        notes = info.notes
    }

    public var json: String {
        get throws { String(decoding: try readableJSON(self), as: UTF8.self) }
    }

    /// Names and values, a line each.
    public var rows: [(String, String)] {
        var rows = [
            ("file", file), ("format", format), ("shape", "\(shape) voxels"), ("type", elementType.rawValue),
            ("voxel size", voxelSizeText), ("chunk", "\(chunk) voxels"), ("compression", compression),
        ]
        if channels > 1 { rows.append(("channels", "\(channels)")) }
        if times > 1 { rows.append(("time points", "\(times)")) }
        if let position {
            rows.append(
                ("position", position.array.map { String(format: "%g", $0) }.joined(separator: ", ") + " nm"))
        }
        if let minimum, let maximum { rows.append(("values", String(format: "%g to %g", minimum, maximum))) }
        return rows + notes.map { ("note", $0) }
    }

    private var voxelSizeText: String {
        let unit = voxelSizeUnit.flatMap(LengthUnit.init(rawValue:)) ?? .nanometer
        func side(_ axis: String) -> String {
            voxelSizeNanometers[axis].map { "\(axis) \(String(format: "%g", $0 / unit.nanometers))" }
                ?? "\(axis) unknown"
        }
        guard !voxelSizeNanometers.isEmpty else { return "not stated" }
        return "\(side("z")) × \(side("y")) × \(side("x")) \(unit.rawValue)"
    }
}
