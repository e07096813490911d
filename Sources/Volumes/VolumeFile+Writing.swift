import Foundation

extension VolumeFile {
    /// What a new file is to hold.
    public struct Contents: Sendable {
        public var shape: ZYX<Int>
        public var elementType: ElementType
        /// Nil where it is not known: nothing is written of it then.
        public var voxelSize: VoxelSize?
        /// Of the first voxel, in nanometres, where the volume is a box of a larger one.
        public var position: ZYX<Double>?
        /// Where the axes lead; NIfTI alone keeps it, and then nothing else is said of position and voxel size.
        public var frame: VolumeFrame?

        public init(
            shape: ZYX<Int>, elementType: ElementType, voxelSize: VoxelSize?, position: ZYX<Double>? = nil,
            frame: VolumeFrame? = nil
        ) {
            self.shape = shape
            self.elementType = elementType
            self.voxelSize = voxelSize
            self.position = position
            self.frame = frame
        }
    }

    private static let writableEndings = [
        "tif", "tiff", "h5", "hdf5", "hdf", "zarr", "nii", "nii.gz", "mrc", "map",
    ]

    private static func writableEnding(_ path: String) -> String? {
        let name = path.lowercased()
        return writableEndings.first { name.hasSuffix(".\($0)") }
    }

    /// Whether the ending of a file says a format that can be written.
    public static func isWritable(_ location: String) -> Bool { writableEnding(split(location).path) != nil }

    /// Whether the format that the ending of a file asks for says where the axes lead.
    public static func keepsFrames(_ location: String) -> Bool {
        ["nii", "nii.gz"].contains(writableEnding(split(location).path))
    }

    /// Why the format that a location's ending asks for cannot hold voxels of a type; nil where it can.
    public static func typeProblem(of location: String, _ elementType: ElementType) -> String? {
        guard ["tif", "tiff"].contains((split(location).path as NSString).pathExtension.lowercased()),
            [.int64, .uint64].contains(elementType)
        else { return nil }
        return "programs that read TIFF take whole numbers of at most 32 bits, not \(elementType.rawValue)"
    }

    /// A writer for a new file in the format that its ending asks for: `.tif` (ImageJ's layout where that holds the
    /// volume, otherwise OME-TIFF), `.h5` (the dataset after a colon), `.zarr` (an image, or labels where `labels/NAME`
    /// stands after a colon), `.nii` and `.nii.gz` (NIfTI), `.mrc` and `.map` (MRC).
    ///
    /// With a dataset or labels after a colon, a file or container that is there keeps all else that it holds.
    ///
    /// - Parameters:
    ///   - dataset: The dataset or labels where nothing stands after a colon; nil for `/data` and for an image.
    ///   - replaces: Whether what is at that place already makes way, when the writer finishes.
    ///   - version: Of OME-Zarr; nil for 0.5, and for that of a container that is there.
    ///   - step: Called while a file that is there is copied; what it throws ends that.
    /// - Throws: `OccupiedPlace`; `FileFault` for another ending, where the file cannot be written, or where labels do not
    ///   fit the image they are added to.
    public static func create(
        _ location: String, dataset: String? = nil, _ contents: Contents, replaces: Bool = false,
        version: OMEZarrVersion? = nil, threads: Int = 1, step: () throws -> Void = {}
    ) throws -> any VolumeWriter {
        let (path, named) = split(location)
        guard let ending = writableEnding(path) else {
            throw FileFault(
                path,
                "the ending says no format that can be written; expected "
                    + writableEndings.map { ".\($0)" }.joined(separator: ", "))
        }
        try checkPlace(of: location, replaces: replaces)
        switch ending {
        case "h5", "hdf5", "hdf":
            return try HDF5Writer(
                path: path, dataset: named ?? dataset ?? "/data", shape: contents.shape,
                elementType: contents.elementType, voxelSize: contents.voxelSize, position: contents.position,
                adding: named != nil, threads: threads, step: step)
        case "zarr":
            let container = try named.flatMap { try OMEZarrContainer.existing(at: path, forLabels: $0) }
            return try SingleVolumeContainer(
                path, named ?? dataset, in: container, contents, version, threads: threads)
        case "nii", "nii.gz":
            return try NIfTIWriter(path: path, contents, isPacked: ending == "nii.gz", threads: threads)
        case "mrc", "map":
            return try MRCWriter(path: path, contents)
        default:
            // ImageJ opens by itself only its own layout, which holds few types and less than 4 GB.
            let isSimple = TIFFWriter.imageJHolds(contents.shape, contents.elementType)
            let writer = try TIFFWriter(
                path: path, flavor: isSimple ? .imageJ : .ome, shape: contents.shape,
                elementType: contents.elementType, voxelSize: contents.voxelSize)
            if let position = contents.position, position != ZYX(repeating: 0) {
                let place = position.place(unit: contents.voxelSize?.unit ?? .nanometer)
                writer.notes = ["a TIFF keeps no position: that the volume begins at \(place) is lost"]
            }
            return writer
        }
    }
}

/// One volume of an OME-Zarr container: of a new one, or labels in one that is there.
private final class SingleVolumeContainer: VolumeWriter {
    private let writer: OMEZarrWriter
    private let part: OMEZarrWriter.Part
    private(set) var notes: [String] = []

    init(
        _ path: String, _ dataset: String?, in container: OMEZarrContainer?, _ contents: VolumeFile.Contents,
        _ version: OMEZarrVersion?, threads: Int
    ) throws {
        part = try dataset.map { .labels(try OMEZarrContainer.parts(of: $0, path).name) } ?? .image
        guard part == .image || contents.elementType.isInteger else {
            throw FileFault(path, "labels must be whole numbers, found \(contents.elementType.rawValue)")
        }
        guard let container else {
            if dataset != nil, part != .image { notes.append("\(path) is new and holds labels alone, no image") }
            writer = try OMEZarrWriter(
                path: path, shape: contents.shape, parts: [part: contents.elementType],
                voxelSize: contents.voxelSize, position: contents.position, version: version ?? .v0_5,
                threads: threads)
            return
        }
        try container.check(contents.shape, version)
        // Voxel for voxel they are the image's.
        let size = container.image?.voxelSize.complete
        writer = try OMEZarrWriter(
            addingTo: container, shape: contents.shape, elementType: contents.elementType,
            voxelSize: size ?? contents.voxelSize,
            position: size == nil ? contents.position : container.image?.position,
            threads: threads)
        let imagePlace = container.image.flatMap(\.position) ?? ZYX(0, 0, 0)
        if let size, let place = contents.position,
            !(place - imagePlace).zip(size.nanometers, { abs($0) <= 0.75 * $1 }).array.allSatisfy({ $0 })
        {
            notes.append(
                "the labels get the place of their image, not \(place.place(unit: size.unit)), where they were")
        }
        if let size, let other = contents.voxelSize, !size.agrees(with: other) {
            notes.append("the labels get the voxel size of their image, \(size), not \(other)")
        }
        if try container.hasConsolidatedMetadata {
            notes.append(
                "the container has consolidated metadata, which do not list the new labels; in Python, "
                    + "zarr.consolidate_metadata renews them")
        }
    }

    func write(_ slab: VoxelBuffer, atZ z: Int) throws { try writer.write(slab, atZ: z, to: part) }

    func finish() throws { try writer.finish() }
}
