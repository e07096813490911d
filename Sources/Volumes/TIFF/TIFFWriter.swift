/// Writes a TIFF stack slab by slab along z, one page a section.
///
/// The file appears under its name when `finish()` returns; a writer that goes away before that leaves nothing.
public final class TIFFWriter {
    public enum Flavor: String, Sendable, CaseIterable {
        /// An ImageJ stack of uint8, uint16 or float32 below 4 GB, uncompressed.
        case imageJ
        /// OME-TIFF, deflate compressed; BigTIFF where its voxels take 4 GB or more.
        case ome
    }

    /// Whether the ImageJ flavour holds such a volume.
    static func imageJHolds(_ shape: ZYX<Int>, _ elementType: ElementType) -> Bool {
        ImageJWriter.types.contains(elementType) && ImageJWriter.fits(shape, elementType)
    }

    private let path: String
    private let shape: ZYX<Int>
    private let elementType: ElementType
    private let pages: any TIFFPageWriter
    private var next = 0
    public internal(set) var notes: [String] = []

    /// - Parameter voxelSize: nil where it is unknown: nothing is written of it then.
    /// - Throws: `FileFault` where the flavour cannot hold such a volume or the file cannot be created.
    public init(
        path: String, flavor: Flavor, shape: ZYX<Int>, elementType: ElementType, voxelSize: VoxelSize?
    ) throws {
        guard shape.array.allSatisfy({ $0 > 0 && $0 <= Int(Int32.max) }) else {
            throw FileFault(path, "a TIFF of \(shape) cannot be written")
        }
        self.path = path
        self.shape = shape
        self.elementType = elementType
        pages =
            switch flavor {
            case .imageJ:
                try ImageJWriter(path: path, shape: shape, elementType: elementType, voxelSize: voxelSize)
            case .ome:
                try OMEWriter(path: path, shape: shape, elementType: elementType, voxelSize: voxelSize)
            }
    }

    /// Writes the sections from `z` on; slabs follow each other without gaps and have the volume's y, x and type.
    ///
    /// - Throws: `FileFault` where the disk is full or fails.
    public func write(_ slab: VoxelBuffer, atZ z: Int) throws {
        precondition(z == next, "the slab at z \(z) does not follow section \(next)")
        precondition(slab.shape.y == shape.y && slab.shape.x == shape.x && z + slab.shape.z <= shape.z)
        precondition(slab.elementType == elementType)
        let size = shape.y * shape.x * elementType.size
        try slab.bytes.withUnsafeBytes { bytes in
            for section in 0..<slab.shape.z {
                let page = UnsafeRawBufferPointer(rebasing: bytes[section * size..<(section + 1) * size])
                try pages.write(page, section: z + section)
            }
        }
        next += slab.shape.z
    }

    /// Completes the file and puts it in its place.
    ///
    /// - Throws: `FileFault` where sections are missing, or the disk is full or fails.
    public func finish() throws {
        guard next == shape.z else {
            throw FileFault(path, "cannot be completed: \(next) of \(shape.z) sections were written")
        }
        try pages.finish()
    }
}

/// What differs between the flavours: how sections become pages.
protocol TIFFPageWriter: AnyObject {
    func write(_ page: UnsafeRawBufferPointer, section: Int) throws
    func finish() throws
}
