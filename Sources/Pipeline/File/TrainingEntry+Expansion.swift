import Foundation
import Volumes

extension TrainingEntry {
    /// The annotated volumes that `train:` names: `{image, labels}` with files or patterns; or a folder, a pattern or an
    /// image alone, whose labels are found by the names that nnU-Net, Cellpose and others give them.
    ///
    /// - Parameter faults: gets a fault for each entry without image or labels.
    static func expand(
        _ key: YAMLValue, _ search: VolumeSearch, _ findings: inout FolderFindings, faults: inout [PipelineFault]
    ) throws -> [TrainingEntry] {
        var entries: [TrainingEntry] = []
        let values = try key.elements()
        for value in values {
            do {
                entries +=
                    value.isMapping
                    ? try value.readEntries(&faults) { try stated($0, search, &findings, &$1) }
                    : try found(value, search, &findings, &faults)
            } catch let fault as PipelineFault {
                faults.append(fault)
            }
        }
        if values.isEmpty { throw key.misfit("a list of at least one image with labels") }
        return entries
    }

    /// Images for whom nothing is said of their labels.
    private static func found(
        _ value: YAMLValue, _ search: VolumeSearch, _ findings: inout FolderFindings,
        _ faults: inout [PipelineFault]
    ) throws -> [TrainingEntry] {
        let folder = search.folder
        let paths = try ImagePaths(value, search, entersFolders: true)
        findings.add(paths)
        let others =
            paths.listing == nil ? try value.located { try VolumeListing(below: paths.base, search).paths } : []
        let (pairs, unclaimed) = try value.located {
            let found = try LabelPairing.pairs(in: paths.found, and: others, base: paths.base, search)
            return (found.pairs, found.unclaimed)
        }
        findings.add(unclaimed: unclaimed)
        // nnU-Net's test images are there to be segmented.
        let training = pairs.filter { !$0.images[0].lowercased().contains("/imagests/") }
        func location(_ path: String) -> SourceLocation {
            SourceLocation(found: path, dataset: paths.dataset, relativeTo: folder)
        }
        let alone = training.filter { $0.labels == nil }.map { location($0.images[0]).title }
        if paths.listing != nil, alone.count == training.count {
            throw value.fault(unpaired(try value.text(), pairs.map { location($0.images[0]).title }))
        }
        if let image = alone.first {
            faults.append(value.fault(unlabelled(image, alone.count, of: training.count)))
        }
        return training.compactMap { pair in
            pair.labels.map { labels in
                TrainingEntry(
                    images: pair.images.map(location),
                    labels: SourceLocation(found: labels, dataset: nil, relativeTo: folder), mask: nil,
                    unlabelled: .none, place: nil, line: value.line)
            }
        }
    }

    /// Of a folder.
    private static func unpaired(_ folder: String, _ images: [String]) -> String {
        let shown = images.prefix(3).joined(separator: ", ") + (images.count > 3 ? ", …" : "")
        return
            "\(folder) holds no image with labels: found \(images.count == 1 ? "1 volume" : "\(images.count) volumes") "
            + "(\(shown)), and looked for \(LabelPairing.layouts); say which belong together, as in "
            + "{image: \"\(folder.hasSuffix("/") ? folder : folder + "/")*-raw.tif\", labels: \"…/*-labels.tif\"}"
    }

    private static func unlabelled(_ image: String, _ count: Int, of all: Int) -> String {
        let others = count > 1 ? " (nor have \(count - 1) more of \(all))" : ""
        let name = VolumeListing.stem(image)
        return
            "\(image) has no labels\(others): there is no \(name)_masks or \(name)_labels beside it, nor \(name) in a "
            + "folder masks, labels or labelsTr beside its own; say which they are, as in "
            + "{image: \(image), labels: labels.tif}"
    }

    private static func stated(
        _ value: YAMLValue, _ search: VolumeSearch, _ findings: inout FolderFindings,
        _ faults: inout [PipelineFault]
    ) throws -> [TrainingEntry] {
        let keys = try value.mapping(of: [
            "image", "labels", "mask", "unlabelled", "at", "channel", "channels", "time",
        ])
        let inputs = try InputKeys(value, keys, allowsEveryTime: false)
        guard let labels = keys["labels"] else { throw value.fault("\(value.name) lacks 'labels'") }
        let place = try keys["at"]?.place()
        let unlabelled = try keys["unlabelled"]?.unlabelled() ?? .none
        let volumes: [(image: ImagePaths.Found, inputs: [SourceLocation])]
        do {
            volumes = try inputs.volumes(search, &findings)
        } catch {
            faults += [labels, keys["mask"]].compactMap { $0?.missing(from: search.folder) }
            throw error
        }
        try labels.checkPairs(with: volumes.count)
        return try volumes.compactMap { image, images in
            func partner(_ value: YAMLValue, _ what: String) throws -> SourceLocation {
                var location = try value.partner(of: image, folder: search.folder, as: what)
                location.selection.time = inputs.time
                return location
            }
            return try faults.collecting {
                TrainingEntry(
                    images: images, labels: try partner(labels, "labels"),
                    mask: try keys["mask"].map { try partner($0, "mask") }, unlabelled: unlabelled,
                    place: place, line: value.line)
            }
        }
    }
}

extension YAMLValue {
    /// `[z, y, x]`, or `{z: 0, y: 0, x: 0}`.
    fileprivate func place() throws -> ZYX<Int> {
        if isMapping {
            let keys = try mapping(of: ["z", "y", "x"])
            let axes = try ["z", "y", "x"].map { try keys[$0]?.integer(atLeast: 0, atMost: 1 << 40) ?? 0 }
            return ZYX(axes[0], axes[1], axes[2])
        }
        let axes = try triple(atLeast: 0, atMost: 1 << 40)
        return ZYX(axes[0], axes[1], axes[2])
    }

    fileprivate func unlabelled() throws -> Unlabelled {
        guard let unlabelled = Unlabelled(rawValue: try text()) else { throw misfit("0, sections or none") }
        return unlabelled
    }
}
