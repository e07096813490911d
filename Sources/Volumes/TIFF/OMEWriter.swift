import CTIFF
import Foundation

/// Writes an OME-TIFF (OME data model, 2016-06): deflate compressed strips, the OME-XML in the first page.
final class OMEWriter: TIFFPageWriter {
    private let file: OutputFile
    private let shape: ZYX<Int>
    private let elementType: ElementType
    private let voxelSize: VoxelSize?
    private let pixelType: String
    /// nil once it is closed.
    private var handle: TIFFHandle?

    /// The size of a strip before compression.
    private static let stripBytes = 1 << 18

    init(path: String, shape: ZYX<Int>, elementType: ElementType, voxelSize: VoxelSize?) throws {
        guard let pixelType = OMEPixels.types.first(where: { $0.value == elementType })?.key else {
            throw FileFault(path, "OME-TIFF has no type for \(elementType.rawValue)")
        }
        self.pixelType = pixelType
        self.shape = shape
        self.elementType = elementType
        self.voxelSize = voxelSize
        file = try OutputFile(path: path)
        let bytes = shape.array.reduce(Double(elementType.size)) { $0 * Double($1) }
        // Deflate may grow what it cannot compress, and the directories take their room too.
        let isBig = bytes * 1.01 + Double(shape.z) * 1024 >= 0x1p32
        handle = try TIFFHandle(writing: path, descriptor: dup(file.descriptor), big: isBig)
    }

    func write(_ page: UnsafeRawBufferPointer, section: Int) throws {
        guard let handle else { return }
        let rowBytes = shape.x * elementType.size
        let rows = max(1, min(shape.y, OMEWriter.stripBytes / rowBytes))
        setTags(handle, rowsPerStrip: rows, isFirst: section == 0)
        var strip: UInt32 = 0
        for row in stride(from: 0, to: shape.y, by: rows) {
            let part = page[row * rowBytes..<min(row + rows, shape.y) * rowBytes]
            let bytes = UnsafeMutableRawPointer(mutating: page.baseAddress! + part.startIndex)
            try check(handle) { TIFFWriteEncodedStrip($0, strip, bytes, tmsize_t(part.count)) >= 0 }
            strip += 1
        }
        try check(handle) { TIFFWriteDirectory($0) != 0 }
    }

    func finish() throws {
        handle = nil
        try file.finish()
    }

    private func setTags(_ handle: TIFFHandle, rowsPerStrip: Int, isFirst: Bool) {
        let tiff = handle.pointer
        let format =
            switch elementType {
            case .float32, .float64: SAMPLEFORMAT_IEEEFP
            case .int8, .int16, .int32, .int64: SAMPLEFORMAT_INT
            default: SAMPLEFORMAT_UINT
            }
        let values32 = [
            (TIFFTAG_IMAGEWIDTH, shape.x), (TIFFTAG_IMAGELENGTH, shape.y), (TIFFTAG_ROWSPERSTRIP, rowsPerStrip),
        ]
        let values16 = [
            (TIFFTAG_BITSPERSAMPLE, Int32(8 * elementType.size)), (TIFFTAG_SAMPLESPERPIXEL, 1),
            (TIFFTAG_SAMPLEFORMAT, format), (TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK),
            (TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG), (TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE),
        ]
        for (tag, value) in values32 { _ = ctiff_set_uint32(tiff, UInt32(tag), UInt32(value)) }
        for (tag, value) in values16 { _ = ctiff_set_uint16(tiff, UInt32(tag), UInt16(value)) }
        if let voxelSize {
            let nanometers = voxelSize.nanometers
            _ = ctiff_set_double(tiff, UInt32(TIFFTAG_XRESOLUTION), 1e7 / nanometers.x)
            _ = ctiff_set_double(tiff, UInt32(TIFFTAG_YRESOLUTION), 1e7 / nanometers.y)
            _ = ctiff_set_uint16(tiff, UInt32(TIFFTAG_RESOLUTIONUNIT), UInt16(RESUNIT_CENTIMETER))
        }
        if isFirst { _ = ctiff_set_string(tiff, UInt32(TIFFTAG_IMAGEDESCRIPTION), xml) }
    }

    private func check(_ handle: TIFFHandle, _ operation: (OpaquePointer) -> Bool) throws {
        handle.clearMessage()
        errno = 0
        if operation(handle.pointer) { return }
        let code = errno
        let problem = code != 0 ? systemReason(code) : handle.problem(otherwise: "unknown error")
        throw FileFault(file.path, "cannot be written: \(problem)")
    }

    private var xml: String {
        let namespace = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
        var sizes = ""
        if let voxelSize {
            // Micrometres are the default unit; leaving it out keeps the text ASCII, as TIFF wants it.
            let unit: LengthUnit = voxelSize.unit == .angstrom ? .nanometer : voxelSize.unit
            let spelling = unit == .micrometer ? nil : unit.rawValue
            for (axis, size) in zip(["Z", "Y", "X"], voxelSize.in(unit).array).reversed() {
                sizes += " PhysicalSize\(axis)=\"\(size)\""
                if let spelling { sizes += " PhysicalSize\(axis)Unit=\"\(spelling)\"" }
            }
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>\
            <OME xmlns="\(namespace)" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
            xsi:schemaLocation="\(namespace) \(namespace)/ome.xsd">\
            <Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="\(pixelType)" \
            SizeX="\(shape.x)" SizeY="\(shape.y)" SizeZ="\(shape.z)" SizeC="1" SizeT="1"\(sizes)>\
            <Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>
            """
    }
}
