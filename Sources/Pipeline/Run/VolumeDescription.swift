import Foundation
import Volumes

/// What `segment info` says of a file.
public struct VolumeDescription: Codable, Sendable {
    var file: String
    var format: String
    var shape: ZYX<Int>
    var elementType: ElementType
    /// Nanometres; an axis that the file does not state is missing.
    var voxelSizeNanometers: [String: Double]
    var voxelSizeUnit: String?
    var chunk: ZYX<Int>
    var compression: String

    /// Reads the description in a process of its own, since an unknown file may be damaged.
    public init(of file: String, executable: String) throws {
        let source = SourceLocation(file, relativeTo: FileManager.default.currentDirectoryPath)
        guard FileManager.default.fileExists(atPath: source.path) else { throw FileFault.unreadable(file) }
        let answer = try WorkerOrder.describe(source).run(by: executable, title: file)
        self = try JSONDecoder().decode(VolumeDescription.self, from: answer)
    }

    init(reading source: SourceLocation) throws {
        let info: VolumeInfo
        do {
            info = try VolumeFile.open(source.location).info
        } catch let fault as FileFault {
            throw FileFault(source.title, fault.problem)
        }
        file = source.title
        format = info.format
        shape = info.shape
        elementType = info.elementType
        let sides = Swift.zip(["z", "y", "x"], info.voxelSize.nanometers.array)
        voxelSizeNanometers = Dictionary(
            uniqueKeysWithValues: sides.compactMap { axis, side in side.map { (axis, $0) } })
        voxelSizeUnit = voxelSizeNanometers.isEmpty ? nil : info.voxelSize.unit.rawValue
        chunk = info.chunk
        compression = info.compression
    }

    public var json: String {
        get throws { String(decoding: try readableJSON(self), as: UTF8.self) }
    }

    /// Names and values, a line each.
    public var rows: [(String, String)] {
        [
            ("file", file), ("format", format), ("shape", "\(shape) voxels"), ("type", elementType.rawValue),
            ("voxel size", voxelSizeText), ("chunk", "\(chunk) voxels"), ("compression", compression),
        ]
    }

    private var voxelSizeText: String {
        let unit = voxelSizeUnit.flatMap(LengthUnit.init(rawValue:)) ?? .nanometer
        func side(_ axis: String) -> String {
            voxelSizeNanometers[axis].map { "\(axis) \(String(format: "%g", $0 / unit.nanometers))" }
                ?? "\(axis) unknown"
        }
        guard !voxelSizeNanometers.isEmpty else { return "not stated" }
        return "\(side("z")) × \(side("y")) × \(side("x")) \(unit.rawValue)"
    }
}
