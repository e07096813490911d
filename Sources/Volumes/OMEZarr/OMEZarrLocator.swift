/// Finds the volume of a container that is meant.
struct OMEZarrLocator {
    let folder: ZarrFolder

    /// An array, and the image that it is a level of, if any.
    struct Found {
        let array: ZarrArray
        let group: OMEZarrGroup?
        let image: OMEMultiscale?
        let level: Int

        /// The other levels of the image, and its labels.
        var others: [String] {
            guard let group, let image else { return [] }
            let levels = image.levels.compactMap { try? group.resolved($0.path) }.filter { $0 != array.path }
            let labels = (group.path.isEmpty ? "" : group.path + "/") + "labels"
            return levels.map(ZarrFolder.printable)
                + group.folder.folders(in: labels).map { ZarrFolder.printable(labels + "/" + $0) }
        }
    }

    /// Containers have few levels of groups: a plate has four.
    private static let deepest = 6
    private static let mostNodes = 2_000

    /// The array at `path`, the first level of the image there, or the only volume beneath.
    ///
    /// - Throws: `FileFault`, which lists what is there where `path` is not, or is not one volume.
    func find(_ path: String) throws -> Found {
        if let array = try ZarrArray.open(path, in: folder) { return try level(array) }
        guard let group = try OMEZarrGroup.open(path, in: folder) else {
            throw FileFault(
                folder.path, "has no volume at \(ZarrFolder.printable(path)); it has \(list(try volumes()))")
        }
        if let found = try first(of: group) { return found }
        return try theOnlyVolume(beneath: group)
    }

    /// The first level of a group's only image; nil where it has none.
    private func first(of group: OMEZarrGroup) throws -> Found? {
        guard let image = group.multiscales.first else { return nil }
        guard group.multiscales.count == 1 else {
            let paths = try group.multiscales.map { try group.resolved($0.levels[0].path) }
            throw FileFault(
                folder.path,
                "has \(paths.count) images in one group; name one, as in \(folder.path):\(paths[0]); "
                    + "it has \(list(paths))")
        }
        let path = try group.resolved(image.levels[0].path)
        guard let array = try ZarrArray.open(path, in: folder) else {
            throw FileFault(folder.path, "names the array \(ZarrFolder.printable(path)), which is missing")
        }
        return Found(array: array, group: group, image: image, level: 0)
    }

    /// An array named by itself, with the nearest image around it that names it too.
    private func level(_ array: ZarrArray) throws -> Found {
        var names = array.path.split(separator: "/").map(String.init)
        while names.popLast() != nil {
            guard let group = try OMEZarrGroup.open(names.joined(separator: "/"), in: folder) else { continue }
            for image in group.multiscales {
                let index = image.levels.firstIndex { (try? group.resolved($0.path)) == array.path }
                if let index { return Found(array: array, group: group, image: image, level: index) }
            }
        }
        return Found(array: array, group: nil, image: nil, level: 0)
    }

    private func theOnlyVolume(beneath group: OMEZarrGroup) throws -> Found {
        let all = try volumes(beneath: group.path)
        // Labels stand beside the image they belong to.
        let images = all.filter { !$0.split(separator: "/").dropLast().contains("labels") }
        if let only = images.count == 1 ? images[0] : images.isEmpty && all.count == 1 ? all[0] : nil {
            if let array = try ZarrArray.open(only, in: folder) { return try level(array) }
            if let group = try OMEZarrGroup.open(only, in: folder), let found = try first(of: group) {
                return found
            }
        }
        guard let example = images.first ?? all.first else {
            throw FileFault(folder.path, "holds no array; expected an OME-Zarr image or a Zarr array")
        }
        let candidates = images.isEmpty ? all : images
        let kind = group.holdsSeries ? "series" : "volumes"
        throw FileFault(
            folder.path,
            "has \(candidates.count) \(kind); name one, as in \(folder.path):\(example); "
                + "it has \(list(candidates))")
    }

    /// The paths of the images, and of the arrays that belong to none.
    private func volumes(beneath path: String = "") throws -> [String] {
        var found: [String] = []
        var nodesLeft = Self.mostNodes
        func visit(_ path: String, depth: Int) throws {
            guard depth <= Self.deepest, nodesLeft > 0 else { return }
            nodesLeft -= 1
            if let group = try OMEZarrGroup.open(path, in: folder) {
                if !group.multiscales.isEmpty { found.append(path) }
                let levels = try group.multiscales.flatMap { try $0.levels.map { try group.resolved($0.path) } }
                for name in folder.folders(in: path) {
                    let child = path.isEmpty ? name : path + "/" + name
                    if !levels.contains(child) { try visit(child, depth: depth + 1) }
                }
            } else if try ZarrArray.open(path, in: folder) != nil {
                found.append(path)
            }
        }
        try visit(path, depth: 0)
        return found
    }

    private func list(_ paths: [String]) -> String {
        if paths.isEmpty { return "none" }
        let shown = paths.prefix(20).map { $0.isEmpty ? "an image at its root" : ZarrFolder.printable($0) }
        return shown.joined(separator: ", ")
            + (paths.count > shown.count ? " and \(paths.count - shown.count) more" : "")
    }
}
