import Foundation
import Volumes

extension SourceLocation {
    /// Runs `body`, which makes a new volume here; what lies here already is told with the way to replace it.
    func replacing<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try named(body)
        } catch let place as OccupiedPlace {
            throw FileFault(title, place.advice(title.hasSuffix(":") ? String(title.dropLast()) : title))
        }
    }
}

extension SourceLocation {
    /// Whether a volume written here would take the place of what is read at `source`, whose dataset may have been left to be
    /// found. A place that is free replaces nothing, so that a dataset may be added to the file that is read.
    func wouldReplace(_ source: SourceLocation) -> Bool {
        guard dataset != nil else { return isFile(path, partOf: source.path) }
        let isThere = (try? VolumeFile.checkPlace(of: location, replaces: false)) == nil
        return isThere && (isPart(of: source) || source.isPart(of: self))
    }

    /// Whether this is another place, or lies in it.
    func isPart(of other: SourceLocation) -> Bool {
        guard isSameFile(path, other.path) || path == other.path else { return false }
        guard let dataset, let place = other.dataset else { return true }
        return dataset.split(separator: "/").starts(with: place.split(separator: "/"))
    }
}

extension OccupiedPlace {
    /// What to do on the command line.
    fileprivate func advice(_ title: String) -> String {
        switch occupant {
        case .file, .part: "is there already; --overwrite replaces it"
        case .datasets:
            "is there already; --overwrite replaces all of it, and \(title):/NAME adds a dataset to it"
        case .container:
            "is there already; --overwrite replaces it with all labels in it, and \(title):labels/NAME adds labels "
                + "to it"
        }
    }
}

/// Whether two paths are one file or folder, by links too.
func isSameFile(_ path: String, _ other: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(path, &first) == 0 && stat(other, &second) == 0
        && first.st_dev == second.st_dev && first.st_ino == second.st_ino
}

/// Whether replacing `path` would take the file, the folder or a section of the folder that is read at `source`.
func isFile(_ path: String, partOf source: String) -> Bool {
    guard FileManager.default.fileExists(atPath: path) else { return false }
    func lies(_ path: String, in folder: String) -> Bool {
        var inner = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        while true {
            if isSameFile(inner, folder) { return true }
            if inner == "/" || inner.isEmpty { return false }
            inner = (inner as NSString).deletingLastPathComponent
        }
    }
    return lies(source, in: path) || lies(path, in: source)
}
