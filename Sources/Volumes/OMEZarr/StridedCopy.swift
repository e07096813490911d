/// A copy between two arrays whose values lie at any distance along each axis: in C or Fortran order, transposed,
/// or all the same one.
struct StridedCopy {
    private var extent: [Int] = []
    private var sourceStrides: [Int] = []
    private var targetStrides: [Int] = []
    private let size: Int

    /// - Parameters:
    ///   - extent: The number of values along each axis.
    ///   - sourceStrides: Bytes between neighbours; 0 repeats a value.
    ///   - size: Bytes a value.
    init(extent: [Int], sourceStrides: [Int], targetStrides: [Int], size: Int) {
        self.size = size
        // The target's fastest axis comes last, so that writing goes on from value to value.
        let axes = extent.indices.filter { extent[$0] > 1 }.sorted { targetStrides[$0] > targetStrides[$1] }
        self.extent = axes.map { extent[$0] }
        self.sourceStrides = axes.map { sourceStrides[$0] }
        self.targetStrides = axes.map { targetStrides[$0] }
        mergeRows()
    }

    /// Axes whose rows follow each other in both arrays are one.
    private mutating func mergeRows() {
        while extent.count > 1 {
            let (outer, inner) = (extent.count - 2, extent.count - 1)
            guard sourceStrides[outer] == sourceStrides[inner] * extent[inner],
                targetStrides[outer] == targetStrides[inner] * extent[inner]
            else { return }
            extent[outer] *= extent[inner]
            sourceStrides[outer] = sourceStrides[inner]
            targetStrides[outer] = targetStrides[inner]
            extent.removeLast()
            sourceStrides.removeLast()
            targetStrides.removeLast()
        }
    }

    func run(from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
        guard !extent.isEmpty else { return target.copyMemory(from: source, byteCount: size) }
        copy(axis: 0, source, target)
    }

    private func copy(axis: Int, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
        guard axis < extent.count - 1 else { return copyRow(source, target) }
        for step in 0..<extent[axis] {
            copy(axis: axis + 1, source + step * sourceStrides[axis], target + step * targetStrides[axis])
        }
    }

    private func copyRow(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
        let axis = extent.count - 1
        if sourceStrides[axis] == size && targetStrides[axis] == size {
            return target.copyMemory(from: source, byteCount: extent[axis] * size)
        }
        switch size {
        case 1: copyRow(of: UInt8.self, source, target)
        case 2: copyRow(of: UInt16.self, source, target)
        case 4: copyRow(of: UInt32.self, source, target)
        default: copyRow(of: UInt64.self, source, target)
        }
    }

    private func copyRow<Word: BitwiseCopyable>(
        of type: Word.Type, _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer
    ) {
        let (from, to) = (sourceStrides[extent.count - 1], targetStrides[extent.count - 1])
        for step in 0..<extent[extent.count - 1] {
            let value = source.loadUnaligned(fromByteOffset: step * from, as: type)
            target.storeBytes(of: value, toByteOffset: step * to, as: type)
        }
    }
}
