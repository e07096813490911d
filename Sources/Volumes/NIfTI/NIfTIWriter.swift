/// Writes a NIfTI file of one volume, slab by slab along z: `.nii`, or packed with gzip as `.nii.gz`.
///
/// NIfTI-1, or NIfTI-2 where an extent is beyond 32,767. Sections are k, rows j, columns i, as ``NIfTIReader`` has them.
public final class NIfTIWriter: VolumeWriter {
    private let file: any ByteSink
    private var slabs: SlabSequence

    /// - Parameter threads: How many threads pack.
    /// - Throws: `FileFault` where the file cannot be created.
    public init(path: String, _ contents: VolumeFile.Contents, isPacked: Bool, threads: Int = 1) throws {
        slabs = SlabSequence(path: path, shape: contents.shape, elementType: contents.elementType)
        let output = try OutputFile(path: path)
        file = isPacked ? try GzipSink(output, threads: threads) : output
        try file.append(NIfTIHeader.bytes(of: contents))
    }

    public func write(_ slab: VoxelBuffer, atZ z: Int) throws {
        slabs.take(slab, atZ: z)
        try file.append(slab.bytes)
    }

    public func finish() throws {
        try slabs.checkIsComplete()
        try file.finish()
    }
}
