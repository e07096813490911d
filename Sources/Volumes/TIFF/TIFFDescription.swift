import Foundation

/// What the first page's ImageDescription says of a stack, by the program that wrote it.
enum TIFFDescription {
    case imageJ(ImageJDescription)
    case ome(OMEPixels)
    /// tifffile's `{"shape": […]}`, the shape of the whole array.
    case shaped(sections: Int)
    case plain

    /// - Throws: `FileFault` where it says that the pages have a channel or time axis, or contradicts itself.
    init(_ text: String, first page: TIFFPage, file: String) throws {
        if text.hasPrefix("ImageJ=") {
            self = .imageJ(try ImageJDescription(text, file: file))
        } else if text.contains("<OME") || text.contains(":OME ") {
            self = .ome(try OMEPixels(xml: text, file: file))
        } else if text.hasPrefix("{\"shape\":"), let leading = TIFFDescription.leadingAxes(json: text, of: page) {
            guard leading.filter({ $0 != 1 }).count <= 1 else {
                throw FileFault(
                    file, "holds an array with axes of \(leading) before y and x; one axis of sections is read")
            }
            self = .shaped(sections: leading.reduce(1, *))
        } else {
            self = .plain
        }
    }

    /// How many sections the stack has, where that is said.
    var sections: Int? {
        switch self {
        case .imageJ(let description): description.images
        case .ome(let pixels): pixels.sizeZ
        case .shaped(let sections): sections
        case .plain: nil
        }
    }

    /// The pages in z order.
    ///
    /// - Throws: `FileFault` where there are fewer pages than sections.
    func order(_ pages: [TIFFPage], file: String) throws -> [TIFFPage] {
        if case .ome(let pixels) = self { return try pixels.order(pages, file: file) }
        if case .imageJ(let description) = self, let images = description.images, images > pages.count {
            throw FileFault(file, "says it has \(grouped(images)) images, found \(grouped(pages.count)) pages")
        }
        return pages
    }

    func voxelSize(_ resolution: TIFFResolution) -> StatedVoxelSize {
        switch self {
        case .imageJ(let description): description.voxelSize(resolution)
        case .ome(let pixels): pixels.voxelSize(otherwise: resolution.voxelSize)
        case .shaped, .plain: resolution.voxelSize
        }
    }

    /// The axes before y and x, where the shape is that of pages like the first.
    private static func leadingAxes(json: String, of page: TIFFPage) -> [Int]? {
        struct Shaped: Decodable { var shape: [Int] }
        guard let shape = (try? JSONDecoder().decode(Shaped.self, from: Data(json.utf8)))?.shape,
            shape.allSatisfy({ $0 > 0 }), shape.reduce(1.0, { $0 * Double($1) }) < 0x1p62
        else { return nil }
        for trailing in [[page.height, page.width], [page.height, page.width, 1]]
        where Array(shape.suffix(trailing.count)) == trailing {
            return Array(shape.dropLast(trailing.count))
        }
        return nil
    }
}
