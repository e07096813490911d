/// How a file keeps a voxel where its bytes stand as they are, and as what the voxel is read.
enum StoredVoxel: Equatable {
    /// Read as it is.
    case plain(ElementType)
    /// Read as `slope` × value + `intercept`, in float32, or in float64 where the stored values have more digits.
    case scaled(ElementType, slope: Double, intercept: Double)
    /// IEEE 754's binary16, read as float32.
    case half
    /// Two unsigned voxels a byte, the first in its lower half, each row from a byte of its own; read as uint8.
    case nibble

    /// The type as which voxels are read.
    var elementType: ElementType {
        switch self {
        case .plain(let type): type
        case .scaled(let type, _, _): type.size > 2 && type != .float32 ? .float64 : .float32
        case .half: .float32
        case .nibble: .uint8
        }
    }

    /// The bytes of a row that hold the voxels of `columns`.
    func bytes(of columns: Range<Int>) -> Range<Int> {
        switch self {
        case .plain(let type), .scaled(let type, _, _):
            columns.lowerBound * type.size..<columns.upperBound * type.size
        case .half: columns.lowerBound * 2..<columns.upperBound * 2
        case .nibble: columns.lowerBound / 2..<(columns.upperBound + 1) / 2
        }
    }

    /// Reads rows of the voxels of `columns` into `target`, which may be `source` itself where they are plain.
    ///
    /// - Parameter isSwapped: Whether the values are of the other byte order; `source` is then changed.
    func decode(
        _ source: UnsafeMutableRawBufferPointer, of columns: Range<Int>, isSwapped: Bool,
        into target: UnsafeMutableRawBufferPointer
    ) {
        switch self {
        case .plain(let type):
            if isSwapped { source.swapBytes(ofElements: type.size) }
            if source.baseAddress != target.baseAddress { target.copyMemory(from: UnsafeRawBufferPointer(source)) }
        case .scaled(let type, let slope, let intercept):
            if isSwapped { source.swapBytes(ofElements: type.size) }
            let isDouble = elementType == .float64
            type.visit(
                Scaling(source: source, target: target, isDouble: isDouble, slope: slope, intercept: intercept))
        case .half:
            if isSwapped { source.swapBytes(ofElements: 2) }
            let (values, results) = (source.bindMemory(to: Float16.self), target.bindMemory(to: Float.self))
            for index in results.indices { results[index] = Float(values[index]) }
        case .nibble:
            let stride = bytes(of: columns).count
            for index in target.indices {
                let (row, place) = index.quotientAndRemainder(dividingBy: columns.count)
                let column = columns.lowerBound + place
                let byte = source[row * stride + column / 2 - columns.lowerBound / 2]
                target[index] = column % 2 == 0 ? byte & 15 : byte >> 4
            }
        }
    }
}

private struct Scaling: VoxelTypeVisitor {
    let source: UnsafeMutableRawBufferPointer
    let target: UnsafeMutableRawBufferPointer
    let isDouble: Bool
    let slope: Double
    let intercept: Double

    func visit<Stored: VoxelElement>(_ type: Stored.Type) throws(Never) {
        let values = source.bindMemory(to: type)
        if isDouble {
            let results = target.bindMemory(to: Double.self)
            for index in results.indices { results[index] = values[index].double * slope + intercept }
        } else {
            let results = target.bindMemory(to: Float.self)
            for index in results.indices { results[index] = Float(values[index].double * slope + intercept) }
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Reverses the bytes of each element of `size` bytes.
    func swapBytes(ofElements size: Int) {
        func swap<Word: FixedWidthInteger>(_ words: UnsafeMutableBufferPointer<Word>) {
            for index in words.indices { words[index] = words[index].byteSwapped }
        }
        switch size {
        case 2: swap(bindMemory(to: UInt16.self))
        case 4: swap(bindMemory(to: UInt32.self))
        case 8: swap(bindMemory(to: UInt64.self))
        default: break
        }
    }
}
