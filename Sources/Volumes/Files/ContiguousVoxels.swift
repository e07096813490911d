import Foundation

/// A volume whose voxels stand in a file one after the other, x fastest, as in NIfTI and MRC.
struct ContiguousVoxels {
    let source: ByteSource
    /// The first voxel's first byte.
    let offset: Int
    let shape: ZYX<Int>
    let voxel: StoredVoxel
    let isSwapped: Bool

    /// One volume of a file in which all channels' and times' follow each other from `start` on, times fastest.
    ///
    /// - Parameter selection: The channel and time, both chosen and there.
    /// - Throws: `FileFault` where the file cannot hold them all.
    init(
        in source: ByteSource, from start: Int, shape: ZYX<Int>, voxel: StoredVoxel, isBigEndian: Bool,
        times: Int = 1, channels: Int = 1, _ selection: VolumeSelection
    ) throws {
        let available = max(0, source.largestSize - start)
        // A voxel has at most 8 bytes.
        let row = shape.x <= Int.max / 8 ? voxel.bytes(of: 0..<shape.x).count : nil
        let volume = product([row, shape.y, shape.z])
        guard let volume, let size = product([volume, times, channels]), size <= available else {
            throw FileFault(
                source.file.path,
                "is truncated: expected \(product([volume, times, channels]).map(grouped) ?? "more than 2⁶³") bytes of "
                    + "voxels at byte \(grouped(start)), found \(source.isPacked ? "at most " : "")\(grouped(available))"
            )
        }
        self.source = source
        offset = start + ((selection.channel ?? 0) * times + (selection.time ?? 0)) * volume
        self.shape = shape
        self.voxel = voxel
        self.isSwapped = isBigEndian != (Int(bigEndian: 1) == 1)
    }

    func read(_ box: Box) throws -> VoxelBuffer {
        precondition(Box(shape).contains(box), "\(box) is not within \(Box(shape))")
        let rows = box.shape.z * box.shape.y
        let rowBytes = box.shape.x * voxel.elementType.size
        let rowsAtOnce = max(1, Self.bytesAtOnce / max(1, rowBytes))
        let bytes = try [UInt8](ofSize: rows * rowBytes) { target in
            // Rows fill disjoint parts of the target, and a packed file is read by one thread.
            nonisolated(unsafe) let target = target
            nonisolated(unsafe) let voxels = self
            let threads = source.isPacked ? 1 : ProcessInfo.processInfo.activeProcessorCount
            _ = try parallelMap((rows + rowsAtOnce - 1) / rowsAtOnce, threads: threads) { batch in
                let batch = batch * rowsAtOnce..<min(rows, (batch + 1) * rowsAtOnce)
                let part = target[batch.lowerBound * rowBytes..<batch.upperBound * rowBytes]
                try voxels.read(rows: batch, of: box, into: UnsafeMutableRawBufferPointer(rebasing: part))
            }
        }
        return VoxelBuffer(elementType: voxel.elementType, shape: box.shape, bytes: bytes)
    }

    /// Large enough that a call of the system costs nothing, small enough for a processor's cache.
    private static let bytesAtOnce = 1 << 20

    /// Reads rows of `box`, counted through its sections: in one go where they follow each other in the file.
    private func read(rows: Range<Int>, of box: Box, into target: UnsafeMutableRawBufferPointer) throws {
        let columns = box.origin.x..<box.end.x
        let stored = voxel.bytes(of: columns)
        let stride = voxel.bytes(of: 0..<shape.x).count
        let rowBytes = columns.count * voxel.elementType.size
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: isPlain ? 0 : rows.count * stored.count, alignment: 16)
        defer { scratch.deallocate() }
        var row = rows.lowerBound
        while row < rows.upperBound {
            let run = row..<min(rows.upperBound, endOfRun(at: row, of: box))
            let first = (row - rows.lowerBound) * rowBytes
            let values = UnsafeMutableRawBufferPointer(rebasing: target[first..<first + run.count * rowBytes])
            let bytes = isPlain ? values : .init(rebasing: scratch[..<(run.count * stored.count)])
            let section = box.origin.z + row / box.shape.y
            let start = offset + (section * shape.y + box.origin.y + row % box.shape.y) * stride + stored.lowerBound
            guard try source.read(into: bytes, at: start) == bytes.count else {
                throw FileFault(source.file.path, "is truncated at section \(section + 1) of \(shape.z)")
            }
            voxel.decode(bytes, of: columns, isSwapped: isSwapped, into: values)
            row = run.upperBound
        }
    }

    /// One past the last row of `box` that follows row `row` without a gap in the file.
    private func endOfRun(at row: Int, of box: Box) -> Int {
        guard box.shape.x == shape.x else { return row + 1 }
        return box.shape.y == shape.y ? box.shape.z * box.shape.y : (row / box.shape.y + 1) * box.shape.y
    }

    private var isPlain: Bool { if case .plain = voxel { true } else { false } }
}

/// The product of numbers that are not negative; nil where it is larger than any integer, or one of them is not known.
private func product(_ factors: [Int?]) -> Int? {
    factors.reduce(1) { product, factor in
        guard let product, let factor else { return nil }
        let (next, overflow) = product.multipliedReportingOverflow(by: factor)
        return overflow ? nil : next
    }
}
