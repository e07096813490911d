import Foundation

/// Opens a volume by what its file holds, whatever the file's name ends in.
public enum VolumeFile {
    /// Opens `location`: a file, or a dataset in one as `block1.h5:/volumes/raw`.
    ///
    /// - Throws: `FileFault` where there is no such file, it cannot be read, or it is of no known format.
    public static func open(_ location: String) throws -> any VolumeReader {
        let (path, dataset) = split(location)
        let file = try regularFile(path)
        if try isHDF5(file) { return try HDF5Reader(path: path, dataset: dataset) }
        let head = try file.read(512, at: 0)
        guard isTIFF(head) else { throw FileFault(path, unknown(head)) }
        if let dataset {
            throw FileFault(path, "is a TIFF file, which has no datasets; leave out :\(dataset)")
        }
        return try TIFFReader(path: path)
    }

    /// A file's path and the dataset after its colon. A colon belongs to the path unless what stands before
    /// it is a file or is named like an HDF5 file.
    public static func split(_ location: String) -> (path: String, dataset: String?) {
        if FileManager.default.fileExists(atPath: location) { return (location, nil) }
        let colons = location.indices.filter { location[$0] == ":" }
        let isFile = { (colon: String.Index) in
            FileManager.default.fileExists(atPath: String(location[..<colon]))
        }
        let isNamedHDF5 = { (colon: String.Index) in
            let name = String(location[..<colon]) as NSString
            return ["h5", "hdf5", "hdf", "he5"].contains(name.pathExtension.lowercased())
        }
        guard let colon = colons.first(where: isFile) ?? colons.first(where: isNamedHDF5) else {
            return (location, nil)
        }
        let dataset = String(location[location.index(after: colon)...])
        return (String(location[..<colon]), dataset.isEmpty ? nil : dataset)
    }

    private static func regularFile(_ path: String) throws -> ReadableFile {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw FileFault(path, "there is no such file") }
            throw FileFault(path, "cannot be read: \(systemReason())")
        }
        // Opening a pipe would wait for its other end.
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw FileFault(path, "is a folder; expected a TIFF or HDF5 file")
        default: throw FileFault(path, "is not a regular file; expected a TIFF or HDF5 file")
        }
        let file: ReadableFile
        do {
            file = try ReadableFile(path)
        } catch is MissingFile {
            throw FileFault(path, "there is no such file")
        }
        guard file.size > 0 else { throw FileFault(path, "is empty; expected a TIFF or HDF5 file") }
        return file
    }

    /// HDF5's signature stands at 0 or, after a user block, at 512, 1024, 2048 and so on (HDF5 File Format
    /// Specification 3.0, II.A).
    private static func isHDF5(_ file: ReadableFile) throws -> Bool {
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        var offset = 0
        while offset < file.size {
            if try file.read(signature.count, at: offset) == signature { return true }
            offset = offset == 0 ? 512 : offset * 2
        }
        return false
    }

    /// TIFF 6.0 (42) or BigTIFF (43) in either byte order.
    private static func isTIFF(_ head: [UInt8]) -> Bool {
        let starts: [[UInt8]] = [
            [0x49, 0x49, 42, 0], [0x4D, 0x4D, 0, 42], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 43],
        ]
        return starts.contains(Array(head.prefix(4)))
    }

    private static func unknown(_ head: [UInt8]) -> String {
        let likely = otherFormats.first { head.dropFirst($0.offset).starts(with: Array($0.bytes)) }
        let bytes = head.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        let guess = likely.map { "looks like \($0.name) and " } ?? ""
        return "\(guess)begins with \(bytes.joined(separator: " ")); expected a TIFF or HDF5 file"
    }

    /// What people take for a volume most often, by the bytes that mark it.
    private static let otherFormats: [(offset: Int, bytes: String.UTF8View, name: String)] = [
        (0, "version https://git-lfs".utf8, "a Git LFS pointer (fetch the file itself)"),
        (1, "PNG\r\n".utf8, "PNG"), (6, "JFIF".utf8, "JPEG"), (344, "n+1\0".utf8, "NIfTI"),
        (208, "MAP ".utf8, "MRC"), (0, "NRRD".utf8, "NRRD"), (1, "NUMPY".utf8, "NumPy"),
        (0, "ZISRAWFILE".utf8, "CZI"), (0, "PK\u{3}\u{4}".utf8, "a zip archive"), (0, "\u{1F}".utf8, "gzip"),
        (0, "<".utf8, "a web page or XML"), (0, "{".utf8, "JSON"), (0, "%PDF".utf8, "PDF"),
    ]
}
