/// What the first page's ImageDescription says of a stack, by the program that wrote it.
enum TIFFDescription {
    case imageJ(ImageJDescription)
    case ome(OMEPixels)
    case shaped(ShapedDescription)
    case plain

    /// - Throws: `FileFault` where it contradicts itself or says what is not read.
    init(_ text: String, first page: TIFFPage, file: String) throws {
        if text.hasPrefix("ImageJ=") {
            self = .imageJ(ImageJDescription(text))
        } else if text.contains("<OME") || text.contains(":OME ") {
            self = .ome(try OMEPixels(xml: text, file: file))
        } else if let shaped = try ShapedDescription(text, first: page, file: file) {
            self = .shaped(shaped)
        } else {
            self = .plain
        }
    }

    /// Of a file of so many pages; pages of several samples are one channel here.
    func dimensions(pages: Int, samples: Int, file: String) throws -> TIFFDimensions {
        switch self {
        case .imageJ(let description): try description.dimensions(pages: pages, file: file)
        case .ome(let pixels): try pixels.dimensions(samples: samples, file: file)
        case .shaped(let description): description.dimensions
        case .plain: TIFFDimensions(sections: pages)
        }
    }

    func voxelSize(_ resolution: TIFFResolution) -> StatedVoxelSize {
        switch self {
        case .imageJ(let description): description.voxelSize(resolution)
        case .ome(let pixels): pixels.voxelSize(otherwise: resolution.voxelSize)
        case .shaped, .plain: resolution.voxelSize
        }
    }
}
