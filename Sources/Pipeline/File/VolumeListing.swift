import Foundation
import Volumes

/// The volumes below a folder, by what their names end in.
struct VolumeListing {
    /// Endings of files that hold volumes, in lower case.
    static let fileEndings = [
        "tif", "tiff", "btf", "tf8", "h5", "hdf5", "hdf", "he5", "ims", "nii", "nii.gz", "hdr", "hdr.gz", "mrc",
        "mrc.gz", "map", "map.gz",
        "rec", "st", "png",
    ]
    /// Endings of folders that are one volume.
    static let folderEndings = ["zarr", "n5"]
    /// Endings of files that belong to one of the same name with another ending.
    private static let companions = [
        "img": ["hdr"], "img.gz": ["hdr.gz"], "xml": ["h5", "hdf5"],
    ]

    /// Relative to the folder, which is "" itself, in natural order.
    private(set) var volumes: [String] = []
    /// Folders of numbered sections, relative too, with how many those are.
    private(set) var series: [String: Int] = [:]
    /// Files and folders that are no volumes, relative too.
    private(set) var unread: [String] = []

    private let folder: String
    private let search: VolumeSearch
    private var seen: Set<String>

    /// Lists a folder. Hidden files are no volumes; links are followed, each folder once.
    ///
    /// - Throws: `FileFault` where a folder cannot be listed: volumes are never passed over in silence.
    init(below folder: String, _ search: VolumeSearch) throws {
        self.folder = folder
        self.search = search
        seen = Set(search.passedOver.map(Self.real))
        try list("")
        volumes.sort { $0.compare($1, options: .numeric) == .orderedAscending }
        unread.sort { $0.compare($1, options: .numeric) == .orderedAscending }
    }

    /// The volumes' absolute paths.
    var paths: [String] { volumes.map { $0.isEmpty ? folder : folder + "/" + $0 } }

    private mutating func list(_ inner: String) throws {
        let path = inner.isEmpty ? folder : folder + "/" + inner
        guard seen.insert(Self.real(path)).inserted else { return }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }
        } catch {
            throw FileFault(path, "the folder cannot be listed")
        }
        var files: [String] = []
        for name in names {
            var isFolder: ObjCBool = false
            let whole = inner.isEmpty ? name : inner + "/" + name
            // A link to nothing is listed, so that whoever opens it says so.
            _ = FileManager.default.fileExists(atPath: folder + "/" + whole, isDirectory: &isFolder)
            if !isFolder.boolValue {
                files.append(name)
            } else if Self.isVolume(folder: folder + "/" + whole) {
                volumes.append(whole)
            } else {
                try list(whole)
            }
        }
        sort(files, in: inner)
    }

    /// Sorts the files of one folder into sections, volumes and others.
    private mutating func sort(_ files: [String], in inner: String) {
        let prefix = inner.isEmpty ? "" : inner + "/"
        let sections = search.sections(among: files, of: prefix.isEmpty ? folder : folder + "/" + inner)
        if !sections.isEmpty { series[inner] = sections.count }
        let joined = search.joinsSections ? Set(sections) : []
        if !joined.isEmpty { volumes.append(inner) }
        let all = Set(files.map { $0.lowercased() })
        for name in files where !joined.contains(name) {
            if Self.ends(name, in: Self.fileEndings) {
                volumes.append(prefix + name)
            } else if !Self.isCompanion(name, among: all) && !search.isPassedOver(folder + "/" + prefix + name) {
                unread.append(prefix + name)
            }
        }
    }

    private static func isCompanion(_ name: String, among all: Set<String>) -> Bool {
        let name = name.lowercased()
        return companions.contains { ending, others in
            name.hasSuffix("." + ending) && others.contains { all.contains(name.dropLast(ending.count) + $0) }
        }
    }

    static func real(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    private static func ends(_ name: String, in endings: [String]) -> Bool {
        let name = name.lowercased()
        return endings.contains { name.hasSuffix("." + $0) }
    }

    /// Whether a folder is one volume, by its name or by what it holds; folders of sections are not.
    static func isVolume(folder: String) -> Bool {
        ends((folder as NSString).lastPathComponent, in: folderEndings) || VolumeFile.isVolume(folder: folder)
    }

    /// A path without the ending of a volume: `b/cell` of `b/cell.ome.tif`, `scan` of `scan.nii.gz`.
    static func withoutEnding(_ path: String) -> String {
        let lower = path.lowercased()
        let doubles = ["nii.gz", "hdr.gz", "ome.tif", "ome.tiff", "ome.btf", "ome.tf8", "ome.zarr"]
        guard let ending = (doubles + fileEndings + folderEndings).first(where: { lower.hasSuffix("." + $0) })
        else {
            return path
        }
        return String(path.dropLast(ending.count + 1))
    }

    /// The last component of a path, without its ending.
    static func stem(_ path: String) -> String { withoutEnding((path as NSString).lastPathComponent) }
}
