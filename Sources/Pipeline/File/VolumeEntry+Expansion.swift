import Foundation
import Volumes

extension VolumeEntry {
    /// The volumes that `segment:` names: files, folders, patterns, and images paired with truth.
    ///
    /// - Parameter faults: gets a fault for each entry at which nothing matches or an image has no truth, and one for
    ///   each two inputs that would write to the same results.
    static func expand(
        _ key: YAMLValue, _ search: VolumeSearch, _ findings: inout FolderFindings, faults: inout [PipelineFault]
    ) throws -> [VolumeEntry] {
        var entries: [VolumeEntry] = []
        let values = try key.elements()
        for value in values {
            do {
                entries +=
                    value.isMapping
                    ? try value.readEntries(&faults) { try pairs($0, search, &findings, &$1) }
                    : try plain(value, search, &findings)
            } catch let fault as PipelineFault {
                faults.append(fault)
            }
        }
        if values.isEmpty { throw key.misfit("at least one volume: a file, a folder or a pattern") }
        entries = namedApart(entries)
        faults += conflicts(among: entries, file: key.file)
        return entries
    }

    /// A text: with a folder come the truths that lie in it.
    private static func plain(
        _ value: YAMLValue, _ search: VolumeSearch, _ findings: inout FolderFindings
    ) throws -> [VolumeEntry] {
        let paths = try ImagePaths(value, search, entersFolders: true)
        findings.add(paths)
        func location(_ path: String) -> SourceLocation {
            SourceLocation(found: path, dataset: paths.dataset, relativeTo: search.folder)
        }
        guard paths.listing != nil else {
            return paths.found.map { VolumeEntry(name: $0.name, images: [location($0.path)], line: value.line) }
        }
        let found = try value.located { try LabelPairing.pairs(in: paths.found, base: paths.base, search) }
        findings.add(unclaimed: found.unclaimed)
        return found.pairs.map { pair in
            VolumeEntry(
                name: pair.name, images: pair.images.map(location),
                truth: pair.labels.map { SourceLocation(found: $0, dataset: nil, relativeTo: search.folder) },
                line: value.line)
        }
    }

    /// `{image: "v/*-raw.tif", truth: "v/*-labels.h5:/labels"}`: what `*` stands for in the image's name
    /// is put for the same `*` of the truth's.
    private static func pairs(
        _ value: YAMLValue, _ search: VolumeSearch, _ findings: inout FolderFindings,
        _ faults: inout [PipelineFault]
    ) throws -> [VolumeEntry] {
        let keys = try value.mapping(of: [
            "image", "truth", "roi", "measure", "exclude", "channel", "channels", "time",
        ])
        let inputs = try InputKeys(value, keys, allowsEveryTime: true)
        let volumes: [(image: ImagePaths.Found, inputs: [SourceLocation])]
        do {
            volumes = try inputs.volumes(search, &findings)
        } catch {
            faults += [keys["truth"]?.missing(from: search.folder)].compactMap { $0 }
            throw error
        }
        try keys["truth"]?.checkPairs(with: volumes.count)
        let roi = try keys["roi"].map { value in
            guard let box = CropRange(try value.text()) else {
                throw value.misfit(
                    "a box of voxels such as 0:100,50:306,: (first and one past the last along z, y, x)")
            }
            return box
        }
        return try volumes.compactMap { image, images in
            try faults.collecting {
                func partner(_ value: YAMLValue, _ what: String) throws -> SourceLocation {
                    var location = try value.partner(of: image, folder: search.folder, as: what)
                    location.selection.time = inputs.time
                    return location
                }
                let measured = try keys["measure"]?.elements().map { try partner($0, "volume to measure") } ?? []
                let columns = measured.map(\.columnName)
                if let list = keys["measure"], Set(columns).count < columns.count || columns.contains("intensity") {
                    throw list.misfit(
                        "volumes whose files have different names, as columns of the table are called by them")
                }
                return VolumeEntry(
                    name: image.name, images: images,
                    truth: try keys["truth"].map { try partner($0, "truth") },
                    measured: measured,
                    exclusion: try keys["exclude"].map { try partner($0, "mask to exclude") }, roi: roi,
                    isEveryTime: inputs.isEveryTime, line: value.line)
            }
        }
    }

    // MARK: Names

    /// Files that results hold, after which no folder of theirs may be called.
    private static let reserved = Set(
        [
            ReportStep.reportName, ReportStep.provenanceName, ExportStep.containerName, ExportStep.consensusName,
            "labels.tif", "labels.h5", "votes.tif", LabelStep.tableName, LabelStep.contactsName, "overview.png",
        ] + EvaluateStep.names)

    /// Entries that take different channels or time points of one file get these into their names: `a/c0`, `a/t03`, padded
    /// with zeros to the length of the largest.
    private static func namedApart(_ entries: [VolumeEntry]) -> [VolumeEntry] {
        var named = entries
        let sameFile = Dictionary(grouping: entries.indices) {
            "\(entries[$0].name)\n\(entries[$0].image.location)"
        }
        for group in sameFile.values where group.count > 1 {
            let channels = suffixes("c", group.map { entries[$0].images.compactMap(\.selection.channel) })
            let times = suffixes("t", group.map { [entries[$0].image.selection.time].compactMap { $0 } })
            for (place, index) in group.enumerated() { named[index].name += channels[place] + times[place] }
        }
        return named
    }

    /// `/c0`, `/c2`, or `/c0-1` for several; nothing where all are the same.
    private static func suffixes(_ letter: String, _ numbers: [[Int]]) -> [String] {
        guard Set(numbers).count > 1 else { return numbers.map { _ in "" } }
        let largest = numbers.joined().max() ?? 0
        return numbers.map { own in
            own.isEmpty
                ? "" : "/\(letter)" + own.map { paddedNumber($0, upTo: largest) }.joined(separator: "-")
        }
    }

    private static func conflicts(among entries: [VolumeEntry], file: String) -> [PipelineFault] {
        var seen: [String: VolumeEntry] = [:]
        return entries.compactMap { entry in
            func fault(_ problem: String) -> PipelineFault {
                PipelineFault(file: file, line: entry.line, problem: problem)
            }
            let components = entry.name.lowercased().split(separator: "/").map(String.init)
            if components.isEmpty
                || components.contains(where: { $0 == "." || $0 == ".." || reserved.contains($0) })
            {
                return fault("\(entry.image.subject) would write to '\(entry.name)', which names something else")
            }
            // Some file systems do not tell capitals from small letters.
            guard let other = seen.updateValue(entry, forKey: components.joined(separator: "/")) else { return nil }
            return fault(
                "\(other.image.subject) and \(entry.image.subject) would both write to '\(entry.name)'; "
                    + "rename one, or put it into another folder")
        }
    }
}
