/// A group of a container: what OME-NGFF says of it.
struct OMEZarrGroup {
    let folder: ZarrFolder
    /// Within the container; empty for the container's own.
    let path: String
    let multiscales: [OMEMultiscale]
    /// NGFF's version, for example `0.5`; nil where it does not say.
    let version: String?
    /// Whether the group holds the series of a file that bioformats2raw converted.
    let holdsSeries: Bool

    /// The group at `path`; nil where none is there.
    ///
    /// - Throws: `FileFault` naming the metadata file and what is wrong in it.
    static func open(_ path: String, in folder: ZarrFolder) throws -> OMEZarrGroup? {
        let prefix = path.isEmpty ? "" : path + "/"
        // Any folder of N5 that is no array is one.
        if folder.isN5 {
            guard folder.isFolder(path), try folder.metadata(prefix + N5Metadata.name)?["dimensions"] == nil else {
                return nil
            }
            return try OMEZarrGroup(folder: folder, path: path, nil, ZarrMetadataFile(path: folder.path))
        }
        if let node = try folder.metadata(prefix + "zarr.json") {
            guard node["node_type"] == "group" else { return nil }
            let file = ZarrMetadataFile(path: folder.path + "/" + prefix + "zarr.json")
            return try OMEZarrGroup(folder: folder, path: path, node["attributes"]?["ome"], file)
        }
        let attributes = try folder.metadata(prefix + ".zattrs")
        guard try attributes != nil || folder.file(prefix + ".zgroup") != nil,
            try folder.file(prefix + ".zarray") == nil
        else { return nil }
        let file = ZarrMetadataFile(path: folder.path + "/" + prefix + ".zattrs")
        return try OMEZarrGroup(folder: folder, path: path, attributes, file)
    }

    private init(folder: ZarrFolder, path: String, _ attributes: JSONValue?, _ file: ZarrMetadataFile) throws {
        self.folder = folder
        self.path = path
        let images = attributes?["multiscales"]?.array ?? []
        multiscales = try images.map { try OMEMultiscale($0, file) }
        version = attributes?["version"]?.string ?? images.first?["version"]?.string
        holdsSeries = attributes?["bioformats2raw.layout"] != nil
    }

    /// A path from this group on, within the container.
    func resolved(_ relative: String) throws -> String {
        guard !relative.hasPrefix("/") else {
            throw FileFault(
                folder.path,
                "has the absolute path \(ZarrFolder.printable(relative)) in its metadata; "
                    + "expected one within it")
        }
        return try folder.normalized(path.isEmpty ? relative : path + "/" + relative)
    }
}
