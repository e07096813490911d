import Foundation

/// A Zarr container whose metadata and links are not trusted: only regular files within its folder are read.
struct ZarrFolder: Sendable {
    /// As it was given, for messages.
    let path: String
    /// Without symbolic links, for the comparison with what is opened.
    private let resolved: String
    private(set) var isN5 = false

    static let metadataNames = ["zarr.json", ".zarray", ".zgroup", ".zattrs"]
    /// Labels may come with a property each.
    private static let largestMetadata = 16 << 20
    private static let mostNamesListed = 10_000

    static func hasMetadata(_ path: String) -> Bool {
        metadataNames.contains { FileManager.default.fileExists(atPath: path + "/" + $0) }
    }

    init(_ path: String) throws {
        self.path = path
        guard let resolved = resolvedPath(path) else { throw FileFault(path, "cannot be read: \(systemReason())") }
        self.resolved = resolved
        isN5 = N5Metadata.isContainer(self)
    }

    var name: String { (path as NSString).lastPathComponent }

    /// The container around this folder: the outermost folder of the unbroken line of Zarr groups above it, and
    /// this one's path within.
    func outermost() throws -> (folder: ZarrFolder, path: String) {
        var (outer, inner) = (resolved, [String]())
        while inner.count < 8 {
            let parent = (outer as NSString).deletingLastPathComponent
            guard parent != outer, Self.hasMetadata(parent) else { break }
            inner.insert((outer as NSString).lastPathComponent, at: 0)
            outer = parent
        }
        return inner.isEmpty ? (self, "") : (try ZarrFolder(outer), inner.joined(separator: "/"))
    }

    /// The names in a path within the container, `labels/cells` or `/labels/cells/`.
    ///
    /// - Throws: `FileFault` where it could lead out of it.
    func normalized(_ relative: String) throws -> String {
        let names = relative.split(separator: "/", omittingEmptySubsequences: true)
        guard !names.contains("."), !names.contains(".."), !relative.utf8.contains(0) else {
            throw FileFault(
                path, "has no path \(Self.printable(relative)): expected names within it, without . and ..")
        }
        return names.joined(separator: "/")
    }

    /// The file at a path within the container; nil where there is none.
    ///
    /// - Throws: `FileFault` where it is reached through a link that leaves the container, or is no regular file.
    func file(_ relative: String) throws -> ReadableFile? {
        let location = path + "/" + relative
        guard let target = resolvedPath(location) else {
            // A link to nothing is as good as nothing.
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileFault(location, "cannot be read: \(systemReason())")
        }
        guard target.hasPrefix(resolved == "/" ? "/" : resolved + "/") else {
            throw FileFault(location, "is a link out of \(path), which is not followed")
        }
        var status = stat()
        guard stat(target, &status) == 0 else { throw FileFault(location, "cannot be read: \(systemReason())") }
        // Opening a pipe would wait for its other end.
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileFault(location, "is not a regular file") }
        do {
            return try ReadableFile(target)
        } catch is MissingFile {
            return nil
        }
    }

    /// A metadata file's contents, an object; nil where there is none.
    func metadata(_ relative: String) throws -> JSONValue? {
        guard let file = try file(relative) else { return nil }
        let location = path + "/" + relative
        guard file.size <= Self.largestMetadata else {
            throw FileFault(location, "has \(grouped(file.size)) bytes; expected metadata of at most 16 MiB")
        }
        guard let json = JSONParser.parse(try file.read(file.size, at: 0)), json.object != nil else {
            throw FileFault(location, "is damaged: expected a JSON object")
        }
        return json
    }

    func isFolder(_ relative: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path + "/" + relative, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    /// The names of the folders in the one at `relative`, in natural order; of a very large folder some.
    func folders(in relative: String) -> [String] {
        let location = relative.isEmpty ? path : path + "/" + relative
        guard let stream = opendir(location) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < Self.mostNamesListed, let entry = readdir(stream) {
            let type = Int32(entry.pointee.d_type)
            guard type == Int32(DT_DIR) || type == Int32(DT_LNK) || type == Int32(DT_UNKNOWN) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    }

    /// A name from a file as one line of a message can hold it.
    static func printable(_ name: String) -> String {
        let clean = String(
            String.UnicodeScalarView(name.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
        return clean.count > 200 ? clean.prefix(200) + "…" : clean
    }
}
