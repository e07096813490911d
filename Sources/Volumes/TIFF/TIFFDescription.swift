/// What the first page says of a stack, in its ImageDescription or in tags of its own, by the program that wrote it.
enum TIFFDescription {
    case imageJ(ImageJDescription)
    case ome(OMEPixels)
    case shaped(ShapedDescription)
    case metaMorph(MetaMorphStack)
    case zeissLSM(ZeissLSM)
    case plain

    /// - Throws: `FileFault` where it contradicts itself or says what is not read.
    init(_ text: String, first page: TIFFPage, of handle: TIFFHandle) throws {
        let file = handle.path
        let directory = StoredDirectory(at: page.directory, of: handle)
        if let directory, let stack = try MetaMorphStack(directory, of: handle, first: page) {
            self = .metaMorph(stack)
        } else if let directory, let lsm = try ZeissLSM(directory, of: handle, samples: page.samples) {
            self = .zeissLSM(lsm)
        } else if text.hasPrefix("ImageJ=") {
            self = .imageJ(ImageJDescription(text))
        } else if text.contains("<OME") || text.contains(":OME ") {
            self = .ome(try OMEPixels(xml: text, file: file))
        } else if let shaped = try ShapedDescription(text, first: page, file: file) {
            self = .shaped(shaped)
        } else {
            self = .plain
        }
    }

    /// Whether sections without directories follow those that have one.
    var isRunOfSections: Bool { if case .zeissLSM = self { false } else { true } }

    /// Of a file of so many pages; pages of several samples are one channel here.
    func dimensions(pages: Int, samples: Int, file: String) throws -> TIFFDimensions {
        switch self {
        case .imageJ(let description): try description.dimensions(pages: pages, file: file)
        case .ome(let pixels): try pixels.dimensions(samples: samples, file: file)
        case .shaped(let description): description.dimensions
        case .metaMorph(let stack): stack.dimensions
        case .zeissLSM(let lsm): lsm.dimensions
        case .plain: TIFFDimensions(sections: pages)
        }
    }

    func voxelSize(_ resolution: TIFFResolution) -> StatedVoxelSize {
        switch self {
        case .imageJ(let description): description.voxelSize(resolution)
        case .ome(let pixels): pixels.voxelSize(otherwise: resolution.voxelSize)
        case .zeissLSM(let lsm): lsm.voxelSize
        case .shaped, .metaMorph, .plain: resolution.voxelSize
        }
    }
}
