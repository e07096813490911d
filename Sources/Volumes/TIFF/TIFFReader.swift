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
        let handle = try Self.open(path)
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
        info.notes = stack.notes
        info.companions = stack.companions
        self.info = info
    }

    private static func open(_ path: String) throws -> TIFFHandle {
        do {
            return try TIFFHandle(reading: path)
        } catch let fault as FileFault where path.lowercased().hasSuffix(".lsm") {
            // Zeiss's files of two channels are no sound TIFFs.
            throw FileFault(path, "\(fault.problem); \(conversionAdvice(path))")
        }
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
        /// Rows of the box, counted through its sections, that lie uncompressed in the file.
        case rows(Range<Int>)
        /// What a strip or tile has of a section.
        case chunk(section: Int, row: Int, column: Int)
    }

    /// Uncompressed bytes that are read at once.
    private static let pieceBytes = 1 << 20

    private func pieces(of box: Box) -> [Piece] {
        var pieces: [Piece] = []
        let end = box.end
        var section = box.origin.z
        while section < end.z {
            let page = stack.sections[section].page
            if page.isPlain {
                let first = section
                repeat { section += 1 } while section < end.z && stack.sections[section].page.isPlain
                let rows = (first - box.origin.z) * box.shape.y..<(section - box.origin.z) * box.shape.y
                let rowsAtOnce = max(1, TIFFReader.pieceBytes / (box.shape.x * info.elementType.size))
                for row in stride(from: rows.lowerBound, to: rows.upperBound, by: rowsAtOnce) {
                    pieces.append(.rows(row..<min(row + rowsAtOnce, rows.upperBound)))
                }
                continue
            }
            for row in box.origin.y / page.chunk.y...(end.y - 1) / page.chunk.y {
                for column in box.origin.x / page.chunk.x...(end.x - 1) / page.chunk.x {
                    pieces.append(.chunk(section: section, row: row, column: column))
                }
            }
            section += 1
        }
        return pieces
    }

    private func read(
        _ piece: Piece, of box: Box, into target: UnsafeMutableRawBufferPointer, _ decoder: TIFFDecoder
    ) throws {
        switch piece {
        case .rows(let rows):
            try readRows(rows, of: box, into: target, decoder)
        case .chunk(let section, let row, let column):
            try naming(section) {
                try readChunk(row, column, of: stack.sections[section], z: section, of: box, into: target, decoder)
            }
        }
    }

    /// Tells what is wrong with a chunk as a fault of its file and section.
    private func naming(_ section: Int, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let fault as ChunkFault {
            throw FileFault(
                stack.files[stack.sections[section].file].path,
                "section \(section + 1) of \(info.shape.z) \(fault.problem)")
        }
    }

    private func readRows(
        _ rows: Range<Int>, of box: Box, into target: UnsafeMutableRawBufferPointer, _ decoder: TIFFDecoder
    ) throws {
        let rowBytes = box.shape.x * info.elementType.size
        var row = rows.lowerBound
        while row < rows.upperBound {
            let place = place(ofRow: row, of: box)
            // What follows each other in the file too is one read.
            var end = place.endOfRun
            while end < rows.upperBound {
                let next = self.place(ofRow: end, of: box)
                guard next.file == place.file, next.offset == place.offset + (end - row) * rowBytes else { break }
                end = next.endOfRun
            }
            end = min(end, rows.upperBound)
            let part = UnsafeMutableRawBufferPointer(rebasing: target[row * rowBytes..<end * rowBytes])
            let section = box.origin.z + row / box.shape.y
            try naming(section) { try decoder.readPlain(part, file: place.file, at: place.offset) }
            if stack.sections[section].page.isSwapped { part.swapBytes(ofElements: info.elementType.size) }
            row = end
        }
    }

    /// Where a row of `box`, counted through its sections, lies uncompressed, and one past the last row of its section that
    /// follows it in the file without a gap.
    private func place(ofRow row: Int, of box: Box) -> (file: Int, offset: Int, endOfRun: Int) {
        let section = stack.sections[box.origin.z + row / box.shape.y]
        let page = section.page
        let y = box.origin.y + row % box.shape.y
        let plane = page.isPlanar ? sample(page) : 0
        let chunk = plane * page.grid.y + y / page.chunk.y
        let offset =
            page.extent(ofChunk: chunk).offset + y % page.chunk.y * page.chunkRowBytes
            + box.origin.x * info.elementType.size
        guard box.shape.x == info.shape.x else { return (section.file, offset, row + 1) }
        let endOfChunk = page.runStart != nil ? box.end.y : min(box.end.y, (y / page.chunk.y + 1) * page.chunk.y)
        return (section.file, offset, row + endOfChunk - y)
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
