import Foundation
import Volumes

/// Where a volume is: a file, the dataset where the file holds several, and which of its channels and time points.
public struct SourceLocation: Hashable, Codable, Sendable {
    /// Absolute.
    public var path: String
    /// For example `/volumes/raw`.
    public var dataset: String?
    public var selection = VolumeSelection()
    /// As the pipeline file names it, without channel and time.
    public var title: String

    /// - Parameters:
    ///   - text: `block1.tif`, `block1.h5` or `block1.h5:/labels`.
    ///   - folder: what a relative path starts from.
    public init(_ text: String, relativeTo folder: String) {
        title = text
        let (file, dataset) = VolumeFile.split(SourceLocation.joined(text, relativeTo: folder))
        self.dataset = dataset
        path = URL(fileURLWithPath: file).standardizedFileURL.path
    }

    /// A file that was found, or an escaped pattern; it is named as from `folder`, unless they have nothing but the root in
    /// common.
    init(found path: String, dataset: String?, relativeTo folder: String) {
        self.path = path
        self.dataset = dataset
        let plain = PathPattern.isPattern(path) ? PathPattern.unescaped(path) : path
        let (own, base) = ((plain as NSString).pathComponents, (folder as NSString).pathComponents)
        let shared = zip(own, base).prefix { $0 == $1 }.count
        let steps = [String](repeating: "..", count: base.count - shared) + own.dropFirst(shared)
        let name = shared > 1 ? steps.joined(separator: "/") : plain
        title = name + (dataset.map { ":" + $0 } ?? "")
    }

    /// `file:/dataset`, as readers take it.
    public var location: String { dataset.map { "\(path):\($0)" } ?? path }

    /// Refuses a path at which there is nothing and which is no pattern of sections, before a process is started for it.
    func checkIsThere() throws {
        guard !FileManager.default.fileExists(atPath: path), !PathPattern.isPattern(path) else { return }
        throw FileFault.unreadable(title)
    }

    /// Opens it; faults name it as the user did.
    ///
    /// - Parameter role: what the volume is for, where a file holds several under names that say so.
    func open(as role: VolumeRole? = nil) throws -> any VolumeReader {
        var selection = selection
        selection.role = role ?? selection.role
        return try named { try VolumeFile.open(location, selection) }
    }

    /// Opens it on behalf of a command line.
    ///
    /// - Parameter advice: how to choose one of several channels or time points: `channel` or `time` is given.
    func open(choosing advice: (String) -> String) throws -> any VolumeReader {
        do {
            return try open()
        } catch {
            guard let info = try? openFirst().info else { throw error }
            if info.channels > 1, selection.channel == nil {
                throw FileFault(title, "has \(info.channels) channels; " + advice("channel"))
            }
            if info.times > 1, selection.time == nil {
                throw FileFault(title, "has \(info.times) time points; " + advice("time"))
            }
            throw error
        }
    }

    /// Opens it, or its first channel and time point where it has several and none is chosen.
    func openFirst() throws -> any VolumeReader {
        do {
            return try open()
        } catch {
            var first = self
            first.selection.channel = selection.channel ?? 0
            first.selection.time = selection.time ?? 0
            guard let reader = try? first.open() else { throw error }
            return reader
        }
    }

    /// The faults of `body` that name this file by its path name it as the user did.
    func named<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let fault as FileFault where fault.file.hasPrefix(location) {
            throw FileFault(title + fault.file.dropFirst(location.count), fault.problem)
        } catch let fault as FileFault where fault.file.hasPrefix(path + "/") {
            throw FileFault(fileTitle + fault.file.dropFirst(path.count), fault.problem)
        } catch let fault as FileFault where fault.file.hasPrefix(path) {
            throw FileFault(title, fault.problem)
        }
    }

    /// The title without the dataset.
    private var fileTitle: String { dataset.map { String(title.dropLast($0.count + 1)) } ?? title }

    /// A fault's problem, with the file in the folder, or the other file, that it is in, for one who names this location.
    func problem(of fault: FileFault) -> String {
        let folder = fileTitle + "/"
        if fault.file.hasPrefix(folder) { return "\(fault.file.dropFirst(folder.count)): \(fault.problem)" }
        return fault.file.hasPrefix(fileTitle) ? fault.problem : "\(fault.file): \(fault.problem)"
    }

    /// What its values are called in a table: the file's name without its ending, in letters that columns may have.
    var columnName: String {
        let name = (URL(fileURLWithPath: path).lastPathComponent as NSString).deletingPathExtension
        let plain = name.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
        return plain + (selection.channel.map { "_c\($0)" } ?? "")
    }

    /// What people see: the title with channel and time.
    public var subject: String {
        title + (selection.channel.map { ", channel \($0)" } ?? "") + (selection.time.map { ", time \($0)" } ?? "")
    }

    static func absolute(_ path: String, relativeTo folder: String) -> String {
        URL(fileURLWithPath: joined(path, relativeTo: folder)).standardizedFileURL.path
    }

    private static func joined(_ path: String, relativeTo folder: String) -> String {
        let expanded = (path as NSString).expandingTildeInPath
        return expanded.hasPrefix("/") ? expanded : folder + "/" + expanded
    }
}
