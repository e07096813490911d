/// How a block of voxels becomes one of the next level.
enum Downsampling: Sendable {
    /// The mean of the block; of integers rounded to the nearest, halves up.
    case mean
    /// The most frequent label of the block; of labels equally frequent the smallest that is not 0, so that thin
    /// objects outlast the background.
    case mode

    /// The rule in words, for whoever opens the file.
    var description: String {
        switch self {
        case .mean: "mean of each block of voxels of the level before"
        case .mode:
            "most frequent label of each block of voxels of the level before; "
                + "of labels equally frequent the smallest that is not 0"
        }
    }

    /// The voxels of `whole` reduced by `step`, 1 or 2 along each axis; at an odd end a block has fewer voxels.
    func reduced(_ whole: VoxelBuffer, by step: ZYX<Int>, threads: Int) throws -> VoxelBuffer {
        // Written out, so that each type has its own machine code.
        switch (self, whole.elementType) {
        case (.mean, .uint8): try reduced(whole, step, threads, UInt8.self, Self.mean)
        case (.mean, .int8): try reduced(whole, step, threads, Int8.self, Self.mean)
        case (.mean, .uint16): try reduced(whole, step, threads, UInt16.self, Self.mean)
        case (.mean, .int16): try reduced(whole, step, threads, Int16.self, Self.mean)
        case (.mean, .uint32): try reduced(whole, step, threads, UInt32.self, Self.mean)
        case (.mean, .int32): try reduced(whole, step, threads, Int32.self, Self.mean)
        case (.mean, .uint64): try reduced(whole, step, threads, UInt64.self, Self.mean)
        case (.mean, .int64): try reduced(whole, step, threads, Int64.self, Self.mean)
        case (.mean, .float32): try reduced(whole, step, threads, Float.self, Self.mean)
        case (.mean, .float64): try reduced(whole, step, threads, Double.self, Self.mean)
        case (.mode, .uint8): try reduced(whole, step, threads, UInt8.self, Self.mode)
        case (.mode, .int8): try reduced(whole, step, threads, Int8.self, Self.mode)
        case (.mode, .uint16): try reduced(whole, step, threads, UInt16.self, Self.mode)
        case (.mode, .int16): try reduced(whole, step, threads, Int16.self, Self.mode)
        case (.mode, .uint32): try reduced(whole, step, threads, UInt32.self, Self.mode)
        case (.mode, .int32): try reduced(whole, step, threads, Int32.self, Self.mode)
        case (.mode, .uint64): try reduced(whole, step, threads, UInt64.self, Self.mode)
        case (.mode, .int64): try reduced(whole, step, threads, Int64.self, Self.mode)
        case (.mode, .float32), (.mode, .float64): preconditionFailure("labels are integers")
        }
    }

    /// Up to eight voxels.
    private typealias Block<Element> = UnsafeMutableBufferPointer<Element>

    @inline(__always)
    private func reduced<Element: VoxelElement>(
        _ whole: VoxelBuffer, _ step: ZYX<Int>, _ threads: Int, _ type: Element.Type,
        _ one: @Sendable (Block<Element>) -> Element
    ) throws -> VoxelBuffer {
        let shape = step.cells(covering: whole.shape)
        let bytes = try [UInt8](unsafeUninitializedCapacity: shape.count * Element.size) { target, count in
            // Threads fill disjoint rows of the target.
            nonisolated(unsafe) let target = UnsafeMutableRawPointer(target.baseAddress!)
            try whole.bytes.withUnsafeBytes { source in
                nonisolated(unsafe) let source = source.baseAddress!
                _ = try parallelMap(shape.z, threads: threads) { z in
                    for y in 0..<shape.y {
                        let rows = Self.rows(source, whole, step, z, y, type)
                        let output = (target + (z * shape.y + y) * shape.x * Element.size)
                            .assumingMemoryBound(to: type)
                        Self.reduce(rows, whole.shape.x, step.x, to: output, one)
                    }
                }
            }
            count = shape.count * Element.size
        }
        return VoxelBuffer(elementType: whole.elementType, shape: shape, bytes: bytes)
    }

    /// The rows of voxels, up to four, that an output row is made from.
    private static func rows<Element: VoxelElement>(
        _ source: UnsafeRawPointer, _ whole: VoxelBuffer, _ step: ZYX<Int>, _ z: Int, _ y: Int, _ type: Element.Type
    ) -> [UnsafePointer<Element>] {
        (z * step.z..<min((z + 1) * step.z, whole.shape.z)).flatMap { z in
            (y * step.y..<min((y + 1) * step.y, whole.shape.y)).map { y in
                (source + (z * whole.shape.y + y) * whole.shape.x * Element.size).assumingMemoryBound(to: type)
            }
        }
    }

    @inline(__always)
    private static func reduce<Element: VoxelElement>(
        _ rows: [UnsafePointer<Element>], _ length: Int, _ step: Int, to output: UnsafeMutablePointer<Element>,
        _ one: (Block<Element>) -> Element
    ) {
        withUnsafeTemporaryAllocation(of: Element.self, capacity: 8) { block in
            for x in 0..<(length + step - 1) / step {
                var count = 0
                for row in rows {
                    for position in x * step..<min((x + 1) * step, length) {
                        block.initializeElement(at: count, to: row[position])
                        count += 1
                    }
                }
                output[x] = one(Block(rebasing: block[..<count]))
            }
        }
    }

    /// Without overflow in the voxels' own type: a block has a power of two of them.
    @Sendable @inline(__always)
    private static func mean<Element: VoxelElement & FixedWidthInteger>(_ block: Block<Element>) -> Element {
        let shift = block.count.trailingZeroBitCount
        let mask = Element(block.count - 1)
        var (whole, rest) = (Element.zero, Element(block.count / 2))
        for value in block {
            whole &+= value >> shift
            rest &+= value & mask
        }
        return whole &+ rest >> shift
    }

    @Sendable @inline(__always)
    private static func mean<Element: VoxelElement & BinaryFloatingPoint>(_ block: Block<Element>) -> Element {
        Element(block.reduce(0.0) { $0 + Double($1) } / Double(block.count))
    }

    @Sendable @inline(__always)
    private static func mode<Element: VoxelElement & FixedWidthInteger>(_ block: Block<Element>) -> Element {
        let first = block[0]
        guard block.contains(where: { $0 != first }) else { return first }
        var (best, most) = (first, 0)
        for label in block {
            let count = block.count { $0 == label }
            if count > most || (count == most && label != 0 && (best == 0 || label < best)) {
                (best, most) = (label, count)
            }
        }
        return best
    }
}
