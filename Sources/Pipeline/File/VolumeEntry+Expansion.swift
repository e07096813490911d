import Foundation
import Volumes

#if canImport(Glibc)
    import Glibc
#endif

extension VolumeEntry {
    /// The volumes that `segment:` names: files, folders, patterns, and images paired with truth.
    ///
    /// - Throws: `PipelineFault` where nothing matches, where an image has no truth,
    ///   or where two inputs would write to the same results.
    static func expand(_ key: YAMLValue, folder: String) throws -> [VolumeEntry] {
        let values = try key.elements()
        let entries = try values.flatMap { value in
            value.isMapping ? try pairs(value, folder: folder) : try plain(value, folder: folder)
        }
        guard !entries.isEmpty else { throw key.misfit("at least one volume: a file, a folder or a pattern") }
        var seen: [String: VolumeEntry] = [:]
        for entry in entries {
            if let other = seen.updateValue(entry, forKey: entry.name.lowercased()), let value = values.first {
                throw PipelineFault(
                    file: value.file, line: entry.line,
                    problem: "\(other.image.title) and \(entry.image.title) would both write to '\(entry.name)'")
            }
        }
        return entries
    }

    private static func plain(_ value: YAMLValue, folder: String) throws -> [VolumeEntry] {
        let text = try value.text()
        return try images(text, value: value, folder: folder).map { title, name in
            VolumeEntry(
                name: name, image: SourceLocation(title, relativeTo: folder), truth: nil, line: value.line)
        }
    }

    /// `{image: "v/*-raw.tif", truth: "v/*-labels.h5:/labels"}`: what `*` stands for in the image's name
    /// is put for the same `*` of the truth's.
    private static func pairs(_ value: YAMLValue, folder: String) throws -> [VolumeEntry] {
        let keys = try value.mapping(of: ["image", "truth"])
        guard let image = keys["image"] else { throw value.fault("\(value.name) lacks 'image'") }
        let pattern = try image.text()
        let truth = try keys["truth"]?.text()
        return try images(pattern, value: image, folder: folder).map { title, name in
            let paired = try truth.map { truth in
                guard truth.contains("*") else { return truth }
                guard let captures = captures(of: pattern, in: title),
                    captures.count >= truth.filter({ $0 == "*" }).count
                else { throw image.fault("'\(truth)' has a '*' for which '\(pattern)' gives nothing") }
                return substitute(captures, in: truth)
            }
            if let paired {
                let location = SourceLocation(paired, relativeTo: folder)
                guard FileManager.default.fileExists(atPath: location.path) else {
                    throw (keys["truth"] ?? value).fault("\(title) has no truth: there is no file \(paired)")
                }
            }
            return VolumeEntry(
                name: name, image: SourceLocation(title, relativeTo: folder),
                truth: paired.map { SourceLocation($0, relativeTo: folder) }, line: value.line)
        }
    }

    /// The image files (titles as the pipeline file would name them) and their results' names.
    private static func images(
        _ text: String, value: YAMLValue, folder: String
    ) throws -> [(title: String, name: String)] {
        let (file, dataset) = VolumeFile.split(text)
        let suffix = dataset.map { ":" + $0 } ?? ""
        let path = SourceLocation.absolute(file, relativeTo: folder)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
            guard isFolder.boolValue else { return [(text, stem(file))] }
            let found = volumes(below: path, except: [folder + "/results/", folder + "/work/"])
            guard !found.isEmpty else {
                throw value.fault(
                    "the folder \(text) holds no volume (\(extensions.sorted().joined(separator: ", ")))")
            }
            let prefix = file.hasSuffix("/") ? file : file + "/"
            return found.map { (prefix + $0, withoutExtension($0)) }
        }
        guard file.contains(where: { "*?[".contains($0) }) else {
            throw value.fault("there is no file or folder \(file)")
        }
        let matches = glob(path)
        guard !matches.isEmpty else { throw value.fault("no file matches \(file)") }
        // Titles stay relative where the pattern is.
        let base = file.hasPrefix("/") || file.hasPrefix("~") ? "" : folder + "/"
        return matches.map { match in
            let title = match.hasPrefix(base) ? String(match.dropFirst(base.count)) : match
            return (title + suffix, stem(match))
        }
    }

    // MARK: Names

    private static let extensions: Set = ["tif", "tiff", "h5", "hdf5", "hdf"]

    /// The volumes below a folder; what segment wrote itself and hidden files are none.
    private static func volumes(below folder: String, except own: [String]) -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: folder) else { return [] }
        return walk.compactMap { $0 as? String }
            .filter { extensions.contains(($0 as NSString).pathExtension.lowercased()) }
            .filter { name in
                !name.split(separator: "/").contains { $0.hasPrefix(".") }
                    && !own.contains { (folder + "/" + name).hasPrefix($0) }
            }
            .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    }

    private static func stem(_ file: String) -> String {
        withoutExtension((file as NSString).lastPathComponent)
    }

    private static func withoutExtension(_ file: String) -> String {
        let name = (file as NSString).deletingPathExtension
        return name.hasSuffix(".ome") ? String(name.dropLast(4)) : name
    }

    private static func glob(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard Glibc.glob(pattern, 0, nil, &result) == 0 else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }
    }

    /// What each `*` of a pattern stands for in a name that it matches.
    private static func captures(of pattern: String, in name: String) -> [String]? {
        let expression =
            "^"
            + NSRegularExpression.escapedPattern(for: pattern)
            .replacingOccurrences(of: "\\*", with: "([^/]*)").replacingOccurrences(of: "\\?", with: "[^/]") + "$"
        guard let regex = try? NSRegularExpression(pattern: expression),
            let match = regex.firstMatch(in: name, range: NSRange(name.startIndex..., in: name))
        else { return nil }
        return (1..<match.numberOfRanges).compactMap {
            Range(match.range(at: $0), in: name).map { String(name[$0]) }
        }
    }

    private static func substitute(_ captures: [String], in pattern: String) -> String {
        var rest = captures[...]
        return pattern.map { $0 == "*" ? rest.popFirst() ?? "" : String($0) }.joined()
    }
}
