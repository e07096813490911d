import CTIFF
import Foundation

/// Reads one channel at one time of a TIFF: classic and BigTIFF, in either byte order, stripped or tiled, of grey values
/// or of several samples a pixel, with every compression in use that the installed libtiff knows; ImageJ hyperstacks,
/// also those above 4 GB with a single directory, and OME-TIFF, also of several files.
///
/// Reading a box decodes only the strips and tiles that it meets, on all cores.
public final class TIFFReader: VolumeReader, Sendable {
    public let info: VolumeInfo
    private let stack: TIFFStack
    private let decoders: Workers<TIFFDecoder>
    /// Decoders together hold a few chunks of the largest size at most.
    private let threads: Int

    /// Opens a stack and checks, without decoding, that every section lies within the file.
    ///
    /// - Throws: `FileFault` where the file is no TIFF, damaged, of a kind that is not read, or has several channels
    ///   or times of which none is chosen.
    public init(path: String, _ selection: VolumeSelection = VolumeSelection()) throws {
        let handle = try TIFFHandle(reading: path)
        let stack = try TIFFStack(handle, selection)
        self.stack = stack
        decoders = Workers { TIFFDecoder(stack.files) }
        let page = stack.layout
        let largest = stack.sections.reduce(1) { max($0, $1.page.isPlain ? 1 : $1.page.chunkBytes) }
        threads = max(1, min(ProcessInfo.processInfo.activeProcessorCount, TIFFPage.largestChunk / largest))
        var info = VolumeInfo(
            source: path, format: TIFFIsBigTIFF(handle.pointer) != 0 ? "BigTIFF" : "TIFF", shape: stack.shape,
            elementType: page.sample.elementType, voxelSize: stack.voxelSize,
            chunk: page.chunk.zip(page.shape, min), compression: page.compression.name)
        info.channels = stack.channels
        info.times = stack.times
        info.notes = stack.guess.map { [$0] } ?? []
        self.info = info
    }

    public func read(_ box: Box) throws -> VoxelBuffer {
        precondition(Box(info.shape).contains(box), "\(box) is not within \(Box(info.shape))")
        if box.isEmpty { return VoxelBuffer(elementType: info.elementType, shape: box.shape, bytes: []) }
        let pieces = self.pieces(of: box)
        let bytes = try [UInt8](ofSize: box.count * info.elementType.size) { target in
            // Each piece has its own part of the box.
            nonisolated(unsafe) let target = target
            let run = piecesInARow(pieces.count, bytes: target.count)
            try decoders.forEach((pieces.count + run - 1) / run, threads: threads) { index, decoder in
                for piece in pieces[index * run..<min((index + 1) * run, pieces.count)] {
                    try read(piece, of: box, into: target, decoder)
                }
            }
        }
        return VoxelBuffer(elementType: info.elementType, shape: box.shape, bytes: bytes)
    }

    /// How many pieces that follow each other one thread takes: about 4 MiB, as threads that fill the same large page of
    /// new memory both clear it first; fewer where that would leave threads idle.
    private func piecesInARow(_ count: Int, bytes: Int) -> Int {
        let wanted = (4 << 20) / max(1, bytes / count)
        return max(1, min(wanted, count / (4 * threads)))
    }

    /// A part of a box that one thread reads at once.
    private enum Piece {
        /// Rows of an uncompressed section, read where they lie.
        case rows(section: Int, Range<Int>)
        /// What a strip or tile has of a section.
        case chunk(section: Int, row: Int, column: Int)

        var section: Int {
            switch self {
            case .rows(let section, _), .chunk(let section, _, _): section
            }
        }
    }

    /// Bytes of an uncompressed section that are read at once.
    private static let pieceBytes = 1 << 20

    private func pieces(of box: Box) -> [Piece] {
        var pieces: [Piece] = []
        let end = box.end
        for section in box.origin.z..<end.z {
            let page = stack.sections[section].page
            if page.isPlain {
                let rows = max(1, TIFFReader.pieceBytes / (box.shape.x * info.elementType.size))
                for row in stride(from: box.origin.y, to: end.y, by: rows) {
                    pieces.append(.rows(section: section, row..<min(row + rows, end.y)))
                }
                continue
            }
            for row in box.origin.y / page.chunk.y...(end.y - 1) / page.chunk.y {
                for column in box.origin.x / page.chunk.x...(end.x - 1) / page.chunk.x {
                    pieces.append(.chunk(section: section, row: row, column: column))
                }
            }
        }
        return pieces
    }

    private func read(
        _ piece: Piece, of box: Box, into target: UnsafeMutableRawBufferPointer, _ decoder: TIFFDecoder
    ) throws {
        do {
            switch piece {
            case .rows(let section, let rows):
                try readRows(rows, of: stack.sections[section], z: section, of: box, into: target, decoder)
            case .chunk(let section, let row, let column):
                try readChunk(row, column, of: stack.sections[section], z: section, of: box, into: target, decoder)
            }
        } catch let fault as ChunkFault {
            throw FileFault(
                stack.files[stack.sections[piece.section].file].path,
                "section \(piece.section + 1) of \(info.shape.z) \(fault.problem)")
        }
    }

    private func readRows(
        _ rows: Range<Int>, of section: TIFFStack.Section, z: Int, of box: Box,
        into target: UnsafeMutableRawBufferPointer, _ decoder: TIFFDecoder
    ) throws {
        let page = section.page
        let rowBytes = box.shape.x * info.elementType.size
        let isWhole = box.shape.x == info.shape.x
        let plane = page.isPlanar ? sample(page) : 0
        func offset(_ row: Int) -> Int {
            let chunk = (plane * page.grid.y) + row / page.chunk.y
            return page.extent(ofChunk: chunk).offset + row % page.chunk.y * page.chunkRowBytes
        }
        var row = rows.lowerBound
        while row < rows.upperBound {
            let start = offset(row)
            // Whole rows that follow each other are one read.
            var end = isWhole && page.runStart != nil ? rows.upperBound : row + 1
            while isWhole, end < rows.upperBound, offset(end) == start + (end - row) * rowBytes { end += 1 }
            let to = ((z - box.origin.z) * box.shape.y + row - box.origin.y) * rowBytes
            let part = UnsafeMutableRawBufferPointer(rebasing: target[to..<to + (end - row) * rowBytes])
            try decoder.readPlain(
                part, file: section.file, at: start + box.origin.x * info.elementType.size)
            if page.isSwapped { swapBytes(of: part, elementSize: info.elementType.size) }
            row = end
        }
    }

    private func readChunk(
        _ row: Int, _ column: Int, of section: TIFFStack.Section, z: Int, of box: Box,
        into target: UnsafeMutableRawBufferPointer, _ decoder: TIFFDecoder
    ) throws {
        let page = section.page
        let grid = page.grid
        let plane = page.isPlanar ? sample(page) : 0
        let index = ((plane * grid.z + section.depth / page.chunk.z) * grid.y + row) * grid.x + column
        let elementSize = info.elementType.size
        let top = row * page.chunk.y
        let left = column * page.chunk.x
        let rows = max(top, box.origin.y)..<min(top + page.rows(ofChunk: index), box.end.y)
        let columns = max(left, box.origin.x)..<min(left + page.chunk.x, box.end.x)
        func place(_ y: Int) -> Int {
            (((z - box.origin.z) * box.shape.y + y - box.origin.y) * box.shape.x + columns.lowerBound
                - box.origin.x) * elementSize
        }
        // A chunk that lies in the box as it lies in the file needs no room of its own.
        let isWhole =
            page.sample.isElement && page.samplesTogether == 1 && page.chunk.z == 1
            && columns.count == page.chunk.x && box.shape.x == page.chunk.x
            && rows.count == page.rows(ofChunk: index)
        if isWhole {
            let start = place(top)
            let part = UnsafeMutableRawBufferPointer(rebasing: target[start..<start + page.bytes(ofChunk: index)])
            return try decoder.decode(chunk: index, of: page, file: section.file, into: part)
        }
        let bytes = try decoder.decode(chunk: index, of: page, file: section.file)
        let firstRow = section.depth % page.chunk.z * page.chunk.y
        for y in rows {
            let start = (firstRow + y - top) * page.chunkRowBytes
            page.sample.extract(
                columns.count, from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + page.chunkRowBytes]),
                first: (columns.lowerBound - left) * page.samplesTogether + (page.isPlanar ? 0 : stack.sample),
                step: page.samplesTogether, into: target.baseAddress! + place(y))
        }
    }

    /// Which of a page's planes is read.
    private func sample(_ page: TIFFPage) -> Int { min(stack.sample, page.samples - 1) }
}
