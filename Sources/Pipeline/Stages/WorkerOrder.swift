import Foundation
import Volumes

/// What a process that reads an outside file is told to do.
public enum WorkerOrder: Codable {
    /// Ingest into a folder.
    case ingest(Ingest, folder: String)
    /// Describe what a file holds, as JSON.
    case describe(SourceLocation)

    /// Has `executable` carry out the order.
    ///
    /// - Returns: What it answered.
    @discardableResult
    func run(by executable: String, title: String, shouldStop: @escaping () -> Bool = { false }) throws -> Data {
        let json = String(decoding: try canonicalJSON(self), as: UTF8.self)
        return try ChildProcess.run(executable, ["worker", json], title: title, shouldStop: shouldStop)
    }

    /// Carries out an order in this process, within limits that follow from the file's size.
    public static func execute(_ json: String) throws -> Data {
        let order = try JSONDecoder().decode(WorkerOrder.self, from: Data(json.utf8))
        let size = FileStamp(order.source.path)?.size ?? 0
        // A minute and 5 seconds a megabyte: far more than a healthy file takes, even one that was compressed a
        // hundredfold.
        ChildProcess.limitResources(seconds: 60 + size / 200_000, bytes: max(8 << 30, Machine.availableMemory))
        switch order {
        case .ingest(let ingest, let folder):
            try ingest.run(into: folder)
            return Data()
        case .describe(let source):
            return try canonicalJSON(try VolumeDescription(reading: source))
        }
    }

    private var source: SourceLocation {
        switch self {
        case .ingest(let ingest, _): ingest.source
        case .describe(let source): source
        }
    }
}
