import Volumes

/// The voxels of an image's channels section by section, for a 2D network: all channels of the first section, then of
/// the next.
package func sectionBySection(_ channels: [Volume<Float>]) -> [Float] {
    if channels.count == 1 { return channels[0].voxels }
    let shape = channels[0].shape
    let section = shape.y * shape.x
    return (0..<shape.z).flatMap { z in
        channels.flatMap { $0.voxels[z * section..<(z + 1) * section] }
    }
}
