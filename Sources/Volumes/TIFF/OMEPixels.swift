import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The `Pixels` element of an OME-TIFF's OME-XML (OME data model, 2016-06).
struct OMEPixels {
    /// The data model's names of voxel types.
    static let types: [String: ElementType] = [
        "uint8": .uint8, "int8": .int8, "uint16": .uint16, "int16": .int16, "uint32": .uint32, "int32": .int32,
        "float": .float32, "double": .float64,
    ]

    let sizeZ: Int
    private let sizeY: Int
    private let sizeX: Int
    private let elementType: ElementType?
    private let physicalSize: ZYX<Double?>
    private let unit: LengthUnit
    private let planes: [Planes]

    /// A `TiffData` element: `count` planes from section `firstZ` lie in the directories from `directory` on.
    private struct Planes {
        var firstZ: Int
        var directory: Int
        var count: Int?
    }

    /// - Throws: `FileFault` where the XML is broken, describes several images, channels or times,
    ///   or planes in other files.
    init(xml: String, file: String) throws {
        let elements = try OMEElements(xml: xml, file: file)
        guard let pixels = elements.pixels.first else {
            throw FileFault(file, "has OME-XML without a Pixels element")
        }
        guard elements.pixels.count == 1 else {
            throw FileFault(file, "is an OME-TIFF of \(elements.pixels.count) images; files of one image are read")
        }
        func count(_ key: String) throws -> Int {
            guard let text = pixels[key], let value = Int(text), value > 0, value < 1 << 31 else {
                throw FileFault(file, "has OME-XML with \(key) \(pixels[key] ?? "missing"), expected a count")
            }
            return value
        }
        sizeX = try count("SizeX")
        sizeY = try count("SizeY")
        sizeZ = try count("SizeZ")
        let channels = try count("SizeC")
        let times = try count("SizeT")
        guard channels == 1, times == 1 else {
            throw FileFault(
                file,
                "is an OME-TIFF of order \(pixels["DimensionOrder"] ?? "unknown") with \(channels) channels, "
                    + "\(times) times and \(sizeZ) sections; files of one channel and one time are read")
        }
        elementType = OMEPixels.types[pixels["Type"] ?? ""]

        func nanometers(_ axis: String) -> Double? {
            guard let size = pixels["PhysicalSize" + axis].flatMap(Double.init), size > 0, size.isFinite,
                let factor = nanometersPerUnit(pixels["PhysicalSize\(axis)Unit"] ?? "µm")
            else { return nil }
            return size * factor
        }
        physicalSize = ZYX(nanometers("Z"), nanometers("Y"), nanometers("X")).map { $0.map(roundedToDouble) }
        unit = LengthUnit(spelling: pixels["PhysicalSizeXUnit"] ?? "µm") ?? .micrometer

        planes = try elements.tiffData.map { data in
            func index(_ key: String) throws -> Int? {
                guard let text = data[key] else { return nil }
                guard let value = Int(text), value >= 0, value < 1 << 31 else {
                    throw FileFault(file, "has OME-XML with TiffData \(key) \(text), expected an index")
                }
                return value
            }
            let directory = try index("IFD")
            return Planes(
                firstZ: try index("FirstZ") ?? 0, directory: directory ?? 0,
                count: try index("PlaneCount") ?? (directory == nil ? nil : 1))
        }
    }

    /// The pages in z order, as the `TiffData` elements place them.
    ///
    /// - Throws: `FileFault` where the XML and the pages contradict each other.
    func order(_ pages: [TIFFPage], file: String) throws -> [TIFFPage] {
        let page = pages[0]
        guard page.height == sizeY, page.width == sizeX else {
            throw FileFault(
                file,
                "has OME-XML of y \(sizeY) × x \(sizeX), and pages of y \(page.height) × x \(page.width)")
        }
        if let elementType, elementType != page.elementType {
            throw FileFault(
                file, "has OME-XML of type \(elementType.rawValue), and pages of type \(page.elementType.rawValue)")
        }
        guard pages.count >= sizeZ else {
            throw FileFault(
                file,
                "has OME-XML of \(grouped(sizeZ)) sections, and \(grouped(pages.count)) pages "
                    + "(sections in other files are not read)")
        }
        var order = [TIFFPage?](repeating: nil, count: sizeZ)
        for run in planes.isEmpty ? [Planes(firstZ: 0, directory: 0, count: sizeZ)] : planes {
            // A count beyond the sections covers what is left of them.
            for step in 0..<max(0, min(run.count ?? sizeZ, sizeZ - run.firstZ)) {
                let directory = run.directory + step
                guard directory < pages.count else {
                    throw FileFault(
                        file,
                        "has OME-XML that places section \(run.firstZ + step + 1) in page \(directory + 1), "
                            + "found \(grouped(pages.count)) pages")
                }
                order[run.firstZ + step] = pages[directory]
            }
        }
        if let missing = order.firstIndex(where: { $0 == nil }) {
            throw FileFault(file, "has OME-XML that places section \(missing + 1) of \(sizeZ) in no page")
        }
        return order.compactMap { $0 }
    }

    func voxelSize(otherwise tags: StatedVoxelSize) -> StatedVoxelSize {
        guard physicalSize.array.contains(where: { $0 != nil }) else { return tags }
        return StatedVoxelSize(nanometers: physicalSize.zip(tags.nanometers) { $0 ?? $1 }, unit: unit)
    }
}

/// A product of decimals without the last digits of binary rounding: 0.008 µm is 8 nm.
private func roundedToDouble(_ value: Double) -> Double { Double(String(format: "%.12g", value)) ?? value }

/// The attributes of the elements of an OME-XML that describe where voxels lie.
private final class OMEElements: NSObject, XMLParserDelegate {
    private(set) var pixels: [[String: String]] = []
    private(set) var tiffData: [[String: String]] = []

    init(xml: String, file: String) throws {
        super.init()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.shouldResolveExternalEntities = false
        parser.delegate = self
        guard parser.parse() else {
            throw FileFault(file, "has OME-XML that is broken in line \(parser.lineNumber)")
        }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        switch name.split(separator: ":").last {
        case "Pixels": pixels.append(attributes)
        case "TiffData": tiffData.append(attributes)
        default: break
        }
    }
}
