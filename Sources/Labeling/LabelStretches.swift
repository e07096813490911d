import Volumes

extension Box {
    /// The place of a voxel of the volume among those of the box.
    func place(_ z: Int, _ y: Int, _ x: Int) -> Int {
        ((z - origin.z) * shape.y + y - origin.y) * shape.x + x - origin.x
    }

    /// The box with the voxels around it that the volume has.
    func withNeighbours(in shape: ZYX<Int>) -> Box {
        grown(by: ZYX(repeating: 1)).intersection(Box(shape))
    }
}

/// Calls `body` with every stretch of one label other than 0 along x, in storage order.
///
/// - Parameters:
///   - labels: of `region`, which holds `box`.
///   - box: the voxels that stretches are of.
///   - body: is given the label, the row, and the columns of the volume.
@inline(__always)
package func forEachStretch(
    of labels: Volume<UInt32>, in region: Box, of box: Box,
    _ body: (_ label: UInt32, _ z: Int, _ y: Int, _ x: Range<Int>) -> Void
) {
    labels.voxels.withUnsafeBufferPointer { labels in
        for z in box.origin.z..<box.end.z {
            for y in box.origin.y..<box.end.y {
                let row = region.place(z, y, 0)
                var x = box.origin.x
                while x < box.end.x {
                    let label = labels[row + x]
                    var end = x + 1
                    while end < box.end.x, labels[row + end] == label { end += 1 }
                    if label != 0 { body(label, z, y, x..<end) }
                    x = end
                }
            }
        }
    }
}
