import Foundation

/// Opens a volume by what its file holds, whatever the file's name ends in.
public enum VolumeFile {
    /// Opens `location`: a file, a dataset in one as `block1.h5:/volumes/raw`, a folder of slices, or a pattern that
    /// matches slices as `slices/*.png`.
    ///
    /// - Throws: `FileFault` where there is no such file, it cannot be read, or it is of no known format.
    public static func open(_ location: String, _ selection: VolumeSelection = VolumeSelection()) throws
        -> any VolumeReader
    {
        let (path, dataset) = split(location)
        let candidate = try candidate(path)
        if !candidate.isFolder, let vendor = VendorFormat.of(path, head: candidate.head) {
            throw FileFault(path, vendor.problem(path))
        }
        guard let format = try format(of: candidate) else {
            if candidate.isFolder {
                throw FileFault(
                    path, OtherFolder.problem(path) { ((try? format(of: self.candidate($0))) ?? nil) != nil })
            }
            throw FileFault(
                path, ZippedZarr.problem(path, head: candidate.head) ?? unknown(candidate.head))
        }
        if let dataset, format.containerEndings.isEmpty {
            throw FileFault(path, "is read as \(format.name), which has no datasets; leave out :\(dataset)")
        }
        return try format.open(path, dataset, selection)
    }

    /// Whether a folder is a volume by what it holds, as a Zarr one is whatever its name; folders of slices are not.
    public static func isVolume(folder: String) -> Bool { ZarrFolder.hasMetadata(folder) }

    /// Whether a file may name others that its volume is made of or described by: parts of an OME-TIFF, links of an HDF5,
    /// the other half of a NIfTI pair. It is not opened by a library.
    public static func mayHaveCompanions(_ path: String) -> Bool {
        guard let candidate = try? candidate(path), let format = (try? format(of: candidate)) ?? nil else {
            return false
        }
        return (try? format.mayHaveCompanions(candidate)) ?? false
    }

    /// A file's path and the dataset after its colon. A colon belongs to the path unless what stands before
    /// it is a file or is named like one that holds several volumes.
    public static func split(_ location: String) -> (path: String, dataset: String?) {
        if FileManager.default.fileExists(atPath: location) { return (location, nil) }
        let colons = location.indices.filter { location[$0] == ":" }
        let isFile = { (colon: String.Index) in
            FileManager.default.fileExists(atPath: String(location[..<colon]))
        }
        let endings = VolumeFormat.all.flatMap(\.containerEndings)
        let isNamedContainer = { (colon: String.Index) in
            endings.contains((String(location[..<colon]) as NSString).pathExtension.lowercased())
        }
        guard let colon = colons.first(where: isFile) ?? colons.first(where: isNamedContainer) else {
            return (location, nil)
        }
        let dataset = String(location[location.index(after: colon)...])
        return (String(location[..<colon]), dataset.isEmpty ? nil : dataset)
    }

    private static func format(of candidate: VolumeFormat.Candidate) throws -> VolumeFormat? {
        try VolumeFormat.all.first { try $0.recognizes(candidate) }
    }

    private static func candidate(_ path: String) throws -> VolumeFormat.Candidate {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw FileFault(path, "cannot be read: \(systemReason())")
            }
            guard SliceFiles.isPattern(path) else { throw FileFault(path, "there is no such file") }
            return VolumeFormat.Candidate(path: path, file: nil, head: [], isPattern: true)
        }
        // Opening a pipe would wait for its other end.
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: return VolumeFormat.Candidate(path: path, file: nil, head: [])
        default: throw FileFault(path, "is not a regular file; expected an \(VolumeFormat.names) file")
        }
        let file: ReadableFile
        do {
            file = try ReadableFile(path)
        } catch is MissingFile {
            throw FileFault(path, "there is no such file")
        }
        guard file.size > 0 else { throw FileFault(path, "is empty; expected an \(VolumeFormat.names) file") }
        return VolumeFormat.Candidate(path: path, file: file, head: try file.read(512, at: 0))
    }

    private static func unknown(_ head: [UInt8]) -> String {
        let likely = otherFormats.first { head.dropFirst($0.offset).starts(with: Array($0.bytes)) }
        let bytes = head.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        let guess = likely.map { "looks like \($0.name) and " } ?? ""
        return "\(guess)begins with \(bytes.joined(separator: " ")); expected an \(VolumeFormat.names) file"
    }

    /// What people take for a volume most often, by the bytes that mark it.
    private static let otherFormats: [(offset: Int, bytes: String.UTF8View, name: String)] = [
        (0, "version https://git-lfs".utf8, "a Git LFS pointer (fetch the file itself)"),
        (6, "JFIF".utf8, "JPEG"),
        (0, "NRRD".utf8, "NRRD"), (1, "NUMPY".utf8, "NumPy"),
        (0, "PK\u{3}\u{4}".utf8, "a zip archive"),
        (0, "\u{1F}".utf8, "gzip of no NIfTI or MRC file (unpack it with gunzip)"),
        (0, "<".utf8, "a web page or XML"), (0, "{".utf8, "JSON"), (0, "%PDF".utf8, "PDF"),
    ]
}
