import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The elements of an OME-XML that describe where voxels lie.
final class OMEDocument: NSObject, XMLParserDelegate {
    struct TiffData {
        var attributes: [String: String]
        /// The file that a `UUID` element within names, and that file's identifier.
        var file: String?
        var uuid: String?
    }

    /// The attributes of each `Pixels` element.
    private(set) var pixels: [[String: String]] = []
    private(set) var tiffData: [TiffData] = []
    /// The identifier of the file that holds the XML.
    private(set) var uuid: String?
    /// The file that holds the metadata instead of this one.
    private(set) var metadataFile: String?
    /// The companion file that this is, where it is one.
    private(set) var path: String?
    private var isInUUID = false

    /// The document of a file's own XML, or the companion file that it refers to.
    ///
    /// - Throws: `FileFault` where the XML is broken or the companion is not there.
    static func resolved(xml: String, file: String) throws -> OMEDocument {
        let own = try OMEDocument(xml: xml, file: file)
        guard let name = own.metadataFile else { return own }
        let path = try besideFile(file, name)
        guard isRegularFile(path) else {
            throw FileFault(file, "has its OME-XML in \(name), which is not beside it")
        }
        let companion = try ReadableFile(path)
        guard companion.size <= greatestCompanion else {
            throw FileFault(path, "is no OME-XML: it has \(grouped(companion.size)) bytes")
        }
        let bytes = try companion.read(companion.size, at: 0)
        guard !bytes.starts(with: "II".utf8), !bytes.starts(with: "MM".utf8) else {
            throw FileFault(file, "has its OME-XML in \(name); open that file instead")
        }
        let document = try OMEDocument(xml: String(decoding: bytes, as: UTF8.self), file: path)
        document.path = path
        return document
    }

    private static let greatestCompanion = 64 << 20

    private init(xml: String, file: String) throws {
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
        case "OME": uuid = attributes["UUID"]
        case "BinaryOnly": metadataFile = attributes["MetadataFile"]
        case "Pixels": pixels.append(attributes)
        case "TiffData": tiffData.append(TiffData(attributes: attributes))
        case "UUID" where !tiffData.isEmpty:
            tiffData[tiffData.count - 1].file = attributes["FileName"]
            isInUUID = true
        default: break
        }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        guard isInUUID else { return }
        let last = tiffData.count - 1
        tiffData[last].uuid = (tiffData[last].uuid ?? "") + text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
        if name.split(separator: ":").last == "UUID" { isInUUID = false }
    }
}
