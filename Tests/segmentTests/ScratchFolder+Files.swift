import Foundation
import TestSupport
import Volumes

extension ScratchFolder {
    func data(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)) }

    /// Waits for a file that a process is going to write.
    func waitForFile(named name: String, below folder: String) throws {
        struct Missing: Error { let name: String }
        let deadline = Date(timeIntervalSinceNow: 60)
        while Date() < deadline {
            let walk = FileManager.default.enumerator(atPath: path + "/" + folder)
            if walk?.contains(where: { ($0 as? String)?.hasSuffix(name) == true }) == true { return }
            usleep(10_000)
        }
        throw Missing(name: name)
    }

    func write(_ name: String, _ data: Data) throws { try data.write(to: URL(fileURLWithPath: path + "/" + name)) }

    /// Writes a TIFF file, its folders too.
    func write<Element: VoxelElement>(_ name: String, _ volume: Volume<Element>, voxelSize: VoxelSize?) throws {
        let writer = try TIFFWriter(
            path: write(name, ""), flavor: .imageJ, shape: volume.shape, elementType: Element.elementType,
            voxelSize: voxelSize)
        try writer.write(VoxelBuffer(volume), atZ: 0)
        try writer.finish()
    }

    /// The weights of the members trained in a work folder, by the folder of each.
    func weights(ofWork work: String) throws -> [String: Data] {
        let members = try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(work)/train")
        return try Dictionary(
            uniqueKeysWithValues: members.map { ($0, try data("\(work)/train/\($0)/weights.safetensors")) })
    }
}
