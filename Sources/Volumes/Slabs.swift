extension Box {
    /// Boxes of whole sections that cover this one in z order, each of at most `bytes` where a row of chunks allows.
    ///
    /// - Parameters:
    ///   - thickness: of a row of chunks: slabs are multiples of it, so that no chunk is decoded twice, unless a single row has
    ///     more than `bytes`.
    ///   - size: bytes a voxel.
    public func slabs(thickness: Int, size: Int, atMost bytes: Int) -> [Box] {
        let (section, overflow) = (shape.y * shape.x).multipliedReportingOverflow(by: size)
        let sections = overflow ? 1 : max(1, bytes / max(1, section))
        let height = sections >= thickness ? sections / thickness * thickness : sections
        return cells(of: ZYX(height, shape.y, shape.x))
    }

    /// Boxes of whole shards that cover this one in z, y, x order: as many in x, then in y, as have at most `bytes`.
    public func pieces(ofShards shard: ZYX<Int>, size: Int, atMost bytes: Int) -> [Box] {
        var piece = shard
        func grow(_ axis: WritableKeyPath<ZYX<Int>, Int>) {
            let voxels = piece.count / piece[keyPath: axis]
            let most = max(1, bytes / (voxels * size) / shard[keyPath: axis])
            let wanted = (shape[keyPath: axis] + shard[keyPath: axis] - 1) / shard[keyPath: axis]
            piece[keyPath: axis] = min(most, wanted) * shard[keyPath: axis]
        }
        grow(\.x)
        if piece.x >= shape.x { grow(\.y) }
        return cells(of: piece)
    }
}
