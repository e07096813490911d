import Foundation

/// Writes an image, labels of it, or both, as one new OME-Zarr container, slab by slab: the image at its root,
/// labels at `labels/NAME`, all with the same levels `s0`, `s1` and so on; or labels into a container that is there.
///
/// Of a level as much is in memory as a row of chunks: 64 MiB of each volume's first level (two planes where they
/// are larger), a quarter or less of that of each further one. The levels are those of `OMEZarrPyramid`; images are
/// reduced by mean and labels by mode (`Downsampling`).
///
/// The container, or the labels, stand beside their place under another name until `finish` renames it; a writer that goes without
/// `finish` leaves nothing behind. A writer belongs to one thread at a time.
///
/// Source: OME-NGFF 0.5 on Zarr v3, 0.4 on Zarr v2.
public final class OMEZarrWriter {
    /// A volume of the container.
    public enum Part: Hashable, Sendable {
        case image
        case labels(String)
    }

    private let path: String
    /// Nil where the writer makes a container of its own.
    private let container: OMEZarrContainer?
    private let temporary: String
    private let shape: ZYX<Int>
    private let pyramid: OMEZarrPyramid
    private let parts: [Part: ElementType]
    private var levels: [Part: [OMEZarrLevelWriter]] = [:]
    private let threads: Int
    private var isFinished = false

    /// - Parameters:
    ///   - path: The container's folder, as in `result.zarr`; an OME-Zarr container there is replaced by `finish`.
    ///   - parts: The volumes, at least one, of one shape, and their types; labels have integers.
    ///   - voxelSize: Written with its unit; nil where it is not known: scales then count voxels, without a unit.
    ///   - position: Where the middle of the first voxel is, in nanometres, for a box of a larger image.
    ///   - threads: How many threads compress.
    /// - Throws: `FileFault` where the container cannot be written, its place is taken by anything but a container,
    ///   or a name of labels cannot be a folder's.
    public convenience init(
        path: String, shape: ZYX<Int>, parts: [Part: ElementType], voxelSize: VoxelSize?,
        position: ZYX<Double>? = nil, version: OMEZarrVersion = .v0_5,
        threads: Int = ProcessInfo.processInfo.activeProcessorCount
    ) throws {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        for case .labels(let name) in parts.keys { try Self.check(labels: name, path) }
        try OMEZarrContainer.checkReplaceable(path)
        try self.init(
            path, nil, shape: shape, parts: parts, voxelSize: voxelSize, position: position, version: version,
            threads: threads)
    }

    /// Adds labels to a container, in place of those of their name.
    ///
    /// - Throws: `FileFault` where they cannot be written.
    convenience init(
        addingTo container: OMEZarrContainer, shape: ZYX<Int>, elementType: ElementType, voxelSize: VoxelSize?,
        position: ZYX<Double>?, threads: Int
    ) throws {
        try self.init(
            container.folder.path, container, shape: shape, parts: [.labels(container.name): elementType],
            voxelSize: voxelSize, position: position, version: container.version, threads: threads)
    }

    private init(
        _ path: String, _ container: OMEZarrContainer?, shape: ZYX<Int>, parts: [Part: ElementType],
        voxelSize: VoxelSize?, position: ZYX<Double>?, version: OMEZarrVersion, threads: Int
    ) throws {
        precondition(shape.array.allSatisfy { $0 > 0 } && !parts.isEmpty)
        precondition(parts.allSatisfy { $0.key == .image || $0.value.isInteger }, "labels are integers")
        self.path = path
        self.container = container
        self.shape = shape
        self.parts = parts
        self.threads = threads
        pyramid = OMEZarrPyramid(shape: shape, voxelSize: voxelSize)
        // Within a container, so that one rename puts the labels in their place.
        temporary = AtomicFile.temporaryPath(beside: container == nil ? path : path + "/labels")
        do {
            try writeGroups(voxelSize, position, version)
            try makeLevels(version)
        } catch {
            discard()
            throw error
        }
    }

    deinit {
        if !isFinished { discard() }
    }

    /// Adds the planes from `z` on of one volume; slabs of a volume come in order, without gaps, of any thickness.
    ///
    /// - Precondition: `slab` has the volume's y, x and type and begins where the slab before it ended.
    /// - Throws: `FileFault` where the disk is full or refuses.
    public func write(_ slab: VoxelBuffer, atZ z: Int, to part: Part) throws {
        guard let type = parts[part], let levels = levels[part] else {
            preconditionFailure("\(part) is not among the container's parts")
        }
        precondition(slab.elementType == type && slab.shape.y == shape.y && slab.shape.x == shape.x)
        let next = levels[0].planes
        precondition(z == next && z + slab.shape.z <= shape.z, "plane \(next) is next, not \(z)")
        try append(slab, to: levels, level: 0, part == .image ? .mean : .mode)
    }

    private func append(
        _ slab: VoxelBuffer, to levels: [OMEZarrLevelWriter], level: Int, _ downsampling: Downsampling
    ) throws {
        try levels[level].append(slab) { row in
            guard level + 1 < levels.count else { return }
            let reduced = try downsampling.reduced(row, by: pyramid.step(after: level), threads: threads)
            try append(reduced, to: levels, level: level + 1, downsampling)
        }
    }

    /// Completes the container, or the labels, and puts them in their place, over what is there.
    ///
    /// - Throws: `FileFault` where planes are missing or the disk refuses; nothing is then left behind.
    public func finish() throws {
        for (part, levels) in levels where !levels.allSatisfy(\.isComplete) {
            throw FileFault(
                path,
                "cannot be completed: \(levels[0].planes) of \(shape.z) planes of \(Self.name(part)) were written")
        }
        precondition(!isFinished, "finish is called once")
        if let container {
            try container.add(folder(of: .labels(container.name)))
            discard()
        } else {
            try OMEZarrContainer.checkReplaceable(path)
            try AtomicFile.moveFolder(temporary, to: path)
        }
        isFinished = true
    }

    /// - Throws: `FileFault` where labels cannot be named so.
    static func check(labels name: String, _ path: String) throws {
        let isFolderName =
            !name.isEmpty && name.utf8.count <= 200 && !name.hasPrefix(".") && !name.hasPrefix("__")
            && !name.unicodeScalars.contains { $0.value < 32 || "/\\:".unicodeScalars.contains($0) }
        guard isFolderName else {
            throw FileFault(
                path, "cannot hold labels named '\(ZarrFolder.printable(name))': expected a folder's name")
        }
    }

    private func discard() { try? FileManager.default.removeItem(atPath: temporary) }

    private static func name(_ part: Part) -> String {
        switch part {
        case .image: "the image"
        case .labels(let name): "labels/\(name)"
        }
    }
}

// The container.
extension OMEZarrWriter {
    private func folder(of part: Part) -> String {
        switch part {
        case .image: temporary
        case .labels(let name): temporary + "/labels/" + name
        }
    }

    private func writeGroups(_ voxelSize: VoxelSize?, _ position: ZYX<Double>?, _ version: OMEZarrVersion) throws {
        let file = (path as NSString).lastPathComponent
        let stem = file.split(separator: ".", omittingEmptySubsequences: false).first.map(String.init) ?? file
        func attributes(_ name: String, _ downsampling: Downsampling, belongsToImage: Bool?) -> [String: JSONValue]
        {
            OMEZarrMetadata.attributes(
                of: .init(
                    name: name, pyramid: pyramid, voxelSize: voxelSize, position: position,
                    downsampling: downsampling, belongsToImage: belongsToImage), version)
        }
        let hasImage = parts[.image] != nil || container?.image != nil
        let root = parts[.image] != nil ? attributes(stem, .mean, belongsToImage: nil) : [:]
        try OMEZarrMetadata.writeGroup(at: temporary, root, version)
        let names = parts.keys.compactMap { if case .labels(let name) = $0 { name } else { nil } }.sorted()
        guard !names.isEmpty else { return }
        try OMEZarrMetadata.writeGroup(
            at: temporary + "/labels", ["labels": .array(names.map(JSONValue.string))], version)
        for name in names {
            try OMEZarrMetadata.writeGroup(
                at: folder(of: .labels(name)), attributes(name, .mode, belongsToImage: hasImage), version)
        }
    }

    private func makeLevels(_ version: OMEZarrVersion) throws {
        let largest = parts.values.map(\.size).max() ?? 1
        let plane = shape.y * shape.x * largest
        for (part, type) in parts {
            levels[part] = try pyramid.levels.enumerated().map { index, level in
                let cut = OMEZarrChunks(shape: level.shape, plane: plane, isSharded: version == .v0_5)
                let array = OMEZarrArray(
                    path: folder(of: part) + "/" + OMEZarrMetadata.levelName(index), shape: level.shape,
                    elementType: type, cut: cut, version: version)
                return try OMEZarrLevelWriter(array, threads: threads)
            }
        }
    }
}
