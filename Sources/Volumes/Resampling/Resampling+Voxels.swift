extension Resampling {
    /// What the voxels are, which says how one is made of others.
    public enum Kind: Sendable {
        /// Along axes that become coarser the mean of what a voxel covers, each source voxel weighted by the part of it
        /// that is covered, so that nothing aliases; along axes that become finer linear interpolation between the middles
        /// of the two nearest voxels, the outermost going on beyond its middle. Axis by axis in 32-bit floating point;
        /// integers are rounded to the nearest.
        case intensities
        /// The voxel that the middle of the new one lies in, whatever its value.
        case labels
    }

    /// Bytes of source voxels that are in memory at a time.
    private static let readBytes = 128 << 20

    /// The voxels of `box`, part of `target`. Each is the same whatever box it is asked for in.
    ///
    /// - Parameters:
    ///   - read: gives the voxels of a box, part of `source`, of `elementType`.
    ///   - threads: the most threads to use.
    public func voxels(
        of box: Box, _ kind: Kind, _ elementType: ElementType, threads: Int, read: (Box) throws -> VoxelBuffer
    ) throws -> VoxelBuffer {
        precondition(target.contains(box), "\(box) is not within \(target)")
        let bytesRead = (Double(elementType.size) * step.array.reduce(1, *)).rounded(.up)
        let parts = box.pieces(ofShards: ZYX(32, 64, 64), size: max(1, Int(bytesRead)), atMost: Self.readBytes)
        let bytes = try [UInt8](ofSize: box.count * elementType.size) { target in
            for part in parts {
                let work = PartResampling(self, part, kind)
                let voxels = try read(work.sources(of: part))
                try elementType.visit(
                    PartVisitor(work: work, voxels: voxels, target: target, box: box, threads: threads))
            }
        }
        return VoxelBuffer(elementType: elementType, shape: box.shape, bytes: bytes)
    }

    /// The voxels of `source` that those of `box`, part of `target`, are made of.
    public func sources(of box: Box, _ kind: Kind) -> Box { PartResampling(self, box, kind).sources(of: box) }

    /// The labels of `box`, part of `target`.
    ///
    /// - Parameter voxels: those of `region`, which has the sources of the box.
    public func labels<Element: VoxelElement>(
        _ voxels: Volume<Element>, of region: Box, in box: Box
    ) -> Volume<Element> {
        let work = PartResampling(self, box, .labels)
        precondition(voxels.shape == region.shape && region.contains(work.sources(of: box)))
        let voxels = [Element](unsafeUninitializedCapacity: box.count) { target, count in
            voxels.voxels.withUnsafeBufferPointer {
                work.takeNearest($0.baseAddress!, in: region, target.baseAddress!, of: box, box)
            }
            count = box.count
        }
        return Volume(shape: box.shape, voxels: voxels)
    }
}

private struct PartVisitor: VoxelTypeVisitor {
    let work: PartResampling
    /// Of the sources of `work.part`.
    let voxels: VoxelBuffer
    /// Of `box`.
    let target: UnsafeMutableRawBufferPointer
    let box: Box
    let threads: Int

    func visit<Element: VoxelElement>(_ type: Element.Type) throws(any Error) {
        // Small enough for a processor's own cache.
        let cells = work.part.cells(of: ZYX(32, 32, 128))
        let sources = work.sources(of: work.part)
        // Cells are disjoint voxels of the target.
        nonisolated(unsafe) let target = target.bindMemory(to: type).baseAddress!
        try voxels.bytes.withUnsafeBytes { bytes in
            nonisolated(unsafe) let voxels = bytes.bindMemory(to: type).baseAddress!
            _ = try parallelMap(cells.count, threads: threads) { [work, box] index in
                switch work.kind {
                case .intensities: work.mix(voxels, in: sources, target, of: box, cells[index])
                case .labels: work.takeNearest(voxels, in: sources, target, of: box, cells[index])
                }
            }
        }
    }
}
