import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The XML beside a BigDataViewer file, of the same name: `ViewSetup` elements with an `id` and a `voxelSize`, whose
/// `size` is x, y, z.
enum BigDataViewerXML {
    private static let longest = 1 << 24

    static func path(beside path: String) -> String { (path as NSString).deletingPathExtension + ".xml" }

    /// Nil where there is no such file or it does not say.
    static func voxelSize(ofSetup setup: Int, beside path: String) -> VoxelSize? {
        guard let file = try? ReadableFile(Self.path(beside: path)), file.size <= longest,
            let bytes = try? file.read(file.size, at: 0)
        else { return nil }
        let elements = SetupElements(setup)
        let parser = XMLParser(data: Data(bytes))
        parser.shouldResolveExternalEntities = false
        parser.delegate = elements
        guard parser.parse(), let unit = LengthUnit(spelling: elements.unit) else { return nil }
        let values = elements.size.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard values.count == 3, values.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
        return VoxelSize(ZYX(values[2], values[1], values[0]), unit)
    }
}

/// Collects the text of one setup's `voxelSize`.
private final class SetupElements: NSObject, XMLParserDelegate {
    private(set) var unit = ""
    private(set) var size = ""
    private let setup: String
    private var path: [String] = []
    private var id = ""
    private var text = ""

    init(_ setup: Int) { self.setup = String(setup) }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        path.append(name)
        text = ""
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        switch path.suffix(3).joined(separator: "/") {
        case let path where path.hasSuffix("/ViewSetup/id"): id = text
        case "ViewSetup/voxelSize/unit" where id == setup: unit = text
        case "ViewSetup/voxelSize/size" where id == setup: size = text
        default: break
        }
        path.removeLast()
        self.text = ""
    }
}
