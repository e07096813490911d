import Foundation
import Volumes

/// One damaged sample, determined by the seed and its number.
struct Trial {
    let sample: Sample
    /// The file that is damaged, of the sample's.
    let file: String
    let content: [UInt8]
    /// How it was damaged.
    let damage: String
    /// Chooses among the volumes of a file.
    private let choice: Int

    init(_ number: Int, seed: Int, of samples: [Sample]) throws {
        var random = Random(seed: seed, trial: number)
        let kinds = Dictionary(grouping: samples, by: \.kind)
        let kind = kinds.keys.sorted()[random.below(kinds.count)]
        let candidates = kinds[kind] ?? []
        sample = candidates[random.below(candidates.count)]
        file = sample.files[random.below(sample.files.count)]
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: sample.root + "/" + file)))
        damage = (0...random.below(3)).map { _ in Mutation.damage(&bytes, &random) }.joined(separator: ", ")
        content = bytes
        choice = random.below(1 << 20)
    }

    /// Writes the sample's files, one of them damaged, to `folder`, which is emptied before.
    func write(to folder: String) throws {
        try? FileManager.default.removeItem(atPath: folder)
        for name in sample.files {
            let target = folder + "/" + name
            try FileManager.default.createDirectory(
                atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            if name == file {
                try Data(content).write(to: URL(fileURLWithPath: target))
            } else {
                try FileManager.default.copyItem(atPath: sample.root + "/" + name, toPath: target)
            }
        }
    }

    enum Outcome: String {
        case read, refused
        /// An error that is none of those that a reader may throw, or of several lines.
        case wrongError
    }

    /// Opens what `write` wrote and reads it: all of a small volume, three boxes of a large one.
    func read(in folder: String) -> (Outcome, String) {
        let path = folder + "/" + sample.name
        do {
            let isStore = try readStore(path)
            do { try read(open(path)) } catch let fault as FileFault { if !isStore { throw fault } }
            return (.read, "")
        } catch {
            let message = "\(error)"
            let isKnown = error is FileFault || error is DamagedStore
            let isLine = !message.unicodeScalars.contains { $0.properties.generalCategory == .control }
            return (isKnown && isLine ? .refused : .wrongError, message)
        }
    }

    /// Reads one of our own stores, and says whether there is one.
    private func readStore(_ path: String) throws -> Bool {
        guard FileManager.default.fileExists(atPath: path + "/zarr.json") else { return false }
        let store = try BlockStore.open(at: path)
        try read(BlockStoreReader(store, channel: choice % (store.layout.channels ?? 1)))
        return true
    }

    /// Opens a volume of the file: of several, one that the fault names.
    private func open(_ path: String) throws -> any VolumeReader {
        do {
            return try VolumeFile.open(path)
        } catch let fault as FileFault where fault.problem.contains("choose one") {
            let fits = [(choice % 2, choice % 3), (0, 0)].lazy.compactMap {
                try? VolumeFile.open(path, VolumeSelection(channel: $0, time: $1))
            }.first
            guard let fits else { throw fault }
            return fits
        } catch let fault as FileFault where fault.problem.contains("name one") {
            let names = fault.problem.matches(of: /(\/[^\s]+) \(/).map { String($0.1) }
            guard !names.isEmpty else { throw fault }
            return try VolumeFile.open(path + ":" + names[choice % names.count])
        }
    }

    private func read(_ reader: any VolumeReader) throws {
        let shape = reader.info.shape
        for box in Self.boxes(of: shape) { _ = try reader.read(box) }
    }

    private static func boxes(of shape: ZYX<Int>) -> [Box] {
        let largest = 128
        if shape.array.allSatisfy({ $0 <= largest }) { return [Box(shape)] }
        let size = shape.map { min($0, 48) }
        return [ZYX.zero, (shape - size).map { $0 / 2 }, shape - size].map { Box(origin: $0, shape: size) }
    }
}
