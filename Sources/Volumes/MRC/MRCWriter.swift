/// Writes an MRC file of one volume, slab by slab along z: int8, int16, uint16 and float32; uint8, which MRC lacks, as
/// uint16.
public final class MRCWriter: VolumeWriter {
    private let file: OutputFile
    private let contents: VolumeFile.Contents
    private let mode: Int
    private let storedType: ElementType
    private var slabs: SlabSequence
    private var statistics = VoxelStatistics()

    public var notes: [String] {
        contents.elementType == storedType
            ? [] : ["MRC has no \(contents.elementType.rawValue); the voxels are written as \(storedType.rawValue)"]
    }

    /// - Throws: `FileFault` where MRC cannot hold such a volume or the file cannot be created.
    public init(path: String, _ contents: VolumeFile.Contents) throws {
        let type = contents.elementType
        switch type {
        case .int8: mode = 0
        case .int16: mode = 1
        case .float32: mode = 2
        case .uint16, .uint8: mode = 6
        default: throw FileFault(path, "MRC has no type for \(type.rawValue); .h5, .zarr and .nii hold it")
        }
        guard contents.shape.array.allSatisfy({ $0 <= Int(Int32.max) }) else {
            throw FileFault(path, "an MRC file of \(contents.shape) cannot be written")
        }
        storedType = type == .uint8 ? .uint16 : type
        self.contents = contents
        slabs = SlabSequence(path: path, shape: contents.shape, elementType: type)
        file = try OutputFile(path: path)
        try file.append([UInt8](repeating: 0, count: MRCHeader.size))
    }

    public func write(_ slab: VoxelBuffer, atZ z: Int) throws {
        slabs.take(slab, atZ: z)
        statistics.add(slab)
        try file.append(slab.converted(to: storedType).bytes)
    }

    public func finish() throws {
        try slabs.checkIsComplete()
        try file.write(MRCHeader.bytes(of: contents, mode: mode, statistics), at: 0)
        try file.finish()
    }
}
