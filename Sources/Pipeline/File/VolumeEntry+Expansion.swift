import Foundation
import Volumes

extension VolumeEntry {
    /// The volumes that `segment:` names: files, folders, patterns, and images paired with truth.
    ///
    /// - Parameter faults: gets a fault for each entry at which nothing matches or an image has no truth, and one for
    ///   each two inputs that would write to the same results.
    static func expand(
        _ key: YAMLValue, folder: String, faults: inout [PipelineFault]
    ) throws -> [VolumeEntry] {
        var entries: [VolumeEntry] = []
        let values = try key.elements()
        for value in values {
            do {
                entries += value.isMapping ? try pairs(value, folder: folder) : try plain(value, folder: folder)
            } catch let fault as PipelineFault {
                faults.append(fault)
            }
        }
        if values.isEmpty { throw key.misfit("at least one volume: a file, a folder or a pattern") }
        faults += conflicts(among: entries, file: key.file)
        return entries
    }

    /// A text: with a folder come the truths that lie in it.
    private static func plain(_ value: YAMLValue, folder: String) throws -> [VolumeEntry] {
        let paths = try ImagePaths(value, folder: folder, searchesFolders: true)
        func location(_ path: String) -> SourceLocation {
            SourceLocation(found: path, dataset: paths.dataset, relativeTo: folder)
        }
        guard paths.isFolder else {
            return paths.found.map { VolumeEntry(name: $0.name, images: [location($0.path)], line: value.line) }
        }
        return try value.located {
            try LabelPairing.pairs(in: paths.found.map(\.path), base: paths.base).map { pair in
                VolumeEntry(
                    name: pair.name, images: pair.images.map(location),
                    truth: pair.labels.map { SourceLocation(found: $0, dataset: nil, relativeTo: folder) },
                    line: value.line)
            }
        }
    }

    /// `{image: "v/*-raw.tif", truth: "v/*-labels.h5:/labels"}`: what `*` stands for in the image's name
    /// is put for the same `*` of the truth's.
    private static func pairs(_ value: YAMLValue, folder: String) throws -> [VolumeEntry] {
        let keys = try value.mapping(of: ["image", "truth", "channel", "channels", "time"])
        let inputs = try InputKeys(value, keys, allowsEveryTime: true)
        return try inputs.volumes(folder: folder).map { image, images in
            VolumeEntry(
                name: image.name, images: images,
                truth: try keys["truth"].map {
                    var truth = try $0.partner(of: image, folder: folder, as: "truth")
                    truth.selection.time = inputs.time
                    return truth
                }, isEveryTime: inputs.isEveryTime, line: value.line)
        }
    }

    // MARK: Names

    /// Files that results hold, after which no folder of theirs may be called.
    private static let reserved: Set = [
        "report.html", "provenance.json", "labels.tif", "labels.h5", "votes.tif", "objects.csv", "overview.png",
        "scores.json",
    ]

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
                return fault("\(entry.image.title) would write to '\(entry.name)', which names something else")
            }
            // Some file systems do not tell capitals from small letters.
            guard let other = seen.updateValue(entry, forKey: components.joined(separator: "/")) else { return nil }
            return fault("\(other.image.title) and \(entry.image.title) would both write to '\(entry.name)'")
        }
    }
}
