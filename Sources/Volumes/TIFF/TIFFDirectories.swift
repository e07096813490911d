import CTIFF

/// The pages of a TIFF, in the order of its directories.
struct TIFFDirectories {
    /// At least one.
    private(set) var pages: [TIFFPage]
    /// Why the chain of directories ends early: an ImageJ stack that was cut short has lost its later directories, and
    /// yet says how many sections it had.
    private(set) var fault: FileFault?

    /// Walks the chain of directories once.
    ///
    /// - Throws: `FileFault` where the first page is not read.
    init(_ handle: TIFFHandle) throws {
        // The smallest entry of a list of strips takes two bytes, and so does its size.
        var entries = 1 + handle.fileSize / 4
        var page = try TIFFPage(current: handle, number: 1, entries: &entries)
        pages = []
        var number = 1
        var seen: Set<UInt64> = []
        while seen.insert(page.directory).inserted {
            // A thumbnail or a level of a pyramid is no section.
            let isSection = pages.first.map { !page.isReduced || page.hasSameLayout(as: $0) } ?? true
            if isSection { pages.append(page) }
            let alike = Self.pages(like: page, handle, &seen)
            if isSection { pages += alike }
            number += 1 + alike.count
            do {
                let last = alike.last ?? page
                guard let next = try Self.advance(handle, past: last, number: number, &entries) else { return }
                page = next
            } catch let found as FileFault {
                fault = found
                return
            }
        }
        fault = Self.unreadable(handle, number)
    }

    /// The pages after an uncompressed one whose directories differ from its own in where the page lies alone: libtiff
    /// takes longer over a small directory than over reading its section.
    private static func pages(like page: TIFFPage, _ handle: TIFFHandle, _ seen: inout Set<UInt64>) -> [TIFFPage] {
        guard page.runStart != nil, var last = StoredDirectory(at: page.directory, of: handle) else { return [] }
        var pages: [TIFFPage] = []
        while let next = StoredDirectory(at: last.next, of: handle),
            let start = next.stripOffset(ifLike: last), start <= handle.fileSize, seen.insert(next.offset).inserted
        {
            pages.append(page.moved(to: start, directory: next.offset))
            last = next
        }
        return pages
    }

    /// The page of the directory after that of `page`; nil after the last.
    ///
    /// - Throws: `FileFault` where it cannot be read.
    private static func advance(
        _ handle: TIFFHandle, past page: TIFFPage, number: Int, _ entries: inout Int
    ) throws -> TIFFPage? {
        handle.clearMessage()
        let isRead: Bool
        if page.directory == TIFFCurrentDirOffset(handle.pointer) {
            if TIFFLastDirectory(handle.pointer) != 0 { return nil }
            isRead = TIFFReadDirectory(handle.pointer) != 0
        } else {
            guard let next = StoredDirectory(at: page.directory, of: handle)?.next, next > 0 else { return nil }
            isRead = TIFFSetSubDirectory(handle.pointer, next) != 0
        }
        guard isRead else { throw unreadable(handle, number) }
        return try TIFFPage(current: handle, number: number, entries: &entries)
    }

    private static func unreadable(_ handle: TIFFHandle, _ number: Int) -> FileFault {
        let problem = handle.problem(otherwise: "the chain of directories loops or is damaged")
        return FileFault(handle.path, "the directory of page \(number) cannot be read: \(problem)")
    }
}
