import Foundation

/// Writes one array of a container from its first plane to its last, a row of chunks in memory at a time.
final class OMEZarrLevelWriter {
    private let array: OMEZarrArray
    private let threads: Int
    /// The planes received of the row of chunks that is not complete yet.
    private var pending: [UInt8] = []
    private var received = 0
    /// Of each shard of the row of shards at hand: the sizes of its chunks so far.
    private var lengths: [[Int?]] = []

    init(_ array: OMEZarrArray, threads: Int) throws {
        self.array = array
        self.threads = threads
        try OMEZarrMetadata.write(array)
    }

    var planes: Int { received }
    var isComplete: Bool { received == shape.z }

    private var shape: ZYX<Int> { array.shape }
    private var cut: OMEZarrChunks { array.cut }
    private var elementType: ElementType { array.elementType }

    /// Adds the next planes; gives each row of chunks, once it is written, to `next`.
    func append(_ slab: VoxelBuffer, then next: (VoxelBuffer) throws -> Void) throws {
        let plane = shape.y * shape.x * elementType.size
        var taken = 0
        while taken < slab.shape.z {
            let missing = min(cut.chunk.z - received % cut.chunk.z, shape.z - received)
            let planes = min(missing, slab.shape.z - taken)
            let isWholeSlab = pending.isEmpty && planes == missing && planes == slab.shape.z
            if !isWholeSlab { pending += slab.bytes[taken * plane..<(taken + planes) * plane] }
            taken += planes
            received += planes
            guard planes == missing else { continue }
            let row = isWholeSlab ? slab : takeRow(plane)
            try write(row, atZ: received - row.shape.z)
            try next(row)
        }
    }

    private func takeRow(_ plane: Int) -> VoxelBuffer {
        let row = VoxelBuffer(
            elementType: elementType, shape: ZYX(pending.count / plane, shape.y, shape.x), bytes: pending)
        pending = []
        return row
    }

    private func write(_ row: VoxelBuffer, atZ z: Int) throws {
        let cells = Box(ZYX(1, shape.y, shape.x)).cells(of: ZYX(1, cut.chunk.y, cut.chunk.x)).map {
            Box(origin: $0.origin, shape: cut.chunk)
        }
        guard let shard = cut.shard else {
            _ = try parallelMap(cells.count, threads: threads) { [array] index in
                let cell = (cells[index].origin + ZYX(z, 0, 0)).zip(array.cut.chunk, /)
                try AtomicFile.write([array.encoded(row.bytes(of: cells[index]))], to: array.file(cell))
            }
            return
        }
        try write(row, cells, atZ: z, in: shard)
    }

    /// Appends the row's chunks to their shards, and the index to each shard whose last row this is.
    private func write(_ row: VoxelBuffer, _ cells: [Box], atZ z: Int, in shard: ZYX<Int>) throws {
        let columns = Box(ZYX(1, shape.y, shape.x)).cells(of: ZYX(1, shard.y, shard.x))
        if z % shard.z == 0 { lengths = columns.map { _ in [] } }
        let isLast = (z + cut.chunk.z) % shard.z == 0 || received == shape.z
        let counts = shard.zip(cut.chunk, /)
        for (index, column) in columns.enumerated() {
            let places = Box(ZYX(1, shard.y, shard.x)).cells(of: ZYX(1, cut.chunk.y, cut.chunk.x)).map {
                Box(origin: $0.origin + column.origin, shape: cut.chunk)
            }
            // Chunks wholly beyond the array's end have no bytes.
            let chunks: [[UInt8]?] = try parallelMap(places.count, threads: threads) { [array] place in
                let origin = places[place].origin
                guard origin.y < array.shape.y, origin.x < array.shape.x else { return nil }
                return try array.encoded(row.bytes(of: places[place]))
            }
            lengths[index] += chunks.map { $0?.count }
            var pieces = chunks.compactMap { $0 }
            if isLast {
                lengths[index] += [Int?](repeating: nil, count: counts.count - lengths[index].count)
                pieces.append(ShardingCodec.encodeIndex(lengths: lengths[index]))
            }
            try append(pieces, to: array.file((column.origin + ZYX(z, 0, 0)).zip(shard, /)))
        }
    }

    /// Shards stay closed between rows of chunks: a large volume has more than may be open.
    private func append(_ pieces: [[UInt8]], to path: String) throws {
        try AtomicFile.makeFolder((path as NSString).deletingLastPathComponent)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
        do {
            for piece in pieces { try AtomicFile.write(piece, to: descriptor, path) }
        } catch {
            close(descriptor)
            throw error
        }
        // A network file system may report a full disk only here.
        guard close(descriptor) == 0 else { throw FileFault(path, "cannot be written: \(systemReason())") }
    }
}

/// An array of a container under construction: one level of an image or of labels.
struct OMEZarrArray: Sendable {
    let path: String
    let shape: ZYX<Int>
    let elementType: ElementType
    let cut: OMEZarrChunks
    let version: OMEZarrVersion

    func encoded(_ chunk: [UInt8]) throws -> [UInt8] {
        switch version {
        case .v0_4: try Blosc.compress(chunk, elementSize: elementType.size)
        case .v0_5: try chunk.withUnsafeBytes(ShardingCodec.encodeChunk)
        }
    }

    /// The file of a chunk or shard by its place in the grid.
    func file(_ cell: ZYX<Int>) -> String {
        path + (version == .v0_5 ? "/c/" : "/") + cell.array.map(String.init).joined(separator: "/")
    }
}
