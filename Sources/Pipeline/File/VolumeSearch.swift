import Foundation
import Volumes

/// How a pipeline's folders are searched for volumes.
struct VolumeSearch {
    /// The pipeline file's folder, where relative paths start.
    let folder: String
    /// Files and folders of the pipeline's own, absolute.
    let passedOver: [String]
    /// Whether a folder of numbered sections is one volume. A 2D network takes each for an image of its own.
    let joinsSections: Bool
    /// Looks into files in a process of its own; nil does so in this one.
    let executable: String?

    func isPassedOver(_ path: String) -> Bool { passedOver.contains(path) }

    /// The files of a folder that are the numbered sections of one volume; none where there are others beside them, or
    /// they are whole volumes.
    func sections(among files: [String], of folder: String) -> [String] {
        guard !LabelPairing.isOfNNUNet(folder) else { return [] }
        let sections = ImageSeriesReader.sections(among: files)
        guard let first = sections.first, let last = sections.last else { return [] }
        return isSection(folder + "/" + first) ?? isSection(folder + "/" + last) ?? false ? sections : []
    }

    /// How many numbered sections of one volume a folder holds, if nothing else.
    func sections(in folder: String) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return ImageSeriesReader.sections(among: names).count
    }

    /// Whether files that a pattern matches are the numbered sections of one volume: in one folder, alike but for one
    /// number, and of one section each.
    func areSections(_ paths: [String]) -> Bool {
        let folders = Set(paths.map { ($0 as NSString).deletingLastPathComponent })
        guard let folder = folders.first, folders.count == 1 else { return false }
        return sections(among: paths.map { ($0 as NSString).lastPathComponent }, of: folder).count == paths.count
    }

    /// Whether a file holds a single section; nil where it cannot be read.
    private func isSection(_ path: String) -> Bool? {
        if path.lowercased().hasSuffix(".png") { return true }
        let source = SourceLocation(found: path, dataset: nil, relativeTo: folder)
        guard let file = try? VolumeDescription.read(source, values: false, executable: executable) else {
            return nil
        }
        return file.shape.z == 1 && file.times == 1
    }
}
