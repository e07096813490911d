import CTIFF

/// The sections of a stack, in z order, and what the file says of them.
struct TIFFStack {
    enum Section {
        case page(TIFFPage)
        /// Uncompressed values from this byte on, without a directory of their own.
        case contiguous(Int)
    }

    let sections: [Section]
    /// The first page: all sections have its size and type.
    let layout: TIFFPage
    let voxelSize: StatedVoxelSize

    var shape: ZYX<Int> { ZYX(sections.count, layout.height, layout.width) }

    init(_ handle: TIFFHandle) throws {
        let resolution = TIFFResolution(current: handle)
        let text = handle.string(TIFFTAG_IMAGEDESCRIPTION) ?? ""
        let walk = try TIFFStack.pages(of: handle)
        layout = walk.pages[0]
        let description = try TIFFDescription(text, first: layout, file: handle.path)
        voxelSize = description.voxelSize(resolution)

        let declared = description.sections ?? walk.pages.count
        if declared > walk.pages.count, layout.isContiguous {
            sections = try TIFFStack.contiguousSections(declared, from: layout, handle)
            return
        }
        if let fault = walk.fault { throw fault }
        let pages = try description.order(walk.pages, file: handle.path)
        for (index, page) in pages.enumerated() {
            guard page.hasSameLayout(as: layout) else {
                throw FileFault(
                    handle.path,
                    "page \(index + 1) of \(pages.count) is \(page.summary), page 1 is \(layout.summary)")
            }
            try TIFFStack.checkExtent(of: page, section: index, of: pages.count, handle)
        }
        sections = pages.map { .page($0) }
    }

    /// ImageJ's rule: the sections follow the first one's data, whatever directories there are.
    private static func contiguousSections(
        _ count: Int, from page: TIFFPage, _ handle: TIFFHandle
    ) throws -> [Section] {
        let start = page.chunkOffsets[0]
        let available = max(0, handle.fileSize - start)
        let (size, overflow) = count.multipliedReportingOverflow(by: page.byteCount)
        guard !overflow, size <= available else {
            throw truncated(
                handle.path, section: available / page.byteCount, of: count, expected: page.byteCount,
                found: available % page.byteCount)
        }
        return (0..<count).map { .contiguous(start + $0 * page.byteCount) }
    }

    /// Walks the chain of directories once. A chain that breaks keeps the pages before the break: an ImageJ stack
    /// that was cut short has lost its later directories, and yet says how many sections it had.
    private static func pages(of handle: TIFFHandle) throws -> (pages: [TIFFPage], fault: FileFault?) {
        var pages = [try TIFFPage(current: handle, number: 1)]
        var number = 1
        while TIFFLastDirectory(handle.pointer) == 0 {
            number += 1
            handle.clearMessage()
            guard TIFFReadDirectory(handle.pointer) != 0 else {
                let problem = handle.problem(otherwise: "the chain of directories loops or is damaged")
                return (pages, FileFault(handle.path, "the directory of page \(number) cannot be read: \(problem)"))
            }
            let page: TIFFPage
            do { page = try TIFFPage(current: handle, number: number) } catch let fault as FileFault {
                return (pages, fault)
            }
            // A thumbnail or a level of a pyramid is no section.
            if page.isReduced && !page.hasSameLayout(as: pages[0]) { continue }
            pages.append(page)
        }
        return (pages, nil)
    }

    /// Checks that the stored bytes of a page lie within the file.
    private static func checkExtent(of page: TIFFPage, section: Int, of count: Int, _ handle: TIFFHandle) throws {
        var expected = 0
        var found = 0
        for (index, offset) in page.chunkOffsets.enumerated() {
            let size =
                page.compression.name == "none"
                ? page.rows(ofChunk: index) * page.chunkWidth * page.elementType.size : page.chunkByteCounts[index]
            guard offset > 0, size > 0 else {
                throw FileFault(
                    handle.path,
                    "section \(section + 1) of \(count) has no data in "
                        + "\(page.isTiled ? "tile" : "strip") \(index + 1)")
            }
            let (sum, overflow) = expected.addingReportingOverflow(size)
            expected = overflow ? Int.max : sum
            found += min(size, max(0, handle.fileSize - offset))
        }
        if found < expected {
            throw truncated(handle.path, section: section, of: count, expected: expected, found: found)
        }
    }

    private static func truncated(
        _ path: String, section: Int, of count: Int, expected: Int, found: Int
    ) -> FileFault {
        FileFault(
            path,
            "section \(section + 1) of \(count) is truncated (expected \(grouped(expected)) bytes, "
                + "found \(grouped(found)))")
    }
}

extension TIFFPage {
    /// Whether the page is one uncompressed run of bytes.
    fileprivate var isContiguous: Bool {
        isPlain
            && chunkOffsets.indices.allSatisfy { index in
                chunkOffsets[index] == chunkOffsets[0] + index * chunkBytes
            }
    }
}
