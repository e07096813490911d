import Foundation
import Volumes

/// One volume of a file, or a box of it, into a new file of another format.
///
/// It runs in a process of its own, since a damaged file can crash the library that reads it.
public struct Conversion: Codable, Sendable {
    public var source: SourceLocation
    /// Where to; the path's ending says the format.
    public var target: SourceLocation
    public var crop: CropRange?
    /// nil keeps the type.
    public var elementType: ElementType?
    /// Of OME-Zarr's specification.
    public var version: OMEZarrVersion
    public var threads: Int

    public init(
        source: SourceLocation, target: SourceLocation, crop: CropRange?,
        elementType: ElementType?, version: OMEZarrVersion, threads: Int?
    ) {
        self.source = source
        self.target = target
        self.crop = crop
        self.elementType = elementType
        self.version = version
        self.threads = threads ?? Machine.processors
    }

    /// What is in memory of the volume at a time, in bytes, as far as a row of chunks allows.
    private static let slabBytes = 64 << 20

    /// What came of it.
    public struct Result: Codable, Sendable {
        public var shape: ZYX<Int>
        public var elementType: ElementType
        public var voxelSize: VoxelSize?
    }

    /// Converts in a process of its own.
    ///
    /// - Throws: `FileFault`; `Interruption`. Nothing is left of an unfinished file.
    public func run(
        by executable: String, shouldStop: @escaping () -> Bool, report: @escaping (Double) -> Void
    ) throws -> Result {
        guard FileManager.default.fileExists(atPath: source.path) else { throw FileFault.unreadable(source.title) }
        let answer = try WorkerOrder.convert(self).run(
            by: executable, title: source.title, shouldStop: shouldStop, report: report)
        return try JSONDecoder().decode(Result.self, from: answer)
    }

    /// Converts in this process, slab by slab.
    func run(report: (Double) throws -> Void) throws -> Result {
        let reader = try source.open()
        let info = reader.info
        let box = try crop?.box(in: info.shape, of: source.title) ?? Box(info.shape)
        let size = info.voxelSize.complete
        let result = Result(
            shape: box.shape, elementType: elementType ?? info.elementType, voxelSize: size)
        let contents = VolumeFile.Contents(
            shape: result.shape, elementType: result.elementType, voxelSize: size,
            position: position(of: box, info))
        let writer = try target.named {
            try VolumeFile.create(target.location, contents, version: version, threads: threads)
        }
        let slabs = box.slabs(
            thickness: info.chunk.z, size: max(info.elementType.size, result.elementType.size),
            atMost: Self.slabBytes)
        for slab in slabs {
            let voxels = try source.named { try reader.read(slab) }
            try writer.write(try converted(voxels, to: result.elementType, slab), atZ: slab.origin.z - box.origin.z)
            try report(Double(slab.end.z - box.origin.z) / Double(box.shape.z))
        }
        try writer.finish()
        return result
    }

    private func converted(_ voxels: VoxelBuffer, to type: ElementType, _ slab: Box) throws -> VoxelBuffer {
        do {
            return try voxels.converted(to: type)
        } catch let value as UnrepresentableValue {
            throw FileFault(
                source.title, "\(value), in sections \(slab.origin.z) to \(slab.end.z - 1); choose a wider --dtype")
        }
    }

    /// A box of a volume stays where it is.
    private func position(of box: Box, _ info: VolumeInfo) -> ZYX<Double>? {
        guard let size = info.voxelSize.complete, info.position != nil || box.origin != .zero else {
            return info.position
        }
        let shift = box.origin.zip(size.nanometers) { Double($0) * $1 }
        return (info.position ?? ZYX(0, 0, 0)).zip(shift, +)
    }
}

/// A box as people write it: `z0:z1,y0:y1,x0:x1`, any number left out standing for the volume's end.
public struct CropRange: Codable, Hashable, Sendable {
    /// First and one past the last, along z, y and x; nil for where the volume begins or ends.
    private let bounds: [[Int?]]
    private let text: String

    /// - Returns: nil where the text is no box.
    public init?(_ text: String) {
        self.text = text
        let axes = text.split(separator: ",", omittingEmptySubsequences: false)
        guard axes.count == 3 else { return nil }
        var bounds: [[Int?]] = []
        for axis in axes {
            let ends = axis.split(separator: ":", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard ends.count == 2, ends.allSatisfy({ $0.isEmpty || (Int($0) ?? -1) >= 0 }) else { return nil }
            bounds.append(ends.map { Int($0) })
        }
        self.bounds = bounds
    }

    /// - Throws: `FileFault` where it does not lie within the volume or is empty.
    func box(in shape: ZYX<Int>, of file: String) throws -> Box {
        let lows = bounds.map { $0[0] ?? 0 }
        let highs = zip(bounds, shape.array).map { $0[1] ?? $1 }
        for (axis, (low, high)) in zip(lows, highs).enumerated() {
            guard low < high, high <= shape.array[axis] else {
                throw FileFault(
                    file, "--crop \(text) is not a box of this volume, which has \(shape) voxels")
            }
        }
        return Box(from: ZYX(lows[0], lows[1], lows[2]), to: ZYX(highs[0], highs[1], highs[2]))
    }
}
