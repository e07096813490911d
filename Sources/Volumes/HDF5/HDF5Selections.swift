import CHDF5

/// The values of a dataset as libhdf5 reads them, on one thread: virtual and compact ones, and chunks with filters
/// that only it has.
struct HDF5Selections: HDF5PieceSource {
    private let dataset: HDF5Dataset
    private let axes: HDF5Axes
    private let type: HDF5Type
    private let fixed: [Int]
    private let cell: ZYX<Int>
    private let fileSize: UInt64
    private let isChunked: Bool

    /// What libhdf5 is asked for at once where there are no chunks.
    private static let pieceBytes = 1 << 24

    /// - Parameter lengths: Of a chunk, along each of the dataset's axes; nil where there are none.
    init(_ dataset: HDF5Dataset, _ axes: HDF5Axes, _ type: HDF5Type, lengths: [Int]?, fixed: [Int]) throws {
        self.dataset = dataset
        self.axes = axes
        self.type = type
        self.fixed = fixed
        isChunked = lengths != nil
        let shape = axes.shape
        let rows = max(1, Self.pieceBytes / 8 / shape.x)
        cell =
            lengths.map { axes.spatial(of: $0, missing: 1) }
            ?? ZYX(max(1, min(shape.z, rows / shape.y)), min(shape.y, rows), min(shape.x, Self.pieceBytes / 8))
        var size: hsize_t = 0
        try HDF5Fault.check(H5Fget_filesize(dataset.object.file.handle.id, &size))
        fileSize = size
    }

    var threads: Int { 1 }

    func grid(for box: Box) -> (cell: ZYX<Int>, origin: ZYX<Int>) { (cell, .zero) }

    func piece(_ cell: Box, of box: Box) throws -> HDF5Piece? {
        let part = cell.intersection(box)
        return try HDF5Library.alone {
            if isChunked { try checkSize(cell) }
            let start = axes.expanded(part.origin, fixed).map { hsize_t($0) }
            let lengths = axes.expanded(part.shape, fixed.map { _ in 1 })
            let count = lengths.map { hsize_t($0) }
            let source = try HDF5Handle(H5Dget_space(dataset.handle.id), close: H5Sclose)
            try HDF5Fault.check(H5Sselect_hyperslab(source.id, H5S_SELECT_SET, start, nil, count, nil))
            let target = try HDF5Handle(H5Screate_simple(Int32(count.count), count, nil), close: H5Sclose)
            // Not all of it is written where libhdf5 meets values that never were.
            var bytes = [UInt8](repeating: 0, count: part.count * type.elementType.size)
            try HDF5Fault.check(
                H5Dread(dataset.handle.id, type.memory.id, target.id, source.id, hdf5_default(), &bytes))
            var strides = [Int](repeating: 1, count: lengths.count)
            for axis in lengths.indices.dropLast().reversed() {
                strides[axis] = strides[axis + 1] * lengths[axis + 1]
            }
            return HDF5Piece(
                box: part, bytes: bytes, first: 0, strides: axes.spatial(of: strides, missing: 0))
        }
    }

    /// libhdf5 takes memory for as many bytes as the file says a chunk has.
    private func checkSize(_ cell: Box) throws {
        guard case .chunks(let lengths) = dataset.storage else { return }
        let corner = axes.expanded(cell.origin, zip(fixed, lengths).map { $0 / $1 * $1 }).map { hsize_t($0) }
        _ = try dataset.storedBytes(ofChunkAt: corner, fileSize: fileSize)
    }
}
