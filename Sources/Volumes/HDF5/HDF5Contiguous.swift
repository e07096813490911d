import Foundation

/// The values of a dataset that lie one after the other, in its file or in parts of others: read past libhdf5, on all
/// cores.
struct HDF5Contiguous: HDF5PieceSource {
    private let axes: HDF5Axes
    private let type: HDF5Type
    /// The distances in the file between neighbours along z, y and x, and the first voxel's place, in values.
    private let strides: ZYX<Int>
    private let first: Int
    private let parts: [Part]

    /// `count` bytes from `offset` of a file, all of which are there.
    struct Part {
        let file: ReadableFile
        let offset: Int
        let count: Int

        /// What a file has of `count` bytes from `offset`.
        init(_ file: ReadableFile, from offset: UInt64, count: UInt64) {
            self.file = file
            self.offset = min(file.size, Int(clamping: offset))
            self.count = min(file.size - self.offset, Int(clamping: count))
        }
    }

    /// Small enough for a core's cache, large enough for the system.
    private static let pieceBytes = 1 << 18

    /// - Throws: `HDF5Refusal` where the parts have fewer bytes than the dataset needs.
    init(_ axes: HDF5Axes, _ type: HDF5Type, fixed: [Int], parts: [Part]) throws {
        self.axes = axes
        self.type = type
        self.parts = parts
        let dimensions = axes.dimensions
        var strides = [Int](repeating: 1, count: dimensions.count)
        for axis in dimensions.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * dimensions[axis + 1]
        }
        self.strides = axes.spatial(of: strides, missing: 0)
        first = zip(fixed, strides).reduce(0) { $0 + $1.0 * $1.1 }
        let needed = dimensions.reduce(type.size, *)
        let held = parts.reduce(0) { $0 + $1.count }
        guard held >= needed else {
            throw HDF5Refusal("is damaged: it needs \(needed) bytes, and \(held) are there")
        }
    }

    var threads: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// Runs of the file: along its fastest axis whole, along the next as far as a piece goes.
    func grid(for box: Box) -> (cell: ZYX<Int>, origin: ZYX<Int>) {
        let lengths = box.shape.array
        let order = [0, 1, 2].filter { strides.array[$0] > 0 }.sorted { strides.array[$0] < strides.array[$1] }
        var cell = [1, 1, 1]
        guard let fast = order.first, let next = order.dropFirst().first else { return (box.shape, box.origin) }
        cell[fast] = lengths[fast]
        let run = lengths[fast] * strides.array[fast]
        let step = strides.array[next]
        // Where a run is a small part of a line, what lies between is not read.
        if run * 8 >= step { cell[next] = max(1, min(lengths[next], Self.pieceBytes / max(1, step * type.size))) }
        return (ZYX(cell[0], cell[1], cell[2]), box.origin)
    }

    func piece(_ cell: Box, of box: Box) throws -> HDF5Piece? {
        let part = cell.intersection(box)
        let corner = part.origin.zip(strides, *)
        let reach = part.shape.zip(strides) { ($0 - 1) * $1 }
        let start = first + corner.z + corner.y + corner.x
        let bytes = try read((reach.z + reach.y + reach.x + 1) * type.size, at: start * type.size)
        return HDF5Piece(box: part, bytes: try type.native(bytes), first: 0, strides: strides)
    }

    /// Bytes of the parts as though they were one file.
    private func read(_ count: Int, at offset: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var skip = offset
        for part in parts {
            if skip >= part.count {
                skip -= part.count
                continue
            }
            let wanted = min(count - bytes.count, part.count - skip)
            let read = try part.file.read(wanted, at: part.offset + skip)
            guard read.count == wanted else { throw CodecFault("the file ends before it") }
            if wanted == count { return read }
            bytes += read
            skip = 0
            if bytes.count == count { return bytes }
        }
        throw CodecFault("the file ends before it")
    }
}
