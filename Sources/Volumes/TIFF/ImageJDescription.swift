import Foundation

/// The lines `key=value` that ImageJ writes into a TIFF's ImageDescription (its `FileSaver` and `TiffDecoder`).
struct ImageJDescription {
    private let values: [String: String]

    init(_ text: String) {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let value = line[line.index(after: equals)...]
            values[String(line[..<equals])] = value.trimmingCharacters(in: .whitespaces)
        }
        self.values = values
    }

    /// Channels run fastest, then slices, then frames. ImageJ leaves out `slices` where `images` says it all.
    ///
    /// - Throws: `FileFault` where the counts contradict each other.
    func dimensions(pages: Int, file: String) throws -> TIFFDimensions {
        let channels = count("channels") ?? 1
        let frames = count("frames") ?? 1
        let images = count("images") ?? count("slices") ?? pages
        let (planes, overflow) = channels.multipliedReportingOverflow(by: frames)
        if !overflow, planes <= images, images % planes == 0,
            (count("slices") ?? images / planes) == images / planes
        {
            return TIFFDimensions(sections: images / planes, channels: channels, times: frames)
        }
        // One that is no hyperstack is its images, whatever `slices` says.
        if channels == 1 && frames == 1 { return TIFFDimensions(sections: images) }
        throw FileFault(
            file,
            "says it is an ImageJ hyperstack of \(channels) channels, \(count("slices") ?? 1) slices and "
                + "\(frames) frames in \(images) images")
    }

    /// ImageJ reads its counts as floating-point numbers.
    private func count(_ key: String) -> Int? {
        guard let value = values[key].flatMap(Double.init), value >= 1 else { return nil }
        return Int(exactly: value.rounded(.towardZero))
    }

    /// Widths and heights come from the resolution tags, in the unit that the description names.
    func voxelSize(_ resolution: TIFFResolution) -> StatedVoxelSize {
        let unit = values["unit"] ?? ""
        func nanometers(_ size: Double?, _ unit: String) -> Double? {
            guard let size, size.isFinite, size != 0, let factor = nanometersPerUnit(unit) else { return nil }
            return roundedToSingle(abs(size) * factor)
        }
        let size = ZYX(
            z: nanometers(values["spacing"].flatMap(Double.init), values["zunit"] ?? unit),
            y: nanometers(resolution.y.map { 1 / $0 }, values["yunit"] ?? unit),
            x: nanometers(resolution.x.map { 1 / $0 }, unit))
        guard size.array.contains(where: { $0 != nil }) else { return .none }
        return StatedVoxelSize(nanometers: size, unit: LengthUnit(spelling: unit) ?? .micrometer)
    }
}
