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

    private let pages: any TIFFPageWriter
    private var slabs: SlabSequence
    public internal(set) var notes: [String] = []

    /// - Parameter voxelSize: nil where it is unknown: nothing is written of it then.
    /// - Throws: `FileFault` where the flavour cannot hold such a volume or the file cannot be created.
    public init(
        path: String, flavor: Flavor, shape: ZYX<Int>, elementType: ElementType, voxelSize: VoxelSize?
    ) throws {
        guard shape.array.allSatisfy({ $0 > 0 && $0 <= Int(Int32.max) }) else {
            throw FileFault(path, "a TIFF of \(shape) cannot be written")
        }
        slabs = SlabSequence(path: path, shape: shape, elementType: elementType)
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
        slabs.take(slab, atZ: z)
        let size = slab.shape.y * slab.shape.x * slab.elementType.size
        try slab.bytes.withUnsafeBytes { bytes in
            for section in 0..<slab.shape.z {
                let page = UnsafeRawBufferPointer(rebasing: bytes[section * size..<(section + 1) * size])
                try pages.write(page, section: z + section)
            }
        }
    }

    /// Completes the file and puts it in its place.
    ///
    /// - Throws: `FileFault` where sections are missing, or the disk is full or fails.
    public func finish() throws {
        try slabs.checkIsComplete()
        try pages.finish()
    }
}

/// What differs between the flavours: how sections become pages.
protocol TIFFPageWriter: AnyObject {
    func write(_ page: UnsafeRawBufferPointer, section: Int) throws
    func finish() throws
}
