import Foundation
import Tensors
import Volumes

/// What `precision: auto` came to, kept in the work folder for each kind of processor: measured again, on a busy
/// machine, it could come out the other way, and what is trained would be trained again.
struct ChosenPrecision {
    private let path: String?
    /// By the processor's name.
    private var known: [String: Precision]

    /// Remembers in a work folder, or nowhere; an unreadable memory is an empty one.
    init(workFolder: String?) {
        path = workFolder.map { $0 + "/precision.json" }
        let saved = path.flatMap { FileManager.default.contents(atPath: $0) } ?? Data()
        known = (try? JSONDecoder().decode([String: Precision].self, from: saved)) ?? [:]
    }

    /// The precision for a device: of a processor as it was chosen before, else as it is measured now.
    mutating func precision(on device: Device) -> Precision {
        guard device == .cpu else { return Precision.automatic(on: device) }
        let processor = Machine.processorName
        if let precision = known[processor] { return precision }
        let precision = Precision.automatic(on: device)
        if !processor.isEmpty { known[processor] = precision }
        return precision
    }

    /// Writes the memory down.
    func save() throws {
        guard let path, !known.isEmpty else { return }
        try AtomicFile.write(try canonicalJSON(known), to: path)
    }
}
