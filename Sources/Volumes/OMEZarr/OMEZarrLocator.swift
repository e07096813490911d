/// Finds the volume of a container that is meant.
struct OMEZarrLocator {
    let folder: ZarrFolder
    /// What the volume is for, where several have names that say so.
    let role: VolumeRole?

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
        guard let group = try OMEZarrGroup.open(path, in: folder) else { throw try missing(path) }
        if role == .labels, !group.multiscales.isEmpty, let labels = try labels(of: group) { return labels }
        if let found = try first(of: group) { return found }
        return try theOnlyVolume(beneath: group)
    }

    private func missing(_ path: String) throws -> FileFault {
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        let image = try OMEZarrGroup.open(parent, in: folder)
        let levels = try image.map { try self.levels(of: $0) } ?? []
        let others = try volumes().filter { levels.isEmpty || $0 != parent && !levels.contains($0) }
        var there = levels.isEmpty ? [] : ["the levels \(list(levels))"]
        if there.isEmpty || !others.isEmpty { there.append(list(others)) }
        let found = there.joined(separator: " and ")
        return FileFault(folder.path, "has no volume at \(ZarrFolder.printable(path)); it has \(found)")
    }

    /// The labels of an image, where it has only these; nil where it has none.
    private func labels(of group: OMEZarrGroup) throws -> Found? {
        guard let labels = try OMEZarrGroup.open(try group.resolved("labels"), in: folder),
            try !volumes(beneath: labels.path).isEmpty
        else { return nil }
        return try theOnlyVolume(beneath: labels)
    }

    /// The first level of a group's only image; nil where it has none.
    private func first(of group: OMEZarrGroup) throws -> Found? {
        guard let image = group.multiscales.first else { return nil }
        guard group.multiscales.count == 1 else {
            let paths = try group.multiscales.map { try group.resolved($0.levels[0].path) }
            throw FileFault(
                folder.path,
                "has \(paths.count) images in one group; name one, as in \(folder.name):\(paths[0]); "
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
        let named = role?.usualNames.lazy
            .map { name in all.filter { "/\($0)/".hasPrefix(name + "/") } }.first { !$0.isEmpty }
        let candidates = named ?? (images.isEmpty ? all : images)
        guard let example = candidates.first else {
            throw FileFault(folder.path, "holds no array; expected an OME-Zarr image or a Zarr array")
        }
        if candidates.count == 1 {
            if let array = try ZarrArray.open(example, in: folder) { return try level(array) }
            if let group = try OMEZarrGroup.open(example, in: folder), let found = try first(of: group) {
                return found
            }
        }
        let kind = group.holdsSeries ? "series" : "volumes"
        throw FileFault(
            folder.path,
            "has \(candidates.count) \(kind); name one, as in \(folder.name):\(example); "
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
                let levels = try self.levels(of: group)
                if !group.multiscales.isEmpty { found.append(path) } else { found += levels.prefix(1) }
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

    /// The paths of the levels of a group's images, or of its arrays `s0`, `s1` and so on, where nothing says that they
    /// are levels.
    private func levels(of group: OMEZarrGroup) throws -> [String] {
        if !group.multiscales.isEmpty {
            return try group.multiscales.flatMap { try $0.levels.map { try group.resolved($0.path) } }
        }
        let arrays = try folder.folders(in: group.path).filter { $0.wholeMatch(of: /s[0-9]+/) != nil }
            .map { try group.resolved($0) }.filter { try ZarrArray.open($0, in: folder) != nil }
        return arrays.first?.hasSuffix("s0") == true ? arrays : []
    }

    private func list(_ paths: [String]) -> String {
        if paths.isEmpty { return "none" }
        let shown = paths.prefix(20).map { $0.isEmpty ? "an image at its root" : ZarrFolder.printable($0) }
        return shown.joined(separator: ", ")
            + (paths.count > shown.count ? " and \(paths.count - shown.count) more" : "")
    }
}
