/// What the second private tag of a MetaMorph stack (STK) says: a TIFF of one directory, whose planes follow each other.
struct MetaMorphStack {
    static let tag: Int32 = 33629

    let dimensions: TIFFDimensions

    /// Nil where the directory has no such tag.
    ///
    /// - Throws: `FileFault` where the planes are not told to be sections, or do not lie one after the other.
    init?(_ directory: StoredDirectory, of handle: TIFFHandle, first page: TIFFPage) throws {
        guard let entry = directory.entry(Self.tag), entry.count > 0 else { return nil }
        func refusal(_ found: String) -> FileFault {
            FileFault(
                handle.path,
                "is a MetaMorph stack of \(grouped(entry.count)) planes \(found); \(conversionAdvice(handle.path))")
        }
        // Of each plane first the distance to the next one, as a fraction.
        guard let first = handle.bytes(8, at: entry.value) else { throw refusal("that is damaged") }
        let distance = FixedHeader(bytes: first, isBigEndian: directory.isBigEndian)
        guard entry.count == 1 || distance.int32(0) > 0 && distance.int32(4) > 0 else {
            throw refusal("without a distance between them, which may be times or sections")
        }
        guard page.runStart != nil else { throw refusal("that are compressed or apart, which is not read") }
        dimensions = TIFFDimensions(sections: entry.count)
    }
}
