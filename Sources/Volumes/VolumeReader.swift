/// What is known of a volume in a file before its voxels are read.
public struct VolumeInfo: Sendable, Equatable {
    /// The file, with the dataset where a file holds several: `block1.h5:/volumes/raw`.
    public var source: String
    /// For example `TIFF`, `BigTIFF`, `HDF5`.
    public var format: String
    public var shape: ZYX<Int>
    public var elementType: ElementType
    public var voxelSize: StatedVoxelSize
    /// The shape of a piece that is stored together: a strip, a tile, a chunk.
    public var chunk: ZYX<Int>
    /// For example `none`, `deflate`, `gzip`.
    public var compression: String
    /// How many channels and time points the file holds; this volume is one of each.
    public var channels = 1
    public var times = 1
    /// Where the middle of the first voxel is, in nanometres, where the file says it: labels of a box of a large image are
    /// placed by it.
    public var position: ZYX<Double>?
    /// Where the axes lead, where the file says it.
    public var frame: VolumeFrame?
    /// Of a series of sections.
    public var sections: SectionNumbers?
    /// What else the file holds, as a colon names it, where this volume was chosen without a name: datasets, levels, labels.
    public var others: [String] = []
    /// Paths of other files that the voxels or what is said of them come from, whether they are there or not.
    public var companions: [String] = []
    /// What a reader of these voxels should know, each in a sentence without a capital or a full stop: a gap in the
    /// numbering of a series of slices.
    public var notes: [String] = []

    public init(
        source: String, format: String, shape: ZYX<Int>, elementType: ElementType,
        voxelSize: StatedVoxelSize, chunk: ZYX<Int>, compression: String
    ) {
        self.source = source
        self.format = format
        self.shape = shape
        self.elementType = elementType
        self.voxelSize = voxelSize
        self.chunk = chunk
        self.compression = compression
    }

    /// Where the middle of the first voxel is where voxels are of another size than the file says: as many voxels away.
    public func position(ofVoxels size: VoxelSize) -> ZYX<Double>? {
        guard let position, let stated = voxelSize.complete else { return position }
        return position.zip(stated.nanometers, /).zip(size.nanometers, *)
    }
}

/// Reads boxes of voxels from one volume of one file: one channel at one time. Adding a format means writing one of
/// these and a ``VolumeFormat``.
///
/// A reader belongs to one thread at a time.
public protocol VolumeReader: AnyObject {
    var info: VolumeInfo { get }

    /// The voxels of `box`, which must lie within the volume, in the file's own type and values.
    ///
    /// - Throws: `FileFault` where the file is damaged or cannot be read.
    func read(_ box: Box) throws -> VoxelBuffer
}

/// A fault in a file: where it is, what was found, what was expected or what to do.
public struct FileFault: Error, Equatable, CustomStringConvertible {
    /// The file, with the dataset or section where that is known.
    public let file: String
    /// One sentence without a capital or a full stop: what was found and what was expected.
    public let problem: String

    /// - Parameter problem: what it quotes of a file may hold control characters; they become `\u{FFFD}`, so that a
    ///   fault stays one line.
    public init(_ file: String, _ problem: String) {
        self.file = file
        let isControl = { (scalar: Unicode.Scalar) in scalar.properties.generalCategory == .control }
        self.problem =
            problem.unicodeScalars.contains(where: isControl)
            ? String(String.UnicodeScalarView(problem.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
            : problem
    }

    public var description: String { "\(file): \(problem)" }
}
