import Foundation
import Volumes

/// Refuses the place of a new volume where something lies already.
///
/// - Parameter replaces: whether that makes way.
/// - Throws: `FileFault` that says how to replace it.
public func checkPlace(of path: String, replaces: Bool) throws {
    let place = SourceLocation(path, relativeTo: FileManager.default.currentDirectoryPath)
    try place.replacing { try VolumeFile.checkPlace(of: place.location, replaces: replaces) }
}

/// Writes labels as the ending of `path` asks: `.tif`, `.nii`, `.nii.gz` and `.mrc` in the smallest type that holds them,
/// `.h5` (`/labels` unless a dataset stands after a colon) and `.zarr` (`labels/objects`) in 32 bits, or 64 where it takes them.
///
/// - Parameter replaces: whether what lies there makes way.
/// - Throws: `FileFault` for another ending, or where the file cannot be written.
public func writeLabels(
    _ labels: Volume<UInt32>, to path: String, replaces: Bool, voxelSize: VoxelSize?
) throws {
    try writeLabels(
        of: labels.shape, upTo: UInt64(labels.voxels.max() ?? 0), to: path, replaces: replaces, voxelSize: voxelSize
    ) { write in try write(VoxelBuffer(labels), 0) }
}

/// - Parameter slabs: calls what it is given with labels of whole sections, and the number of the first of them.
func writeLabels(
    of shape: ZYX<Int>, upTo maximum: UInt64, to path: String, replaces: Bool, voxelSize: VoxelSize?,
    position: ZYX<Double>? = nil, frame: VolumeFrame? = nil,
    slabs: ((VoxelBuffer, Int) throws -> Void) throws -> Void
) throws {
    let ending = (path as NSString).pathExtension.lowercased()
    let isLong = maximum > UInt64(UInt32.max)
    let isSmallest = ["tif", "tiff", "nii", "gz", "mrc", "map"].contains(ending)
    guard !isLong || !isSmallest else {
        throw FileFault(path, "label \(maximum) does not fit 32 bits; .h5 and .zarr hold it")
    }
    let type: ElementType =
        isSmallest
        ? try LabelTIFF.flavor(maximumLabel: maximum, shape: shape).1 : isLong ? .uint64 : .uint32
    let contents = VolumeFile.Contents(
        shape: shape, elementType: type, voxelSize: voxelSize, position: position, frame: frame)
    try write(contents, to: path, dataset: ending == "zarr" ? "labels/objects" : "/labels", replaces: replaces) {
        writer in
        try slabs { try writer.write($0.converted(to: type), atZ: $1) }
    }
}

/// Writes a volume in its own type as the ending of `path` asks.
///
/// - Parameters:
///   - dataset: what stands after the colon where `path` has none and its format holds several volumes.
///   - replaces: whether what lies there makes way.
/// - Throws: `FileFault` for another ending, or where the file cannot be written.
public func writeVolume(
    _ volume: VoxelBuffer, to path: String, dataset: String? = nil, replaces: Bool, voxelSize: VoxelSize?
) throws {
    let contents = VolumeFile.Contents(
        shape: volume.shape, elementType: volume.elementType, voxelSize: voxelSize, position: nil, frame: nil)
    try write(contents, to: path, dataset: dataset, replaces: replaces) { try $0.write(volume, atZ: 0) }
}

func write(
    _ contents: VolumeFile.Contents, to path: String, dataset: String?, replaces: Bool,
    _ body: (any VolumeWriter) throws -> Void
) throws {
    let place = SourceLocation(path, relativeTo: FileManager.default.currentDirectoryPath)
    let writer = try place.replacing {
        try VolumeFile.create(
            place.location, dataset: dataset, contents, replaces: replaces, threads: Machine.processors)
    }
    try place.named {
        try body(writer)
        try writer.finish()
    }
}
