extension BlockStore {
    /// Whether the shard is there and long enough to hold its index; its checksums are read by `read`.
    public func hasShard(_ box: Box, channel: Int = 0) -> Bool {
        guard let file = try? ReadableFile(shardFile(box, channel: channel)) else { return false }
        return file.size >= ShardingCodec.indexSize(chunks: layout.chunksPerShard.count)
    }

    /// Writes the voxels of `box`, which is made of whole shards, on `threads` threads.
    ///
    /// - Throws: `FileFault` where the disk is full or refuses; shards are complete or absent then.
    public func writeShards(of box: Box, channel: Int = 0, _ voxels: VoxelBuffer, threads: Int) throws {
        let shards = box.cells(of: layout.shard)
        // Few shards: their chunks are compressed side by side instead.
        let inner = max(1, threads / shards.count)
        _ = try parallelMap(shards.count, threads: threads) { index in
            let shard = shards[index]
            try writeShard(
                shard, channel: channel, voxels.cropped(to: shard.relative(to: box.origin)), threads: inner)
        }
    }

    /// Writes the voxels of `box`, one of `shards`, in place of any there; its chunks on `threads` threads.
    ///
    /// - Precondition: `voxels` has the box's shape and the store's type.
    /// - Throws: `FileFault` where the disk is full or refuses; the shard is then as it was.
    public func writeShard(
        _ box: Box, channel: Int = 0, _ voxels: VoxelBuffer, threads: Int = 1
    ) throws {
        precondition(box.origin.zip(layout.shard, %) == .zero, "\(box) is no shard of the store")
        precondition(Box(origin: box.origin, shape: layout.shard).intersection(Box(layout.shape)) == box)
        precondition(voxels.shape == box.shape && voxels.elementType == layout.elementType)
        precondition((0..<(layout.channels ?? 1)).contains(channel))
        let cells = Box(layout.shard).cells(of: layout.chunk)
        let chunks: [[UInt8]?] = try parallelMap(cells.count, threads: threads) { index in
            guard !cells[index].intersection(Box(box.shape)).isEmpty else { return nil }
            let bytes = voxels.bytes(of: cells[index])
            return try bytes.withUnsafeBytes(ShardingCodec.encodeChunk)
        }
        let pieces = chunks.compactMap { $0 } + [ShardingCodec.encodeIndex(of: chunks)]
        try AtomicFile.write(pieces, to: shardFile(box, channel: channel))
    }
}

extension VoxelBuffer {
    /// The bytes of the voxels of `box`, zeros where it reaches beyond the buffer.
    func bytes(of box: Box) -> [UInt8] {
        let size = elementType.size
        let part = box.intersection(Box(shape))
        var result = [UInt8](repeating: 0, count: box.count * size)
        result.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                copyVoxels(
                    of: part, from: source.baseAddress!, in: Box(shape), to: target.baseAddress!, in: box,
                    size: size)
            }
        }
        return result
    }
}

/// Copies the voxels of `part`, row by row, between two arrays of the boxes `sourceBox` and `targetBox`,
/// both of which contain it; a voxel has `size` bytes.
func copyVoxels(
    of part: Box, from source: UnsafeRawPointer, in sourceBox: Box,
    to target: UnsafeMutableRawPointer, in targetBox: Box, size: Int
) {
    func offset(_ z: Int, _ y: Int, in box: Box) -> Int {
        let row = (z - box.origin.z) * box.shape.y + (y - box.origin.y)
        return (row * box.shape.x + part.origin.x - box.origin.x) * size
    }
    for z in part.origin.z..<part.end.z {
        for y in part.origin.y..<part.end.y {
            (target + offset(z, y, in: targetBox)).copyMemory(
                from: source + offset(z, y, in: sourceBox), byteCount: part.shape.x * size)
        }
    }
}
