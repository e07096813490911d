import CHDF5
import Foundation

/// The datasets of a file, and which of them is meant. Use it within `HDF5Library.alone`.
struct HDF5Contents {
    let file: HDF5File
    /// As its user names it.
    let path: String

    /// Volumes are few; a file of tables may have any number of datasets.
    private static let mostNames = 10_000
    private static let mostShown = 20

    /// The dataset `name`.
    ///
    /// - Throws: `FileFault` where there is none of that name or it cannot be read.
    func dataset(_ name: String) throws -> HDF5Dataset {
        let absolute = "/" + name.split(separator: "/").joined(separator: "/")
        let source = "\(path):\(HDF5Library.printable(absolute))"
        do {
            let object = try HDF5Object(absolute, in: file)
            guard object.isDataset else { throw missing(absolute, try datasetNames()) }
            return try HDF5Dataset(absolute, object)
        } catch let refusal as HDF5Refusal {
            throw FileFault(source, refusal.problem)
        } catch let fault as HDF5Fault {
            let names = try datasetNames()
            if names.contains(absolute) { throw FileFault(source, "is damaged: \(fault.reason)") }
            throw missing(absolute, names)
        }
    }

    private func missing(_ name: String, _ names: [String]) -> FileFault {
        FileFault(path, "has no dataset \(HDF5Library.printable(name)); it has \(list(names))")
    }

    /// The only volume of the file, or the one whose name fits the role that is looked for.
    ///
    /// - Throws: `FileFault` where there is none, or several and none of them fits.
    func volume(for selection: VolumeSelection) throws -> HDF5Dataset {
        let role = selection.role
        if let role, let dataset = named(role.usualNames) { return dataset }
        let names = try datasetNames()
        let others = names.compactMap { try? HDF5Dataset($0, in: file) }.filter { isVolume($0) }
        let foreign = role?.opposite.ownNames ?? []
        let candidates = others.filter { !foreign.contains($0.name) }
        let volumes = likeliest(of: candidates, for: selection)
        if volumes.count == 1 { return volumes[0] }
        if volumes.isEmpty, let role, !others.isEmpty {
            throw FileFault(path, "has no \(role.rawValue) by name; name one, of \(list(others.map(\.name)))")
        }
        // What is wrong with the only one there is, or that it is a single section, its own opening tells.
        if volumes.isEmpty, names.count == 1, externalLinks().isEmpty { return try dataset(names[0]) }
        if volumes.isEmpty {
            let links = externalLinks()
            let hint =
                links.isEmpty
                ? ""
                : "; links lead to other files: \(links.joined(separator: ", ")); name one, as in "
                    + "\((path as NSString).lastPathComponent):\(links[0])"
            throw FileFault(path, "has no dataset of numbers with the axes z, y, x; it has \(list(names))\(hint)")
        }
        throw FileFault(
            path,
            "has \(volumes.count) datasets with the axes z, y, x; name one, as in "
                + "\((path as NSString).lastPathComponent):\(volumes[0].name); it has \(list(volumes.map(\.name)))")
    }

    /// Axes of channels and times count where nothing simpler is there, or only what goes with an image, or where a channel or
    /// a time is asked for.
    private func likeliest(of candidates: [HDF5Dataset], for selection: VolumeSelection) -> [HDF5Dataset] {
        let (simple, many) = (candidates.filter(isSimple), candidates.filter { !isSimple($0) })
        if many.isEmpty || simple.isEmpty { return candidates }
        guard selection.role == nil else { return simple }
        if selection.channel != nil || selection.time != nil { return many }
        let companions = VolumeRole.labels.ownNames + ["/mask", "/masks"]
        return simple.allSatisfy { companions.contains($0.name) } ? candidates : simple
    }

    private func isSimple(_ dataset: HDF5Dataset) -> Bool { dataset.dimensions.filter { $0 != 1 }.count <= 3 }

    private func named(_ names: [String]) -> HDF5Dataset? {
        names.lazy.compactMap { try? HDF5Dataset($0, in: file) }.first { isVolume($0) }
    }

    private func isVolume(_ dataset: HDF5Dataset) -> Bool {
        guard let axes = try? dataset.axes(), axes.z != nil else { return false }
        return (try? dataset.type()) != nil
    }

    /// The names of the datasets that are in the file itself, in the order of their paths.
    ///
    /// - Throws: `FileFault` where one of its groups is damaged.
    func datasetNames() throws -> [String] {
        var listing = Listing(most: Self.mostNames)
        let status = withUnsafeMutablePointer(to: &listing) { target in
            H5Ovisit2(
                file.handle.id, H5_INDEX_NAME, H5_ITER_INC,
                { _, name, info, target in
                    guard let name, let info, let target else { return 0 }
                    let listing = target.assumingMemoryBound(to: Listing.self)
                    return listing.pointee.add(
                        String(cString: name), isMeant: info.pointee.type == H5O_TYPE_DATASET)
                }, target, UInt32(H5O_INFO_BASIC))
        }
        if listing.isCircular { throw FileFault(path, "is damaged: its groups lie in each other without end") }
        guard status >= 0 else {
            throw FileFault(path, "is damaged: its datasets cannot be listed: \(HDF5Library.reason())")
        }
        return listing.names.sorted()
    }

    /// The names of links into other files; the first few.
    private func externalLinks() -> [String] {
        var listing = Listing(most: Self.mostShown)
        _ = withUnsafeMutablePointer(to: &listing) { target in
            H5Lvisit(
                file.handle.id, H5_INDEX_NAME, H5_ITER_INC,
                { _, name, info, target in
                    guard let name, let info, let target else { return 0 }
                    let listing = target.assumingMemoryBound(to: Listing.self)
                    return listing.pointee.add(
                        String(cString: name), isMeant: info.pointee.type == H5L_TYPE_EXTERNAL)
                }, target)
        }
        return listing.names.map(HDF5Library.printable)
    }

    private struct Listing {
        let most: Int
        private(set) var names: [String] = []
        /// libhdf5 1.10 follows a group that claims to lie in itself until the stack ends.
        private(set) var isCircular = false
        private static let deepest = 64

        init(most: Int) { self.most = most }

        /// - Returns: 0 to go on, 1 to stop.
        mutating func add(_ name: String, isMeant: Bool) -> herr_t {
            isCircular = name.utf8.count { $0 == UInt8(ascii: "/") } > Self.deepest
            if isMeant { names.append("/" + name) }
            return isCircular || names.count >= most ? 1 : 0
        }
    }

    /// For example `/labels (z 30 × y 40 × x 50 uint32), /raw (damaged)`; long lists are cut.
    private func list(_ names: [String]) -> String {
        if names.isEmpty { return "none" }
        let shown = names.prefix(Self.mostShown).map { name in
            let summary = (try? HDF5Dataset(name, in: file))?.summary ?? "damaged"
            return "\(HDF5Library.printable(name)) (\(summary))"
        }
        let rest = names.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
