import Foundation
import Volumes

/// What `segment info` says of a file.
public struct VolumeDescription: Codable, Sendable {
    var file: String
    /// Which volume of the file it is, as a colon names it; nil where a file holds one.
    var volume: String?
    /// What else the file holds: other datasets, levels, labels.
    var others: [String]
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
    /// Which of several was chosen; the values are of the first time point where none was.
    var channel: Int?
    var time: Int?
    /// Of the middle of the first voxel, in nanometres, where the file says it.
    var position: ZYX<Double>?
    /// Where x, y and z lead, as in `LPS`, where the file says it.
    var axes: String?
    /// What people should know, such as a gap in the numbering of sections.
    var notes: [String]
    /// Of the one channel there is, or that was chosen; nil where its voxels were not read or none is a number.
    var minimum: Double?
    var maximum: Double?
    /// Of each channel, where there are several and none was chosen.
    var channelValues: [ValueRange]?

    /// More channels are read one at a time, when they are asked for.
    private static let mostChannels = 16

    /// Reads the description in a process of its own, since an unknown file may be damaged.
    ///
    /// - Parameters:
    ///   - values: whether to read all voxels, for their range.
    ///   - shouldStop: whether the user asked to stop.
    ///   - report: how far it is, from 0 to 1.
    /// - Throws: `FileFault`; ``Interruption`` where the user asked to stop.
    public init(
        of file: String, _ selection: VolumeSelection, values: Bool, executable: String,
        shouldStop: @escaping () -> Bool = { false }, report: @escaping (Double) -> Void = { _ in }
    ) throws {
        var source = SourceLocation(file, relativeTo: FileManager.default.currentDirectoryPath)
        try source.checkIsThere()
        source.selection = selection
        self = try Self.read(
            source, values: values, executable: executable, shouldStop: shouldStop, report: report)
    }

    /// - Parameter executable: nil reads in this process.
    static func read(
        _ source: SourceLocation, values: Bool, executable: String?, shouldStop: @escaping () -> Bool = { false },
        report: @escaping (Double) -> Void = { _ in }
    ) throws -> VolumeDescription {
        guard let executable else { return try VolumeDescription(reading: source, values: values) }
        let answer = try WorkerOrder.describe(source, values: values).run(
            by: executable, title: source.title, shouldStop: shouldStop, report: report)
        return try JSONDecoder().decode(VolumeDescription.self, from: answer)
    }

    init(reading source: SourceLocation, values: Bool, report: (Double) throws -> Void = { _ in }) throws {
        let reader = try source.openFirst()
        let info = reader.info
        file = source.title
        volume = VolumeFile.split(info.source).dataset
        others = info.others
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
        channel = channels > 1 ? source.selection.channel : nil
        time = times > 1 ? source.selection.time ?? 0 : nil
        position = info.position
        axes = info.frame?.axes
        notes = info.notes
        if values {
            try VolumeLimit.check(shape, of: source.title)
            try readValues(reader, source, report)
        }
    }

    private mutating func readValues(
        _ reader: any VolumeReader, _ source: SourceLocation, _ report: (Double) throws -> Void
    ) throws {
        guard channels > 1, source.selection.channel == nil else {
            let range = try source.named {
                try ValueRange(of: reader, channel: source.selection.channel ?? 0, report: report)
            }
            (minimum, maximum) = (range.minimum, range.maximum)
            range.problem.map { notes.append($0) }
            return
        }
        guard channels <= Self.mostChannels else { return }
        channelValues = try (0..<channels).map { channel in
            var chosen = source
            chosen.selection.channel = channel
            let reader = try chosen.openFirst()
            return try source.named {
                try ValueRange(of: reader, channel: channel) {
                    try report((Double(channel) + $0) / Double(channels))
                }
            }
        }
    }

    /// With the names that `segment check --json` has for the same things; lists are z, y, x.
    public var json: String {
        get throws {
            struct Answer: Encodable {
                let file: String
                let volume: String?
                let others: [String]
                let format, type: String
                let shape, chunk: [Int]
                let voxelSizeNanometers: [Double?]
                let voxelSize: String
                let positionNanometers: [Double]?
                let axes: String?
                let compression: String
                let channels, times: Int
                let channel, time: Int?
                let minimum, maximum: Double?
                let channelValues: [ValueRange]?
                let notes: [String]
            }
            let answer = Answer(
                file: file, volume: volume, others: others, format: format, type: elementType.rawValue,
                shape: shape.array, chunk: chunk.array,
                voxelSizeNanometers: ["z", "y", "x"].map { voxelSizeNanometers[$0] },
                voxelSize: voxelSizeText(unit), positionNanometers: position?.array, axes: axes,
                compression: compression,
                channels: channels, times: times, channel: channel, time: time, minimum: minimum, maximum: maximum,
                channelValues: channelValues, notes: notes)
            return String(decoding: try readableJSON(answer, keys: .convertToSnakeCase), as: UTF8.self)
        }
    }

    private var unit: LengthUnit { voxelSizeUnit.flatMap(LengthUnit.init(rawValue:)) ?? .nanometer }

    /// Names and values, a line each.
    public var rows: [(String, String)] {
        var rows = [("file", file), ("format", format)]
        if let volume { rows.append(("volume", volume + alsoThere)) }
        rows += [
            ("shape", "\(shape) voxels"), ("type", elementType.rawValue), ("voxel size", voxelSizeText(unit)),
            ("chunk", "\(chunk) voxels"), ("compression", compression),
        ]
        if channels > 1 { rows.append(("channels", "\(channels)")) }
        if times > 1 { rows.append(("time points", "\(times)")) }
        if let position { rows.append(("position", position.place(unit: unit))) }
        if let axes { rows.append(("axes", "x, y, z lead to \(axes)")) }
        let chosen = [channel.map { "channel \($0)" }, time.map { "time \($0)" }].compactMap { $0 }
        let of = chosen.isEmpty ? "" : " (\(chosen.joined(separator: ", ")))"
        if let minimum, let maximum { rows.append(("values", ValueRange.text(minimum, maximum) + of)) }
        for range in channelValues ?? [] { rows.append(("channel \(range.channel)", range.text + of)) }
        if channels > Self.mostChannels, channel == nil {
            rows.append(("values", "of so many channels --channel 0 to --channel \(channels - 1) read one"))
        }
        return rows + notes.map { ("note", $0) }
    }

    private var alsoThere: String {
        let shown = others.prefix(10).joined(separator: ", ")
        let rest = others.count > 10 ? " and \(others.count - 10) more" : ""
        return others.isEmpty ? "" : " (there are also \(shown)\(rest))"
    }

    private func voxelSizeText(_ unit: LengthUnit) -> String {
        let axes = ZYX("z", "y", "x")
        let stated = StatedVoxelSize(nanometers: axes.map { voxelSizeNanometers[$0] }, unit: unit)
        guard stated.missingAxes.count < 3 else { return "not stated" }
        let missing = stated.missingAxes.joined(separator: " and ")
        return missing.isEmpty ? "\(stated)" : "\(stated), \(missing) not stated"
    }
}

/// The least and the largest value of a channel.
struct ValueRange: Codable, Sendable {
    var channel: Int
    /// nil where no value is a number.
    var minimum: Double?
    var maximum: Double?
    /// Of values that are no numbers.
    var problem: String?

    /// Reads a whole volume, a few chunks at a time.
    init(of reader: any VolumeReader, channel: Int, report: (Double) throws -> Void) throws {
        self.channel = channel
        var statistics = VolumeStatistics()
        let parts = reader.info.parts
        for (index, part) in parts.enumerated() {
            try report(Double(index) / Double(parts.count))
            let voxels = try reader.read(part)
            guard let place = statistics.add(voxels) else { continue }
            problem = problem ?? "holds NaN or infinity, first at \((part.origin + place).place)"
            let finite = try voxels.converted(to: Double.self).voxels.filter(\.isFinite)
            _ = statistics.add(VoxelBuffer(Volume(shape: ZYX(1, 1, finite.count), voxels: finite)))
        }
        let summary = statistics.summary
        if summary.minimum <= summary.maximum { (minimum, maximum) = (summary.minimum, summary.maximum) }
    }

    var text: String {
        let range = minimum.flatMap { low in maximum.map { Self.text(low, $0) } }
        return [range, problem].compactMap { $0 }.joined(separator: "; ")
    }

    static func text(_ minimum: Double, _ maximum: Double) -> String { "\(figure(minimum)) to \(figure(maximum))" }

    /// Whole numbers to their last digit.
    private static func figure(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 0x1p53 ? String(Int(value)) : String(format: "%g", value)
    }
}
