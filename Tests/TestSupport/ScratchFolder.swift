import Foundation
import Synchronization

/// A folder of a test's own, removed with it.
public final class ScratchFolder: Sendable {
    public let path: String

    public init() {
        path =
            URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path
            + "/segment-test-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        Leftovers.note(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of what has this name within the folder.
    public func path(_ name: String) -> String { path + "/" + name }

    /// The names of what lies in the folder.
    public var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

    /// Writes a text file, its folders too.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String {
        let file = path(name)
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}

/// Folders that several tests share are let go by none of them: they are removed at exit.
private enum Leftovers {
    private static let folders = Mutex<[String]>([])
    private static let atExit: Void = {
        atexit {
            Leftovers.folders.withLock { for path in $0 { try? FileManager.default.removeItem(atPath: path) } }
        }
    }()

    static func note(_ path: String) {
        _ = atExit
        folders.withLock { $0.append(path) }
    }
}
