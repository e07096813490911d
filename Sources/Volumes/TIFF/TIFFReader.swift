import CTIFF
import Foundation

/// Reads a TIFF stack, one grey page a z section: classic and BigTIFF, in either byte order, stripped or tiled,
/// with every compression of the installed libtiff; ImageJ stacks, also those above 4 GB with a single directory,
/// and OME-TIFF of one channel and one time.
///
/// Reading a box decodes only the strips and tiles that it meets.
public final class TIFFReader: VolumeReader {
    public let info: VolumeInfo
    private let handle: TIFFHandle
    private let stack: TIFFStack

    /// Opens a stack and checks, without decoding, that every section lies within the file.
    ///
    /// - Throws: `FileFault` where the file is no TIFF, damaged, or of a kind that is not read.
    public init(path: String) throws {
        handle = try TIFFHandle(reading: path)
        stack = try TIFFStack(handle)
        let page = stack.layout
        info = VolumeInfo(
            source: path, format: TIFFIsBigTIFF(handle.pointer) != 0 ? "BigTIFF" : "TIFF", shape: stack.shape,
            elementType: page.elementType, voxelSize: stack.voxelSize,
            chunk: ZYX(1, min(page.chunkHeight, page.height), min(page.chunkWidth, page.width)),
            compression: page.compression.name)
    }

    public func read(_ box: Box) throws -> VoxelBuffer {
        precondition(Box(info.shape).contains(box), "\(box) is not within \(Box(info.shape))")
        let elementSize = info.elementType.size
        let sectionBytes = box.shape.y * box.shape.x * elementSize
        var bytes = [UInt8](repeating: 0, count: box.shape.z * sectionBytes)
        try bytes.withUnsafeMutableBytes { target in
            for z in 0..<box.shape.z {
                let section = UnsafeMutableRawBufferPointer(
                    rebasing: target[z * sectionBytes..<(z + 1) * sectionBytes])
                try read(section: box.origin.z + z, box, into: section)
            }
        }
        return VoxelBuffer(elementType: info.elementType, shape: box.shape, bytes: bytes)
    }

    private func read(section: Int, _ box: Box, into target: UnsafeMutableRawBufferPointer) throws {
        switch stack.sections[section] {
        case .page(let page) where page.isPlain:
            let firstRow: (Int) -> Int = { row in
                page.chunkOffsets[row / page.chunkHeight] + row % page.chunkHeight * page.rowBytes
            }
            try readRows(at: firstRow, section: section, box, into: target)
        case .page(let page):
            try decode(page, section: section, box, into: target)
        case .contiguous(let offset):
            let rowBytes = stack.layout.rowBytes
            try readRows(at: { offset + $0 * rowBytes }, section: section, box, into: target)
        }
    }

    /// Reads uncompressed rows where they lie; `offset` gives each row's first byte.
    private func readRows(
        at offset: (Int) -> Int, section: Int, _ box: Box, into target: UnsafeMutableRawBufferPointer
    ) throws {
        let elementSize = info.elementType.size
        let rowBytes = box.shape.x * elementSize
        let isWhole = box.shape.x == info.shape.x
        var row = 0
        while row < box.shape.y {
            let start = offset(box.origin.y + row)
            // Whole rows that follow each other are one read.
            var rows = 1
            while isWhole, row + rows < box.shape.y, offset(box.origin.y + row + rows) == start + rows * rowBytes {
                rows += 1
            }
            let part = UnsafeMutableRawBufferPointer(rebasing: target[row * rowBytes..<(row + rows) * rowBytes])
            try fill(part, from: start + box.origin.x * elementSize, section: section)
            row += rows
        }
        if TIFFIsByteSwapped(handle.pointer) != 0 { swapBytes(of: target, elementSize: elementSize) }
    }

    private func fill(_ target: UnsafeMutableRawBufferPointer, from offset: Int, section: Int) throws {
        var done = 0
        while done < target.count {
            let count = pread(
                handle.descriptor, target.baseAddress! + done, target.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw fault(section, "cannot be read: \(systemReason())") }
            guard count > 0 else {
                throw fault(
                    section,
                    "is truncated (expected \(grouped(target.count)) bytes at byte \(grouped(offset)), "
                        + "found \(grouped(done)))")
            }
            done += count
        }
    }

    /// Decodes the strips or tiles that meet `box` with libtiff, which undoes predictor, byte and fill order.
    private func decode(
        _ page: TIFFPage, section: Int, _ box: Box, into target: UnsafeMutableRawBufferPointer
    ) throws {
        handle.clearMessage()
        guard
            TIFFCurrentDirOffset(handle.pointer) == page.directory
                || TIFFSetSubDirectory(handle.pointer, page.directory) != 0
        else { throw fault(section, "cannot be read: \(handle.problem(otherwise: "its directory is damaged"))") }

        let elementSize = info.elementType.size
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: page.chunkBytes, alignment: 16)
        defer { scratch.deallocate() }
        let end = box.end
        for chunkRow in box.origin.y / page.chunkHeight...(end.y - 1) / page.chunkHeight {
            for chunkColumn in box.origin.x / page.chunkWidth...(end.x - 1) / page.chunkWidth {
                let index = chunkRow * page.chunksAcross + chunkColumn
                try decode(chunk: index, of: page, section: section, into: scratch)
                let top = chunkRow * page.chunkHeight
                let left = chunkColumn * page.chunkWidth
                let first = max(left, box.origin.x)
                let count = (min(left + page.chunkWidth, end.x) - first) * elementSize
                for y in max(top, box.origin.y)..<min(top + page.chunkHeight, end.y) {
                    let from = ((y - top) * page.chunkWidth + first - left) * elementSize
                    let to = ((y - box.origin.y) * box.shape.x + first - box.origin.x) * elementSize
                    (target.baseAddress! + to).copyMemory(from: scratch.baseAddress! + from, byteCount: count)
                }
            }
        }
    }

    private func decode(
        chunk index: Int, of page: TIFFPage, section: Int, into scratch: UnsafeMutableRawBufferPointer
    ) throws {
        handle.clearMessage()
        let expected = page.rows(ofChunk: index) * page.chunkWidth * page.elementType.size
        let found =
            page.isTiled
            ? TIFFReadEncodedTile(handle.pointer, UInt32(index), scratch.baseAddress, tmsize_t(expected))
            : TIFFReadEncodedStrip(handle.pointer, UInt32(index), scratch.baseAddress, tmsize_t(expected))
        if found == expected { return }
        let place = "\(page.isTiled ? "tile" : "strip") \(index + 1) of \(page.chunkOffsets.count)"
        let problem = handle.problem(
            otherwise: "expected \(grouped(expected)) bytes, found \(grouped(max(0, Int(found))))")
        throw fault(section, "cannot be decoded (\(place): \(problem))")
    }

    private func fault(_ section: Int, _ problem: String) -> FileFault {
        FileFault(handle.path, "section \(section + 1) of \(info.shape.z) \(problem)")
    }
}

/// Reverses the bytes of each value.
private func swapBytes(of bytes: UnsafeMutableRawBufferPointer, elementSize: Int) {
    switch elementSize {
    case 2: swapBytes(bytes.bindMemory(to: UInt16.self))
    case 4: swapBytes(bytes.bindMemory(to: UInt32.self))
    case 8: swapBytes(bytes.bindMemory(to: UInt64.self))
    default: break
    }
}

private func swapBytes<Word: FixedWidthInteger>(_ words: UnsafeMutableBufferPointer<Word>) {
    for index in words.indices { words[index] = words[index].byteSwapped }
}
