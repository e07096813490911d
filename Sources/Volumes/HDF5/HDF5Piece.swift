/// A decoded part of a volume: the values of `box`, voxel (z, y, x) from its origin on being value number
/// `first` + (z, y, x) · `strides`.
struct HDF5Piece {
    let box: Box
    let bytes: [UInt8]
    let first: Int
    let strides: ZYX<Int>

    /// Writes the voxels that are in `whole` too to `target`, which holds those of `whole`, x fastest.
    ///
    /// - Parameter size: Bytes a value.
    /// - Throws: `CodecFault` where the bytes do not suffice.
    func copy(to target: UnsafeMutableRawPointer, of whole: Box, size: Int) throws {
        let part = box.intersection(whole)
        if part.isEmpty { return }
        let start = part.origin - box.origin
        let from = first + start.z * strides.z + start.y * strides.y + start.x * strides.x
        let last = part.shape.zip(strides) { ($0 - 1) * $1 }
        guard from >= 0, (from + last.z + last.y + last.x + 1) * size <= bytes.count else {
            throw CodecFault("it is too short")
        }
        let to = part.origin - whole.origin
        bytes.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            for z in 0..<part.shape.z {
                for y in 0..<part.shape.y {
                    let row = source + (from + z * strides.z + y * strides.y) * size
                    let place = target + (((to.z + z) * whole.shape.y + to.y + y) * whole.shape.x + to.x) * size
                    if strides.x == 1 {
                        place.copyMemory(from: row, byteCount: part.shape.x * size)
                    } else {
                        Self.gather(row, strides.x, place, part.shape.x, size)
                    }
                }
            }
        }
    }

    private static func gather(
        _ source: UnsafeRawPointer, _ stride: Int, _ target: UnsafeMutableRawPointer, _ count: Int, _ size: Int
    ) {
        func gather<Word: FixedWidthInteger>(_ type: Word.Type) {
            for index in 0..<count {
                let word = source.loadUnaligned(fromByteOffset: index * stride * size, as: type)
                target.storeBytes(of: word, toByteOffset: index * size, as: type)
            }
        }
        switch size {
        case 1: gather(UInt8.self)
        case 2: gather(UInt16.self)
        case 4: gather(UInt32.self)
        default: gather(UInt64.self)
        }
    }
}

/// Where a reader finds the pieces of one volume.
protocol HDF5PieceSource: Sendable {
    /// The shape of a piece of `box`, and where pieces begin: a corner of one of them.
    func grid(for box: Box) -> (cell: ZYX<Int>, origin: ZYX<Int>)
    /// How many threads may fetch pieces at once.
    var threads: Int { get }
    /// The part of a volume at `cell` of the grid, of which only the part in `box` counts; nil where it was never written.
    ///
    /// - Throws: `CodecFault`, `HDF5Fault`, `FileFault`.
    func piece(_ cell: Box, of box: Box) throws -> HDF5Piece?
}

/// A piece that cannot be read, and why.
struct HDF5PieceFault: Error {
    let box: Box
    let problem: String
}

/// Reads boxes of one volume from its pieces.
struct HDF5Voxels {
    let elementType: ElementType
    let source: any HDF5PieceSource
    /// The value of voxels that were never written; nil for zero.
    let fill: [UInt8]?

    /// The values of `box`, x fastest.
    ///
    /// - Throws: `HDF5PieceFault`, `FileFault`.
    func read(_ box: Box) throws -> [UInt8] {
        let size = elementType.size
        let (cell, origin) = source.grid(for: box)
        let first = (box.origin - origin).zip(cell) { $0 / $1 }
        let last = (box.end - origin).zip(cell) { ($0 - 1) / $1 }
        let counts = (last - first).map { $0 + 1 }
        return try [UInt8](ofSize: box.count * size) { buffer in
            guard let base = buffer.baseAddress else { return }
            nonisolated(unsafe) let target = base
            // Tasks of several pieces: some files have millions.
            let batch = max(1, counts.count / 1024)
            _ = try parallelMap((counts.count + batch - 1) / batch, threads: source.threads) { task in
                for index in task * batch..<min((task + 1) * batch, counts.count) {
                    let place = ZYX(
                        index / (counts.y * counts.x), index / counts.x % counts.y, index % counts.x)
                    let corner = origin + (first + place).zip(cell, *)
                    try fetch(Box(origin: corner, shape: cell), of: box, to: target)
                }
            }
        }
    }

    private func fetch(_ cell: Box, of box: Box, to target: UnsafeMutableRawPointer) throws {
        let size = elementType.size
        do {
            let piece = try source.piece(cell, of: box) ?? missing(cell)
            try piece.copy(to: target, of: box, size: size)
        } catch let fault as CodecFault {
            throw HDF5PieceFault(box: cell.intersection(box), problem: fault.problem)
        } catch let fault as HDF5Fault {
            throw HDF5PieceFault(box: cell.intersection(box), problem: fault.reason)
        }
    }

    /// A single value, everywhere.
    private func missing(_ cell: Box) -> HDF5Piece {
        let value = fill ?? [UInt8](repeating: 0, count: elementType.size)
        return HDF5Piece(box: cell, bytes: value, first: 0, strides: .zero)
    }
}
