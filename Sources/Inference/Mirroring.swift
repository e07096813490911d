import Volumes

extension Volume {
    /// A box that may reach beyond a volume, from the part that lies within it; beyond, the volume is mirrored at its
    /// border voxels, as often as needed.
    ///
    /// - Parameter read: gives the voxels of a box within the volume; called once.
    public static func mirrored(
        _ box: Box, in volume: ZYX<Int>, read: (Box) throws -> Volume
    ) rethrows -> Volume {
        try mirrored(box, in: volume) { [try read($0)] }[0]
    }

    /// The same of all channels of an image, which have one shape.
    public static func mirrored(
        _ box: Box, in volume: ZYX<Int>, reading read: (Box) throws -> [Volume]
    ) rethrows -> [Volume] {
        func sources(_ axis: KeyPath<ZYX<Int>, Int>) -> [Int] {
            (box.origin[keyPath: axis]..<box.end[keyPath: axis]).map { mirror($0, volume[keyPath: axis]) }
        }
        let (z, y, x) = (sources(\.z), sources(\.y), sources(\.x))
        let low = ZYX(z.min() ?? 0, y.min() ?? 0, x.min() ?? 0)
        let high = ZYX(z.max() ?? 0, y.max() ?? 0, x.max() ?? 0) + ZYX(repeating: 1)
        let parts = try read(Box(from: low, to: high))
        if Box(from: low, to: high) == box { return parts }
        return parts.map { part in
            var voxels: [Element] = []
            voxels.reserveCapacity(box.count)
            for z in z {
                for y in y {
                    let row = part.index(z - low.z, y - low.y, 0)
                    for x in x { voxels.append(part.voxels[row + x - low.x]) }
                }
            }
            return Volume(shape: box.shape, voxels: voxels)
        }
    }
}

/// Where position `at` of an axis of `length` voxels lies when the axis is mirrored at its ends, which are not
/// repeated.
private func mirror(_ at: Int, _ length: Int) -> Int {
    if length == 1 { return 0 }
    let period = 2 * (length - 1)
    let place = ((at % period) + period) % period
    return place < length ? place : period - place
}
