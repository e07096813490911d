extension BlockStore {
    /// The voxels of `box`, from the chunks that it touches and no others, decoded on `threads` threads.
    ///
    /// - Precondition: the box lies within the shape.
    /// - Throws: `DamagedStore` for a shard or chunk that is missing, cut or altered; `FileFault` where the
    ///   disk refuses.
    public func read(_ box: Box, channel: Int = 0, threads: Int = 1) throws -> VoxelBuffer {
        precondition(Box(layout.shape).contains(box), "\(box) is not within \(Box(layout.shape))")
        precondition((0..<(layout.channels ?? 1)).contains(channel))
        let size = box.count * layout.elementType.size
        let bytes = try [UInt8](ofSize: size) { target in
            for shard in cells(of: layout.shard, touching: box) {
                let chunks = cells(of: layout.chunk, touching: box.intersection(shard))
                let file = try Shard(shardFile(shard, channel: channel), layout: layout)
                try file.read(
                    box, ofShardAt: shard.origin, chunks: chunks, into: target, threads: threads)
            }
        }
        return VoxelBuffer(elementType: layout.elementType, shape: box.shape, bytes: bytes)
    }

    /// The cells of the grid of `cell` that share voxels with `box`, whole.
    func cells(of cell: ZYX<Int>, touching box: Box) -> [Box] {
        guard !box.isEmpty else { return [] }
        let first = box.origin.zip(cell) { $0 / $1 * $1 }
        let last = box.end.zip(cell) { ($0 + $1 - 1) / $1 * $1 }
        return Box(from: first, to: last).cells(of: cell)
    }
}

/// One shard's file, open, its index read and checked.
private struct Shard: Sendable {
    let file: ReadableFile
    let layout: BlockStore.Layout
    let chunks: [Range<Int>?]

    init(_ path: String, layout: BlockStore.Layout) throws {
        self.layout = layout
        do {
            file = try ReadableFile(path)
            let indexSize = ShardingCodec.indexSize(chunks: layout.chunksPerShard.count)
            let end = file.size - indexSize
            guard end >= 0 else {
                throw CodecFault("has \(file.size) bytes, fewer than its index of \(indexSize)")
            }
            let index = try file.read(indexSize, at: end)
            chunks = try ShardingCodec.decodeIndex(index, within: end)
        } catch is MissingFile {
            throw DamagedStore(path: path, problem: "is missing; every shard of a finished store is written")
        } catch let fault as CodecFault {
            throw DamagedStore(path: path, problem: fault.problem)
        }
    }

    /// Copies the voxels that `boxes`, chunks of this shard, share with `box` into `target`, the array of `box`.
    func read(
        _ box: Box, ofShardAt origin: ZYX<Int>, chunks boxes: [Box],
        into target: UnsafeMutableRawBufferPointer, threads: Int
    ) throws {
        // Chunks fill disjoint voxels of the target.
        nonisolated(unsafe) let target = target.baseAddress!
        let size = layout.elementType.size
        _ = try parallelMap(boxes.count, threads: threads) { index in
            let chunk = boxes[index]
            let bytes = try decoded(chunk, ofShardAt: origin)
            bytes.withUnsafeBytes { source in
                copyVoxels(
                    of: chunk.intersection(box), from: source.baseAddress!, in: chunk, to: target, in: box,
                    size: size)
            }
        }
    }

    private func decoded(_ chunk: Box, ofShardAt origin: ZYX<Int>) throws -> [UInt8] {
        let cell = (chunk.origin - origin).zip(layout.chunk, /)
        let counts = layout.chunksPerShard
        let size = chunk.count * layout.elementType.size
        do {
            guard let range = chunks[(cell.z * counts.y + cell.y) * counts.x + cell.x] else {
                throw CodecFault("is missing; every chunk of a finished store is written")
            }
            let encoded = try file.read(range.count, at: range.lowerBound)
            return try [UInt8](unsafeUninitializedCapacity: size) { target, count in
                let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(target)[..<size])
                try ShardingCodec.decodeChunk(encoded, into: target)
                count = size
            }
        } catch let fault as CodecFault {
            throw DamagedStore(path: file.path, problem: "the chunk at \(chunk) \(fault.problem)")
        }
    }
}
