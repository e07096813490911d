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

        public init(
            shape: ZYX<Int>, elementType: ElementType, voxelSize: VoxelSize?, position: ZYX<Double>? = nil
        ) {
            self.shape = shape
            self.elementType = elementType
            self.voxelSize = voxelSize
            self.position = position
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

    /// A writer for a new file in the format that its ending asks for: `.tif` (ImageJ's layout where that holds the
    /// volume, otherwise OME-TIFF), `.h5` (the dataset after a colon, `/data` without), `.zarr` (an image, or labels
    /// where `labels/NAME` stands after a colon), `.nii` and `.nii.gz` (NIfTI), `.mrc` and `.map` (MRC).
    ///
    /// - Throws: `FileFault` for another ending, or where the file cannot be written.
    public static func create(
        _ location: String, _ contents: Contents, version: OMEZarrVersion = .v0_5, threads: Int = 1
    ) throws -> any VolumeWriter {
        let (path, dataset) = split(location)
        let ending = writableEnding(path)
        switch ending {
        case "tif", "tiff":
            // ImageJ opens by itself only its own layout, which holds few types and less than 4 GB.
            let isSimple = TIFFWriter.imageJHolds(contents.shape, contents.elementType)
            return try TIFFWriter(
                path: path, flavor: isSimple ? .imageJ : .ome, shape: contents.shape,
                elementType: contents.elementType, voxelSize: contents.voxelSize)
        case "h5", "hdf5", "hdf":
            return try HDF5Writer(
                path: path, dataset: dataset ?? "/data", shape: contents.shape, elementType: contents.elementType,
                voxelSize: contents.voxelSize, position: contents.position, threads: threads)
        case "zarr":
            return try SingleVolumeContainer(path, dataset, contents, version, threads: threads)
        case "nii", "nii.gz":
            return try NIfTIWriter(path: path, contents, isPacked: ending == "nii.gz", threads: threads)
        case "mrc", "map":
            return try MRCWriter(path: path, contents)
        default:
            throw FileFault(
                path,
                "the ending says no format that can be written; expected "
                    + writableEndings.map { ".\($0)" }.joined(separator: ", "))
        }
    }
}

/// An OME-Zarr container of one volume.
private final class SingleVolumeContainer: VolumeWriter {
    private let writer: OMEZarrWriter
    private let part: OMEZarrWriter.Part

    init(
        _ path: String, _ dataset: String?, _ contents: VolumeFile.Contents, _ version: OMEZarrVersion, threads: Int
    ) throws {
        let names = (dataset ?? "").split(separator: "/").map(String.init)
        switch (names.count, names.first) {
        case (0, _): part = .image
        case (2, "labels"): part = .labels(names[1])
        default:
            throw FileFault(
                path,
                "the container holds an image or labels/NAME; expected nothing or labels/NAME after the colon, "
                    + "found \(dataset ?? "")")
        }
        guard part == .image || contents.elementType.isInteger else {
            throw FileFault(path, "labels must be whole numbers, found \(contents.elementType.rawValue)")
        }
        writer = try OMEZarrWriter(
            path: path, shape: contents.shape, parts: [part: contents.elementType], voxelSize: contents.voxelSize,
            position: contents.position, version: version, threads: threads)
    }

    func write(_ slab: VoxelBuffer, atZ z: Int) throws { try writer.write(slab, atZ: z, to: part) }

    func finish() throws { try writer.finish() }
}
