import Foundation

/// A valid volume of the tests: one file, a header with its image, or a folder.
struct Sample: Sendable {
    /// The folder of the test data it is from: `TIFF`, `NIfTI`.
    let kind: String
    /// What is opened, relative to `root`.
    let name: String
    let root: String
    /// The files it consists of, relative to `root`.
    let files: [String]

    /// All samples, by kind and then by name.
    static func all(in data: String) throws -> [Sample] {
        try names(in: data).flatMap { kind in
            try samples(in: data + "/" + kind, kind: kind)
        }
    }

    private static func samples(in folder: String, kind: String) throws -> [Sample] {
        guard isFolder(folder) else { return [] }
        return try names(in: folder).flatMap { name -> [Sample] in
            let path = folder + "/" + name
            if isFolder(path) {
                guard isStore(path) else { return try samples(in: path, kind: kind) }
                let files = try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
                    .filter { !isFolder(path + "/" + $0) }
                return [Sample(kind: kind, name: name, root: folder, files: files.map { name + "/" + $0 })]
            }
            switch (name as NSString).pathExtension {
            case "py", "md", "json", "txt", "img": return []
            case "hdr":
                let image = (name as NSString).deletingPathExtension + ".img"
                return [Sample(kind: kind, name: name, root: folder, files: [name, image])]
            default: return [Sample(kind: kind, name: name, root: folder, files: [name])]
            }
        }
    }

    private static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// Whether a folder is one volume, as Zarr's and N5's are.
    private static func isStore(_ path: String) -> Bool {
        ["zarr.json", ".zgroup", ".zarray", ".zattrs", "attributes.json"].contains {
            FileManager.default.fileExists(atPath: path + "/" + $0)
        }
    }
}
