/// Undoes what a TIFF's Predictor tag says was done to each row before compression.
enum TIFFPredictor: Int {
    case none = 1
    /// Each sample less its neighbour to the left (TIFF 6.0, section 14).
    case horizontal = 2
    /// The same of bytes, sorted by significance (Adobe Photoshop TIFF Technical Note 3).
    case floatingPoint = 3

    /// Turns rows as stored into values in this machine's byte order.
    ///
    /// - Parameters:
    ///   - rows: whole rows of `rowBytes`, of samples of `size` bytes, `samples` of them a pixel.
    ///   - isSwapped: whether the file's byte order is not this machine's.
    func undo(
        _ rows: UnsafeMutableRawBufferPointer, rowBytes: Int, size: Int, samples: Int, isSwapped: Bool
    ) {
        switch self {
        case .none: if isSwapped { rows.swapBytes(ofElements: size) }
        case .horizontal:
            if isSwapped { rows.swapBytes(ofElements: size) }
            for start in stride(from: 0, to: rows.count, by: rowBytes) {
                let row = UnsafeMutableRawBufferPointer(rebasing: rows[start..<start + rowBytes])
                switch size {
                case 1: accumulate(row.bindMemory(to: UInt8.self), step: samples)
                case 2: accumulate(row.bindMemory(to: UInt16.self), step: samples)
                case 4: accumulate(row.bindMemory(to: UInt32.self), step: samples)
                default: accumulate(row.bindMemory(to: UInt64.self), step: samples)
                }
            }
        case .floatingPoint:
            var sorted = [UInt8](repeating: 0, count: rowBytes)
            for start in stride(from: 0, to: rows.count, by: rowBytes) {
                let row = UnsafeMutableRawBufferPointer(rebasing: rows[start..<start + rowBytes])
                accumulate(row.bindMemory(to: UInt8.self), step: samples)
                sorted.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(row)) }
                gather(sorted, into: row, size: size)
            }
        }
    }

    private func accumulate<Word: FixedWidthInteger>(_ row: UnsafeMutableBufferPointer<Word>, step: Int) {
        guard row.count > step else { return }
        if step == 1 {
            var sum: Word = 0
            for index in row.indices {
                sum &+= row[index]
                row[index] = sum
            }
            return
        }
        for index in step..<row.count { row[index] &+= row[index - step] }
    }

    /// The highest bytes of all samples stand first in `sorted`, the lowest last, in either byte order.
    private func gather(_ sorted: [UInt8], into row: UnsafeMutableRawBufferPointer, size: Int) {
        let count = row.count / size
        for index in 0..<count {
            for place in 0..<size { row[index * size + size - 1 - place] = sorted[place * count + index] }
        }
    }
}
