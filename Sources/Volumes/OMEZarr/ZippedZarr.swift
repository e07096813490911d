/// A Zarr container in a zip archive: not read, but told, with the way to unpack it.
enum ZippedZarr {
    /// What is wrong with the file `path` that begins with `head`, and what to do; nil where it is none.
    ///
    /// Source: PKWARE's APPNOTE, 4.3.7: the name of the first file within, whose length is at 26, stands at 30.
    static func problem(_ path: String, head: [UInt8]) -> String? {
        guard head.starts(with: Array("PK\u{3}\u{4}".utf8)), head.count > 30 else { return nil }
        let length = Int(head[26]) | Int(head[27]) << 8
        let names = String(decoding: head[30...].prefix(length), as: UTF8.self).split(separator: "/")
        guard let first = names.first, let last = names.last else { return nil }
        let isInFolder = first.lowercased().hasSuffix(".zarr")
        guard
            isInFolder || path.lowercased().hasSuffix(".zarr.zip")
                || ZarrFolder.metadataNames.contains(String(last))
        else { return nil }
        let folder = path.lowercased().hasSuffix(".zip") ? String(path.dropLast(4)) : path + ".zarr"
        let target = isInFolder ? "" : " -d " + shellQuoted(folder)
        return "is a zipped Zarr, which is not read; unpack it with: unzip \(shellQuoted(path))\(target)"
    }
}
