import Foundation
import Volumes

/// The image files that a text of a pipeline file names: a file, a folder or a pattern.
struct ImagePaths {
    struct Found {
        /// Absolute.
        var path: String
        /// The path of the result, relative to the pipeline's.
        var name: String
        /// What each `*` of the pattern stands for; nil where the text is no pattern, or one that all sections of a
        /// volume match.
        var captures: [String]?
    }

    let found: [Found]
    /// The folder that the files are in, absolute.
    let base: String
    /// What the folder holds that the text names; nil where it names no folder, or one that is a volume.
    let listing: VolumeListing?
    /// Of the numbered sections that a pattern matches and that are one volume; 0 where it matches volumes.
    let sections: Int
    /// What stands after the colon.
    let dataset: String?

    /// - Parameters:
    ///   - folder: what a relative path starts from.
    ///   - search: how folders are searched for volumes, and from which relative paths start.
    ///   - entersFolders: whether a folder stands for the volumes in it, and not for one volume.
    /// - Throws: `PipelineFault` where there is nothing.
    init(_ value: YAMLValue, _ search: VolumeSearch, entersFolders: Bool) throws {
        let (file, dataset) = VolumeFile.split(try value.text())
        let folder = search.folder
        self.dataset = dataset
        let path = SourceLocation.absolute(file, relativeTo: folder)
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if exists, isFolder.boolValue, entersFolders, !VolumeListing.isVolume(folder: path) {
            base = path
            sections = 0
            let listing = try value.located { try VolumeListing(below: path, search) }
            self.listing = listing
            found = zip(listing.volumes, listing.paths).map { name, path in
                let isSeries = search.joinsSections && listing.series[name] != nil
                let own = name.isEmpty ? (path as NSString).lastPathComponent : name
                return Found(path: path, name: isSeries ? own : VolumeListing.withoutEnding(own))
            }
            guard !found.isEmpty else {
                let endings = VolumeListing.fileEndings + VolumeListing.folderEndings
                let others = FolderFindings.kinds(listing.unread).map { "; " + $0 }.joined()
                throw value.fault(
                    "the folder \(file) holds no volume (\(endings.joined(separator: ", ")))" + others)
            }
        } else if exists {
            listing = nil
            sections = 0
            base = (path as NSString).deletingLastPathComponent
            let name =
                isFolder.boolValue && !VolumeListing.isVolume(folder: path)
                ? (path as NSString).lastPathComponent : VolumeListing.stem(path)
            found = [Found(path: path, name: name)]
        } else {
            guard PathPattern.isPattern(file) else { throw value.fault("there is no file or folder \(file)") }
            let pattern = PathPattern(file, relativeTo: folder)
            let base = pattern.base
            self.base = base
            listing = nil
            let matches = pattern.matches
            sections = search.joinsSections && search.areSections(matches) ? matches.count : 0
            guard sections == 0 else {
                // All of a folder's are the folder, beside which labels may be found.
                let folder = (matches[0] as NSString).deletingLastPathComponent
                let isWhole = search.sections(in: folder) == sections
                found = [
                    Found(path: isWhole ? folder : pattern.escaped, name: (folder as NSString).lastPathComponent)
                ]
                return
            }
            found = matches.map { path in
                let below = path.hasPrefix(base + "/") ? String(path.dropFirst(base.count + 1)) : path
                return Found(
                    path: path, name: VolumeListing.withoutEnding(below), captures: pattern.captures(in: path) ?? []
                )
            }
            guard !found.isEmpty else { throw value.fault("no file matches \(file)") }
        }
    }
}

extension YAMLValue {
    /// Faults of folders and of names, as faults of this value.
    func located<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let fault as FileFault {
            throw self.fault(fault.description)
        } catch let ambiguity as LabelPairing.Ambiguity {
            throw self.fault(ambiguity.problem)
        }
    }

    /// The fault of a file that is not there; nil for a pattern.
    func missing(from folder: String) -> PipelineFault? {
        guard let text = try? text() else { return nil }
        let (path, _) = VolumeFile.split(SourceLocation.absolute(text, relativeTo: folder))
        guard !PathPattern.isPattern(text), !FileManager.default.fileExists(atPath: path) else { return nil }
        return fault("there is no file or folder \(text)")
    }

    /// Refuses one file, or one number of them, for several images that a pattern matches.
    func checkPairs(with images: Int) throws {
        let text = try text()
        guard images > 1, !text.contains("*") else { return }
        throw fault(
            "the image's pattern matches \(images) files, and \(name) is one, '\(text)'; write the part of the name "
                + "that they share as *, as in {image: \"v/*-raw.tif\", \(name.split(separator: ".").last ?? ""): \"v/*-labels.tif\"}; where the "
                + "images are the sections of one volume, name their folder")
    }

    /// The file that belongs to `image`: this text, with what the image's pattern found for each `*`.
    func partner(of image: ImagePaths.Found, folder: String, as what: String) throws -> SourceLocation {
        let text = try text()
        // Of a volume that no pattern chose, a pattern is that of its sections.
        if image.captures == nil, PathPattern.isPattern(text),
            !FileManager.default.fileExists(atPath: SourceLocation(text, relativeTo: folder).path)
        {
            let (path, dataset) = VolumeFile.split(text)
            let pattern = PathPattern(path, relativeTo: folder)
            guard !pattern.matches.isEmpty else { throw fault("no file matches \(text)") }
            return SourceLocation(found: pattern.escaped, dataset: dataset, relativeTo: folder)
        }
        guard let filled = text.contains("*") ? PathPattern.fill(text, with: image.captures ?? []) : text else {
            throw fault("'\(text)' has a '*' for which the pattern of the image gives nothing")
        }
        let location = SourceLocation(filled, relativeTo: folder)
        guard text == filled || FileManager.default.fileExists(atPath: location.path) else {
            let title = SourceLocation(found: image.path, dataset: nil, relativeTo: folder).title
            throw fault("\(title) has no \(what): there is no file \(filled)")
        }
        return location
    }
}
