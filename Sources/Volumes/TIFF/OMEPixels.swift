import Foundation

/// The `Pixels` element of an OME-TIFF's OME-XML (OME data model, 2016-06).
struct OMEPixels {
    /// The data model's names of voxel types.
    static let types: [String: ElementType] = [
        "uint8": .uint8, "int8": .int8, "uint16": .uint16, "int16": .int16, "uint32": .uint32, "int32": .int32,
        "float": .float32, "double": .float64,
    ]
    /// More planes than this are not looked for.
    private static let greatestPlaneCount = 1 << 22

    private let size: ZYX<Int>
    private let channels: Int
    private let times: Int
    private let order: [TIFFDimensions.Axis]
    private let elementType: ElementType?
    private let physicalSize: ZYX<Double?>
    private let unit: LengthUnit
    private let runs: [Run]

    /// A `TiffData` element: `count` planes, in the dimensions' order, from one plane on, lie in the directories of a
    /// file from `directory` on.
    private struct Run {
        var section: Int
        var channel: Int
        var time: Int
        var directory: Int
        /// Nil: all that are left.
        var count: Int?
        /// Nil: the file that holds the XML.
        var file: String?
    }

    /// Where a plane lies.
    struct Place: Equatable {
        /// A name in the same folder; nil for the file that holds the XML.
        var file: String?
        var directory: Int
    }

    /// The companion file that says all this, where there is one.
    let companion: String?

    /// - Throws: `FileFault` where the XML is broken or describes several images.
    init(xml: String, file: String) throws {
        let document = try OMEDocument.resolved(xml: xml, file: file)
        guard let pixels = document.pixels.first else {
            throw FileFault(file, "has OME-XML without a Pixels element")
        }
        guard document.pixels.count == 1 else {
            throw FileFault(
                file,
                "is an OME-TIFF of \(document.pixels.count) images, of which none can be chosen; "
                    + conversionAdvice(file))
        }
        func count(_ key: String) throws -> Int {
            guard let text = pixels[key], let value = Int(text), value > 0, value < 1 << 31 else {
                throw FileFault(file, "has OME-XML with \(key) \(pixels[key] ?? "missing"), expected a count")
            }
            return value
        }
        companion = document.path
        size = ZYX(try count("SizeZ"), try count("SizeY"), try count("SizeX"))
        channels = try count("SizeC")
        times = try count("SizeT")
        order = try OMEPixels.order(pixels["DimensionOrder"] ?? "XYZCT", file: file)
        elementType = OMEPixels.types[pixels["Type"] ?? ""]

        func nanometers(_ axis: String) -> Double? {
            guard let size = pixels["PhysicalSize" + axis].flatMap(Double.init), size > 0, size.isFinite,
                let factor = nanometersPerUnit(pixels["PhysicalSize\(axis)Unit"] ?? "µm")
            else { return nil }
            return size * factor
        }
        physicalSize = ZYX(nanometers("Z"), nanometers("Y"), nanometers("X")).map { $0.map(roundedToDouble) }
        unit = LengthUnit(spelling: pixels["PhysicalSizeXUnit"] ?? "µm") ?? .micrometer

        let ownName = (file as NSString).lastPathComponent
        runs = try document.tiffData.map { data in
            func index(_ key: String) throws -> Int? {
                guard let text = data.attributes[key] else { return nil }
                guard let value = Int(text), value >= 0, value < 1 << 31 else {
                    throw FileFault(file, "has OME-XML with TiffData \(key) \(text), expected an index")
                }
                return value
            }
            let directory = try index("IFD")
            let isOwn = data.file == nil || data.file == ownName || data.uuid.map { $0 == document.uuid } ?? false
            return Run(
                section: try index("FirstZ") ?? 0, channel: try index("FirstC") ?? 0,
                time: try index("FirstT") ?? 0, directory: directory ?? 0,
                count: try index("PlaneCount") ?? (directory == nil ? nil : 1), file: isOwn ? nil : data.file)
        }
    }

    private static func order(_ text: String, file: String) throws -> [TIFFDimensions.Axis] {
        let axes: [Character: TIFFDimensions.Axis] = ["Z": .section, "C": .channel, "T": .time]
        let order = text.dropFirst(2).compactMap { axes[$0] }
        guard text.hasPrefix("XY"), text.count == 5, Set(order).count == 3 else {
            throw FileFault(file, "has OME-XML with DimensionOrder \(text), expected one like XYZCT")
        }
        return order
    }

    /// `SizeC` counts the samples of a pixel too.
    func dimensions(samples: Int, file: String) throws -> TIFFDimensions {
        guard channels % samples == 0 else {
            throw FileFault(file, "has OME-XML of \(channels) channels, and pages of \(samples) samples a pixel")
        }
        let dimensions = TIFFDimensions(
            sections: size.z, channels: channels / samples, times: times, order: order)
        guard let pages = dimensions.pages, pages <= OMEPixels.greatestPlaneCount else {
            throw FileFault(file, "has OME-XML of \(dimensions.summary), more than are read")
        }
        return dimensions
    }

    /// Checks that the XML describes pages like `page`.
    func check(_ page: TIFFPage, file: String) throws {
        guard page.shape.y == size.y, page.shape.x == size.x else {
            throw FileFault(
                file,
                "has OME-XML of y \(size.y) × x \(size.x), and pages of y \(page.shape.y) × x \(page.shape.x)")
        }
        let found = page.sample.elementType
        if let elementType, elementType != found, page.sample.isElement {
            throw FileFault(
                file, "has OME-XML of type \(elementType.rawValue), and pages of type \(found.rawValue)")
        }
    }

    /// Where the sections of one channel at one time lie, in z order, as the `TiffData` elements place them.
    ///
    /// - Throws: `FileFault` where some section is placed nowhere.
    func places(
        _ dimensions: TIFFDimensions, channel: Int, time: Int, samples: Int, file: String
    ) throws -> [Place] {
        let total = dimensions.pages ?? 0
        var places = [Place?](repeating: nil, count: dimensions.sections)
        var sections: [Int: Int] = [:]
        for z in places.indices { sections[dimensions.page(section: z, channel: channel, time: time)] = z }
        // Elements that name planes again and again would take long to follow.
        var steps = 2 * total + 1_000
        for run in runs.isEmpty ? [Run(section: 0, channel: 0, time: 0, directory: 0)] : runs {
            let runChannel = run.channel < dimensions.channels ? run.channel : run.channel / samples
            guard run.section < dimensions.sections, runChannel < dimensions.channels, run.time < dimensions.times
            else { continue }
            let first = dimensions.page(section: run.section, channel: runChannel, time: run.time)
            // A count beyond the planes covers what is left of them.
            let count = min(run.count ?? total, total - first)
            steps -= count
            guard steps > 0 else { throw FileFault(file, "has OME-XML that places planes many times over") }
            for step in 0..<count {
                guard let z = sections[first + step] else { continue }
                places[z] = Place(file: run.file, directory: run.directory + step)
            }
        }
        if let missing = places.firstIndex(where: { $0 == nil }) {
            throw FileFault(
                file, "has OME-XML that places section \(missing + 1) of \(dimensions.sections) in no page")
        }
        return places.compactMap { $0 }
    }

    func voxelSize(otherwise tags: StatedVoxelSize) -> StatedVoxelSize {
        guard physicalSize.array.contains(where: { $0 != nil }) else { return tags }
        return StatedVoxelSize(nanometers: physicalSize.zip(tags.nanometers) { $0 ?? $1 }, unit: unit)
    }
}

/// A product of decimals without the last digits of binary rounding: 0.008 µm is 8 nm.
private func roundedToDouble(_ value: Double) -> Double { Double(String(format: "%.12g", value)) ?? value }
