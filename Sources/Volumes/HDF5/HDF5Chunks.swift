import CHDF5
import Foundation

/// The chunks of a dataset: fetched one at a time as they are stored, decoded on all cores.
struct HDF5Chunks: HDF5PieceSource {
    private let dataset: HDF5Dataset
    private let axes: HDF5Axes
    private let type: HDF5Type
    private let pipeline: HDF5Pipeline
    /// The lengths of a chunk, and the indices of the volume's channel and time, along each of the dataset's axes.
    private let lengths: [Int]
    private let fixed: [Int]
    private let fileSize: UInt64

    /// The bytes of a chunk that are accepted; an Imaris or BigDataViewer chunk has 32 KiB to a few MiB.
    static let largest = 1 << 28
    /// What all threads together may hold of chunks.
    private static let budget = 1 << 29

    init(
        _ dataset: HDF5Dataset, _ axes: HDF5Axes, _ type: HDF5Type, _ pipeline: HDF5Pipeline, lengths: [Int],
        fixed: [Int]
    ) throws {
        self.dataset = dataset
        self.axes = axes
        self.type = type
        self.pipeline = pipeline
        self.lengths = lengths
        self.fixed = fixed
        var size: hsize_t = 0
        try HDF5Fault.check(H5Fget_filesize(dataset.object.file.handle.id, &size))
        fileSize = size
    }

    /// The bytes of a chunk of these lengths.
    ///
    /// - Throws: `HDF5Refusal` where they are too many.
    static func bytes(_ lengths: [Int], valueSize: Int) throws -> Int {
        var bytes = valueSize
        for length in lengths {
            let (product, overflows) = bytes.multipliedReportingOverflow(by: length)
            guard !overflows, product <= largest else {
                throw HDF5Refusal(
                    "has chunks of \(lengths.map(String.init).joined(separator: " × ")) values; expected at most 256 MiB, "
                        + "as `h5repack -l CHUNK=64x64x64` writes them")
            }
            bytes = product
        }
        return bytes
    }

    var threads: Int {
        let bytes = lengths.reduce(type.size, *)
        return max(1, min(ProcessInfo.processInfo.activeProcessorCount, Self.budget / max(1, 3 * bytes)))
    }

    func grid(for box: Box) -> (cell: ZYX<Int>, origin: ZYX<Int>) {
        (axes.spatial(of: lengths, missing: 1), .zero)
    }

    func piece(_ cell: Box, of box: Box) throws -> HDF5Piece? {
        let corner = axes.expanded(cell.origin, zip(fixed, lengths).map { $0 / $1 * $1 })
        guard let (stored, mask) = try fetch(corner) else { return nil }
        let bytes = try type.native(pipeline.decode(stored, leavingOut: mask))
        var strides = [Int](repeating: 1, count: lengths.count)
        for axis in lengths.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * lengths[axis + 1] }
        let first = zip(zip(fixed, lengths), strides).reduce(0) { $0 + $1.0.0 % $1.0.1 * $1.1 }
        return HDF5Piece(
            box: cell, bytes: bytes, first: first, strides: axes.spatial(of: strides, missing: 0))
    }

    /// A chunk as it is stored; nil where it is not.
    private func fetch(_ corner: [Int]) throws -> (bytes: [UInt8], mask: UInt32)? {
        try HDF5Library.alone {
            let offset = corner.map { hsize_t($0) }
            let count = try dataset.storedBytes(ofChunkAt: offset, fileSize: fileSize)
            if count == 0 { return nil }
            var mask: UInt32 = 0
            let bytes = try [UInt8](unsafeUninitializedCapacity: count) { target, filled in
                try HDF5Fault.check(
                    H5Dread_chunk(dataset.handle.id, hdf5_default(), offset, &mask, target.baseAddress))
                filled = count
            }
            return (bytes, mask)
        }
    }
}
