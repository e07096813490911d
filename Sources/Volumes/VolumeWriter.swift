/// Writes one volume slab by slab along z, each format its own.
///
/// The file appears under its name when `finish()` returns; a writer that goes away before that leaves nothing.
public protocol VolumeWriter: AnyObject {
    /// What the file cannot hold of the volume, or holds in another way, each in a sentence without a capital or a full
    /// stop.
    var notes: [String] { get }

    /// Adds the sections from `z` on; slabs follow each other without gaps, of any thickness, and have the volume's y, x and
    /// type.
    ///
    /// - Throws: `FileFault` where the disk is full or refuses.
    func write(_ slab: VoxelBuffer, atZ z: Int) throws

    /// Completes the file and puts it in its place.
    ///
    /// - Throws: `FileFault` where sections are missing, or the disk is full or refuses.
    func finish() throws
}

extension VolumeWriter {
    public var notes: [String] { [] }
}

extension TIFFWriter: VolumeWriter {}
extension HDF5Writer: VolumeWriter {}
