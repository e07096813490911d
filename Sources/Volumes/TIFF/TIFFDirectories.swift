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
        pages = [try TIFFPage(current: handle, number: 1, entries: &entries)]
        var number = 1
        while TIFFLastDirectory(handle.pointer) == 0 {
            number += 1
            handle.clearMessage()
            guard TIFFReadDirectory(handle.pointer) != 0 else {
                let problem = handle.problem(otherwise: "the chain of directories loops or is damaged")
                fault = FileFault(handle.path, "the directory of page \(number) cannot be read: \(problem)")
                return
            }
            do {
                let page = try TIFFPage(current: handle, number: number, entries: &entries)
                // A thumbnail or a level of a pyramid is no section.
                if page.isReduced && !page.hasSameLayout(as: pages[0]) { continue }
                pages.append(page)
            } catch let found as FileFault {
                fault = found
                return
            }
        }
    }
}
