import CTIFF
import Foundation

/// Writes a stack the way ImageJ's `TiffEncoder` lays it out: the first directory, all sections without gaps, then
/// the other directories. ImageJ reads the sections by the first directory alone, other programs by all of them.
final class ImageJWriter: TIFFPageWriter {
    private let file: OutputFile
    private let shape: ZYX<Int>
    private let elementType: ElementType
    private let voxelSize: VoxelSize?
    private let layout: Layout
    private var largest = -Double.infinity
    private var smallest = Double.infinity

    /// Where the parts lie; all of it is known before the first voxel.
    private struct Layout {
        static let directory = 8
        /// The description's place: its text is known only when all voxels are, so its room is reserved.
        static let descriptionRoom = 256
        let resolutions: Int
        let description: Int
        let data: Int
        let laterDirectories: Int
        let laterDirectorySize: Int
        let end: Int

        init(shape: ZYX<Int>, elementType: ElementType, hasResolution: Bool) {
            let entries = hasResolution ? 14 : 11
            resolutions = Layout.directory + Layout.size(entries: entries)
            description = resolutions + 16
            data = description + Layout.descriptionRoom
            laterDirectories = data + (shape.count * elementType.size + 1) / 2 * 2
            laterDirectorySize = Layout.size(entries: entries - 1)
            end = laterDirectories + (shape.z - 1) * laterDirectorySize
        }

        static func size(entries: Int) -> Int { 2 + 12 * entries + 4 }
    }

    static let types: [ElementType] = [.uint8, .uint16, .float32]

    /// Whether such a volume stays below the 4 GB of a classic TIFF.
    static func fits(_ shape: ZYX<Int>, _ elementType: ElementType) -> Bool {
        let bytes = shape.array.reduce(Double(elementType.size)) { $0 * Double($1) }
        return bytes < 0x1p33
            && Layout(shape: shape, elementType: elementType, hasResolution: true).end <= Int(UInt32.max)
    }

    init(path: String, shape: ZYX<Int>, elementType: ElementType, voxelSize: VoxelSize?) throws {
        guard ImageJWriter.types.contains(elementType) else {
            throw FileFault(path, "ImageJ's TIFF holds uint8, uint16 or float32, not \(elementType.rawValue)")
        }
        guard ImageJWriter.fits(shape, elementType) else {
            throw FileFault(path, "\(shape) of \(elementType.rawValue) do not fit into the 4 GB of ImageJ's TIFF")
        }
        self.shape = shape
        self.elementType = elementType
        self.voxelSize = voxelSize
        layout = Layout(shape: shape, elementType: elementType, hasResolution: voxelSize != nil)
        file = try OutputFile(path: path)
    }

    func write(_ page: UnsafeRawBufferPointer, section: Int) throws {
        switch elementType {
        case .uint8: include(page.bindMemory(to: UInt8.self))
        case .uint16: include(page.bindMemory(to: UInt16.self))
        default: include(page.bindMemory(to: Float.self))
        }
        try file.write(page, at: layout.data + section * page.count)
    }

    private func include<Element: VoxelElement>(_ values: UnsafeBufferPointer<Element>) {
        var low: Element?
        var high: Element?
        // A value that is not equal to itself is not a number.
        for value in values where value == value {
            if low.map({ value < $0 }) ?? true { low = value }
            if high.map({ value > $0 }) ?? true { high = value }
        }
        smallest = min(smallest, low?.double ?? smallest)
        largest = max(largest, high?.double ?? largest)
    }

    func finish() throws {
        var head: [UInt8] = Array("II".utf8)
        head.append(UInt16(42))
        head.append(UInt32(Layout.directory))
        head += directory(section: 0)
        if let voxelSize {
            let size = voxelSize.in(unit)
            for value in [size.x, size.y] {
                let (pixels, length) = fraction(1 / value)
                head.append(pixels)
                head.append(length)
            }
        }
        head += [UInt8](repeating: 0, count: layout.description - head.count)
        head += description
        try file.write(head, at: 0)

        var tail: [UInt8] = []
        tail.reserveCapacity(layout.end - layout.laterDirectories)
        for section in 1..<max(1, shape.z) { tail += directory(section: section) }
        try file.write(tail, at: layout.laterDirectories)
        try file.finish()
    }

    /// ImageJ has no ångström.
    private var unit: LengthUnit { voxelSize.map { $0.unit == .angstrom ? .nanometer : $0.unit } ?? .nanometer }

    /// The description, padded with line ends, which ImageJ and others skip, to the room it has.
    private var description: [UInt8] {
        var lines = ["ImageJ=1.54f", "images=\(shape.z)", "slices=\(shape.z)"]
        if let voxelSize {
            lines += ["unit=\(unit == .micrometer ? "micron" : unit.rawValue)", "spacing=\(voxelSize.in(unit).z)"]
        }
        lines.append("loop=false")
        if largest.isFinite {
            // Integers are shown from 0, so that the background of labels is black.
            lines += ["min=\(elementType == .float32 ? smallest : 0)", "max=\(largest)"]
        }
        var bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        bytes += [UInt8](repeating: UInt8(ascii: "\n"), count: Layout.descriptionRoom - 1 - bytes.count)
        return bytes + [0]
    }

    private func directory(section: Int) -> [UInt8] {
        let pageBytes = shape.y * shape.x * elementType.size
        var entries: [(tag: Int32, type: TIFFDataType, count: Int, value: Int)] = [
            (TIFFTAG_SUBFILETYPE, TIFF_LONG, 1, 0),
            (TIFFTAG_IMAGEWIDTH, TIFF_LONG, 1, shape.x),
            (TIFFTAG_IMAGELENGTH, TIFF_LONG, 1, shape.y),
            (TIFFTAG_BITSPERSAMPLE, TIFF_SHORT, 1, 8 * elementType.size),
            (TIFFTAG_COMPRESSION, TIFF_SHORT, 1, Int(COMPRESSION_NONE)),
            (TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, Int(PHOTOMETRIC_MINISBLACK)),
        ]
        if section == 0 {
            entries.append((TIFFTAG_IMAGEDESCRIPTION, TIFF_ASCII, Layout.descriptionRoom, layout.description))
        }
        entries += [
            (TIFFTAG_STRIPOFFSETS, TIFF_LONG, 1, layout.data + section * pageBytes),
            (TIFFTAG_ROWSPERSTRIP, TIFF_LONG, 1, shape.y),
            (TIFFTAG_STRIPBYTECOUNTS, TIFF_LONG, 1, pageBytes),
        ]
        if voxelSize != nil {
            entries += [
                (TIFFTAG_XRESOLUTION, TIFF_RATIONAL, 1, layout.resolutions),
                (TIFFTAG_YRESOLUTION, TIFF_RATIONAL, 1, layout.resolutions + 8),
                // None: the unit is in the description.
                (TIFFTAG_RESOLUTIONUNIT, TIFF_SHORT, 1, Int(RESUNIT_NONE)),
            ]
        }
        let format = elementType == .float32 ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT
        entries.append((TIFFTAG_SAMPLEFORMAT, TIFF_SHORT, 1, Int(format)))

        var bytes: [UInt8] = []
        bytes.append(UInt16(entries.count))
        for entry in entries {
            bytes.append(UInt16(entry.tag))
            bytes.append(UInt16(entry.type.rawValue))
            bytes.append(UInt32(entry.count))
            // In little endian a short fills the front of its four bytes as it should.
            bytes.append(UInt32(entry.value))
        }
        let isLast = section == shape.z - 1
        bytes.append(isLast ? 0 : UInt32(layout.laterDirectories + section * layout.laterDirectorySize))
        return bytes
    }
}

/// The fraction of 32-bit numbers nearest to a positive value, by its continued fraction.
func fraction(_ value: Double) -> (numerator: UInt32, denominator: UInt32) {
    let limit = Double(UInt32.max)
    guard value.isFinite, value > 0, value <= limit else { return (value > limit ? .max : 0, 1) }
    var (numerator, denominator) = (1.0, 0.0)
    var (lastNumerator, lastDenominator) = (0.0, 1.0)
    var rest = value
    while true {
        let whole = rest.rounded(.down)
        let next = (whole * numerator + lastNumerator, whole * denominator + lastDenominator)
        if next.0 > limit || next.1 > limit { break }
        (lastNumerator, lastDenominator) = (numerator, denominator)
        (numerator, denominator) = next
        if abs(numerator / denominator - value) <= value * 1e-12 || rest == whole { break }
        rest = 1 / (rest - whole)
    }
    return (UInt32(numerator), UInt32(max(denominator, 1)))
}
