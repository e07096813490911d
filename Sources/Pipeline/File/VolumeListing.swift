import Foundation
import Volumes

/// The volumes below a folder, by what their names end in; nothing is opened.
enum VolumeListing {
    /// Endings of files that hold volumes, in lower case.
    static let fileEndings = [
        "tif", "tiff", "btf", "tf8", "h5", "hdf5", "hdf", "he5", "ims", "nii", "nii.gz", "mrc", "map", "rec", "st",
        "png",
    ]
    /// Endings of folders that are one volume.
    static let folderEndings = ["zarr", "n5"]

    /// The volumes below `folder`, relative to it, in natural order. Hidden files are none; links are followed, each
    /// folder once.
    ///
    /// - Parameter own: folders that are passed over, absolute.
    /// - Throws: `FileFault` where a folder cannot be listed: volumes are never passed over in silence.
    static func below(_ folder: String, except own: [String] = []) throws -> [String] {
        var seen = Set(own.map(real))
        var found: [String] = []
        try list(folder, prefix: "", &seen, &found)
        return found.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    }

    private static func list(
        _ folder: String, prefix: String, _ seen: inout Set<String>, _ found: inout [String]
    ) throws {
        guard seen.insert(real(folder)).inserted else { return }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw FileFault(folder, "the folder cannot be listed")
        }
        for name in names where !name.hasPrefix(".") {
            var isFolder: ObjCBool = false
            let path = folder + "/" + name
            // A link to nothing is listed, so that whoever opens it says so.
            let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            if exists && isFolder.boolValue && !ends(name, in: folderEndings) {
                try list(path, prefix: prefix + name + "/", &seen, &found)
            } else if ends(name, in: isFolder.boolValue ? folderEndings : fileEndings) {
                found.append(prefix + name)
            }
        }
    }

    private static func real(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    private static func ends(_ name: String, in endings: [String]) -> Bool {
        let name = name.lowercased()
        return endings.contains { name.hasSuffix("." + $0) }
    }

    /// A path without its ending: `b/cell` of `b/cell.ome.tif`, `scan` of `scan.nii.gz`.
    static func withoutEnding(_ path: String) -> String {
        let lower = path.lowercased()
        for double in [".nii.gz", ".ome.tif", ".ome.tiff", ".ome.btf", ".ome.tf8", ".ome.zarr"]
        where lower.hasSuffix(double) {
            return String(path.dropLast(double.count))
        }
        return (path as NSString).deletingPathExtension
    }

    /// The last component of a path, without its ending.
    static func stem(_ path: String) -> String { withoutEnding((path as NSString).lastPathComponent) }
}
