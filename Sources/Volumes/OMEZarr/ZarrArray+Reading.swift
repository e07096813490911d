/// A box of an array of any number of axes.
struct ZarrRegion: Sendable, Equatable {
    var origin: [Int]
    var extent: [Int]
}

/// Where the values of a region go: its first value's address and the distance in bytes along each axis.
private struct Target: Sendable {
    nonisolated(unsafe) var base: UnsafeMutableRawPointer
    var strides: [Int]

    func moved(by steps: [Int]) -> Target {
        Target(base: base + zip(strides, steps).reduce(0) { $0 + $1.0 * $1.1 }, strides: strides)
    }

    func permuted(_ order: [Int]) -> Target { Target(base: base, strides: order.map { strides[$0] }) }
}

extension ZarrArray {
    /// Copies the values of `region`, which lies within the shape, to `base`, those of neighbours along each axis
    /// `strides` bytes apart. Chunks are decoded on `threads` threads, each read once.
    ///
    /// - Throws: `FileFault` naming the chunk's file.
    func read(
        _ region: ZarrRegion, to base: UnsafeMutableRawPointer, strides: [Int], threads: Int
    ) throws {
        let target = Target(base: base, strides: strides)
        let grid = ZarrGrid(cell: chunk, touching: region)
        // Where chunks hold chunks, the inner ones are decoded at once instead: a shard's are many.
        let (outer, inner) = codecs.sharding == nil ? (threads, 1) : (1, threads)
        try grid.forEach(threads: outer) { cell, part in
            let name = (path.isEmpty ? "" : path + "/") + keys.file(cell)
            let target = target.moved(by: zip(part.origin, region.origin).map { $0 - $1 })
            guard let file = try folder.file(name) else { return fill(part.extent, target) }
            do {
                let local = ZarrRegion(
                    origin: zip(part.origin, zip(cell, chunk)).map { $0 - $1.0 * $1.1 }, extent: part.extent)
                var (start, shape) = (0, chunk)
                if hasChunkHeaders {
                    let header = try N5ChunkHeader(file, full: chunk)
                    (start, shape) = (header.size, header.shape)
                    guard zip(shape, zip(local.origin, local.extent)).allSatisfy({ $0 >= $1.0 + $1.1 }) else {
                        throw CodecFault("has the shape \(shape), which leaves out voxels of its array")
                    }
                }
                try decode(.file(file, start..<file.size), codecs, shape, local, target, threads: inner)
            } catch let fault as CodecFault {
                throw FileFault(folder.path + "/" + name, "the chunk \(fault.problem)")
            }
        }
    }

    /// Copies `region` of the chunk of `shape` in `piece`, encoded by `codecs`, to `target`.
    private func decode(
        _ piece: Piece, _ codecs: ZarrCodecs, _ shape: [Int], _ region: ZarrRegion, _ target: Target, threads: Int
    ) throws {
        guard let order = codecs.order else {
            return try decode(ordered: piece, codecs, shape, region, target, threads: threads)
        }
        try decode(
            ordered: piece, codecs, order.map { shape[$0] },
            ZarrRegion(origin: order.map { region.origin[$0] }, extent: order.map { region.extent[$0] }),
            target.permuted(order), threads: threads)
    }

    private func decode(
        ordered piece: Piece, _ codecs: ZarrCodecs, _ shape: [Int], _ region: ZarrRegion, _ target: Target,
        threads: Int
    ) throws {
        switch codecs.serializer {
        case .values(let isBigEndian):
            let size = shape.reduce(type.storedSize, *)
            let stored = try codecs.decompressed(try piece.whole(holding: size, codecs), size: size, isExact: true)
            let values = isBigEndian || type.isHalf ? type.values(stored, isBigEndian: isBigEndian) : stored
            copy(region, of: values, shape, to: target)
        case .shards(let sharding):
            var piece = piece
            if !codecs.compressors.isEmpty {
                let chunks = zip(shape, sharding.chunk).reduce(1) { $0 * ($1.0 / $1.1) }
                let size =
                    ZarrCompressor.largestEncoded(shape.reduce(type.storedSize, *))
                    + sharding.indexSize(chunks: chunks)
                let bytes = try piece.whole(holding: size, codecs)
                piece = .memory(try codecs.decompressed(bytes, size: size, isExact: false))
            }
            try decode(shard: piece, sharding, shape, region, target, threads: threads)
        }
    }

    private func decode(
        shard piece: Piece, _ sharding: ZarrSharding, _ shape: [Int], _ region: ZarrRegion, _ target: Target,
        threads: Int
    ) throws {
        let counts = zip(shape, sharding.chunk).map { $0 / $1 }
        let indexSize = sharding.indexSize(chunks: counts.reduce(1, *))
        guard piece.size >= indexSize else {
            throw CodecFault("has \(grouped(piece.size)) bytes, fewer than its index of \(grouped(indexSize))")
        }
        let start = sharding.indexIsAtStart ? 0 : piece.size - indexSize
        let chunks = try sharding.decodeIndex(piece.bytes(start..<start + indexSize), within: piece.size)
        try ZarrGrid(cell: sharding.chunk, touching: region).forEach(threads: threads) { cell, part in
            let target = target.moved(by: zip(part.origin, region.origin).map { $0 - $1 })
            let index = zip(cell, counts).reduce(0) { $0 * $1.1 + $1.0 }
            guard let range = chunks[index] else { return fill(part.extent, target) }
            let local = ZarrRegion(
                origin: zip(part.origin, zip(cell, sharding.chunk)).map { $0 - $1.0 * $1.1 }, extent: part.extent)
            do {
                try decode(piece.part(range), sharding.codecs, sharding.chunk, local, target, threads: 1)
            } catch let fault as CodecFault {
                throw CodecFault("within, number \(index), \(fault.problem)")
            }
        }
    }

    private func copy(_ region: ZarrRegion, of values: [UInt8], _ shape: [Int], to target: Target) {
        var strides = [Int](repeating: type.elementType.size, count: shape.count)
        for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
        let offset = zip(strides, region.origin).reduce(0) { $0 + $1.0 * $1.1 }
        values.withUnsafeBytes { source in
            StridedCopy(
                extent: region.extent, sourceStrides: strides, targetStrides: target.strides,
                size: type.elementType.size
            ).run(from: source.baseAddress! + offset, to: target.base)
        }
    }

    private func fill(_ extent: [Int], _ target: Target) {
        fillValue.withUnsafeBytes { source in
            StridedCopy(
                extent: extent, sourceStrides: extent.map { _ in 0 }, targetStrides: target.strides,
                size: type.elementType.size
            ).run(from: source.baseAddress!, to: target.base)
        }
    }
}

/// A chunk's encoded bytes: a range of a file, or in memory.
private enum Piece: Sendable {
    case file(ReadableFile, Range<Int>)
    case memory([UInt8])

    var size: Int {
        switch self {
        case .file(_, let range): range.count
        case .memory(let bytes): bytes.count
        }
    }

    /// A part of it; `range` lies within its size.
    func part(_ range: Range<Int>) -> Piece {
        switch self {
        case .file(let file, let own):
            .file(file, own.lowerBound + range.lowerBound..<own.lowerBound + range.upperBound)
        case .memory(let bytes): .memory(Array(bytes[range]))
        }
    }

    func bytes(_ range: Range<Int>) throws -> [UInt8] {
        guard case .file(let file, let own) = self else {
            guard case .memory(let bytes) = part(range) else { return [] }
            return bytes
        }
        let bytes = try file.read(range.count, at: own.lowerBound + range.lowerBound)
        guard bytes.count == range.count else { throw CodecFault("was cut while it was read") }
        return bytes
    }

    /// All of it, unless that is more than any encoding of `size` bytes by `codecs`.
    func whole(holding size: Int, _ codecs: ZarrCodecs) throws -> [UInt8] {
        let limit = codecs.compressors.reduce(size) { bound, _ in ZarrCompressor.largestEncoded(bound) }
        guard self.size <= limit else {
            throw CodecFault("has \(grouped(self.size)) bytes; expected at most \(grouped(limit))")
        }
        return try bytes(0..<self.size)
    }
}

/// The cells of a regular grid that share values with a region.
private struct ZarrGrid: Sendable {
    let cell: [Int]
    let region: ZarrRegion
    private let first: [Int]
    private let counts: [Int]

    init(cell: [Int], touching region: ZarrRegion) {
        self.cell = cell
        self.region = region
        first = zip(region.origin, cell).map { $0 / $1 }
        counts = cell.indices.map { axis in
            (region.origin[axis] + region.extent[axis] - 1) / cell[axis] - region.origin[axis] / cell[axis] + 1
        }
    }

    /// Calls `body` with the place in the grid of every cell and the part of the region within.
    func forEach(threads: Int, _ body: @Sendable ([Int], ZarrRegion) throws -> Void) throws {
        guard region.extent.allSatisfy({ $0 > 0 }) else { return }
        _ = try parallelMap(counts.reduce(1, *), threads: threads) { index in
            var (rest, place) = (index, first)
            for axis in counts.indices.reversed() {
                place[axis] += rest % counts[axis]
                rest /= counts[axis]
            }
            var part = region
            for axis in place.indices {
                let low = max(region.origin[axis], place[axis] * cell[axis])
                let high = min(region.origin[axis] + region.extent[axis], low - low % cell[axis] + cell[axis])
                part.origin[axis] = low
                part.extent[axis] = high - low
            }
            try body(place, part)
        }
    }
}
