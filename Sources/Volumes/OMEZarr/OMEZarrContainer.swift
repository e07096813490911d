import Foundation

/// A container that is there, to which labels of its image are added; all else in it stays as it is.
struct OMEZarrContainer {
    let folder: ZarrFolder
    let version: OMEZarrVersion
    /// Of the labels to be.
    let name: String
    /// The group of labels within the container: `labels`, or `0/labels` of the image `0`.
    private let labels: String
    /// Nil where the container holds labels alone.
    let image: VolumeInfo?

    /// - Parameter dataset: `labels/NAME`, or `IMAGE/labels/NAME`.
    /// - Returns: Nil where nothing is at `path`, or an empty folder.
    /// - Throws: `FileFault` where what is there is no container, or the dataset's name is none of labels in it.
    static func existing(at path: String, forLabels dataset: String) throws -> OMEZarrContainer? {
        guard VolumeFile.isTaken(path) else { return nil }
        try checkReplaceable(path)
        guard ZarrFolder.hasMetadata(path) else { return nil }
        return try OMEZarrContainer(ZarrFolder(path), dataset)
    }

    /// Refuses what is neither a container nor an empty folder, as one that somebody named by mistake.
    static func checkReplaceable(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        guard VolumeFile.isFolder(path) else { throw FileFault(path, "is a file; expected an OME-Zarr container") }
        let isEmpty = (try? FileManager.default.contentsOfDirectory(atPath: path))?.isEmpty ?? false
        guard isEmpty || ZarrFolder.hasMetadata(path) else {
            throw FileFault(path, "is a folder with other files; expected an OME-Zarr container")
        }
    }

    /// The names of labels and of the image that they belong to.
    ///
    /// - Throws: `FileFault` where the name is none of labels, or cannot be a folder's.
    static func parts(of dataset: String, _ path: String) throws -> (image: String, name: String) {
        let names = dataset.split(separator: "/").map(String.init)
        guard names.count >= 2, names[names.count - 2] == "labels" else {
            throw FileFault(
                path,
                "labels are written to labels/NAME after the colon, an image to the container itself; found "
                    + ZarrFolder.printable(dataset))
        }
        try OMEZarrWriter.check(labels: names[names.count - 1], path)
        return (names.dropLast(2).joined(separator: "/"), names[names.count - 1])
    }

    private init(_ folder: ZarrFolder, _ dataset: String) throws {
        let (image, name) = try Self.parts(of: dataset, folder.path)
        guard let group = try OMEZarrGroup.open(try folder.normalized(image), in: folder) else {
            let what = image.isEmpty ? "is no image, and holds none" : "has no image \(ZarrFolder.printable(image))"
            throw FileFault(folder.path, what + " that labels could belong to")
        }
        guard !group.multiscales.isEmpty || !group.holdsSeries else {
            throw FileFault(
                folder.path,
                "holds a series of images; name the one of the labels, as in "
                    + "\(folder.path):0/labels/\(name)")
        }
        guard !group.multiscales.isEmpty || image.isEmpty else {
            throw FileFault(folder.path, "has no image at \(ZarrFolder.printable(image))")
        }
        self.folder = folder
        self.name = name
        labels = (image.isEmpty ? "" : image + "/") + "labels"
        version = try folder.file("zarr.json") == nil ? .v0_4 : .v0_5
        self.image =
            group.multiscales.isEmpty
            ? nil
            : try OMEZarrReader(
                path: folder.path, dataset: image.isEmpty ? nil : image, VolumeSelection(channel: 0, time: 0)
            ).info
        if try ZarrArray.open(labels, in: folder) != nil {
            throw FileFault(folder.path, "has an array named \(labels); expected a group of labels, or none")
        }
    }

    private var place: String { "\(folder.path)/\(labels)/\(name)" }

    /// - Throws: `OccupiedPlace` where labels of that name are there.
    func check(replaces: Bool) throws {
        if !replaces, VolumeFile.isTaken(place) { throw OccupiedPlace(occupant: .part) }
    }

    /// Refuses labels of another shape than the image, and another version.
    func check(_ shape: ZYX<Int>, _ wanted: OMEZarrVersion?) throws {
        if let image, image.shape != shape {
            throw FileFault(
                "\(folder.path):\(labels)/\(name)",
                "labels of \(shape) voxels do not fit the image, which has \(image.shape)")
        }
        if let wanted, wanted != version {
            throw FileFault(
                folder.path,
                "holds OME-Zarr \(version.rawValue), and so must its labels be; found \(wanted.rawValue)")
        }
    }

    /// Moves the labels in the folder `written` to their place, and lists them.
    func add(_ written: String) throws {
        let group = "\(folder.path)/\(labels)"
        try AtomicFile.makeFolder(group)
        try AtomicFile.moveFolder(written, to: place)
        switch version {
        case .v0_4:
            let content = try folder.metadata(labels + "/.zattrs")?.object ?? [:]
            try OMEZarrMetadata.write(["zarr_format": 2], to: group + "/.zgroup")
            try OMEZarrMetadata.write(.object(listing(content)), to: group + "/.zattrs")
        case .v0_5:
            var node =
                try folder.metadata(labels + "/zarr.json")?.object ?? ["zarr_format": 3, "node_type": "group"]
            var attributes = node["attributes"]?.object ?? [:]
            attributes["ome"] = .object(listing(attributes["ome"]?.object ?? ["version": "0.5"]))
            node["attributes"] = .object(attributes)
            try OMEZarrMetadata.write(.object(node), to: group + "/zarr.json")
        }
    }

    /// What the group of labels says, with the new labels among them.
    private func listing(_ content: [String: JSONValue]) -> [String: JSONValue] {
        var names = content["labels"]?.array ?? []
        if !names.contains(.string(name)) { names.append(.string(name)) }
        return content.merging(["labels": .array(names)]) { _, new in new }
    }

    /// Copies of all metadata in one place, which some programs believe.
    var hasConsolidatedMetadata: Bool {
        get throws {
            switch version {
            case .v0_4: try folder.file(".zmetadata") != nil
            case .v0_5: try folder.metadata("zarr.json")?["consolidated_metadata"]?.object != nil
            }
        }
    }
}
