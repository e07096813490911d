import Volumes

/// Brings a volume's intensities to mean 0 and standard deviation 1: `(value - mean) / deviation`.
///
/// The statistics are those of the whole volume, taken at ingest; they are applied when a patch or a tile
/// is read, so the store keeps the file's own values.
public struct IntensityNormalization: Codable, Equatable, Sendable {
    public let mean: Double
    public let deviation: Double

    /// A constant image has no deviation: its voxels all become 0.
    public init(mean: Double, deviation: Double) {
        self.mean = mean
        self.deviation = deviation.isFinite && deviation > 0 ? deviation : 1
    }

    /// The normalised values of a buffer of any type.
    public func apply(_ buffer: VoxelBuffer) -> Volume<Float> {
        apply(buffer, box: Box(buffer.shape))
    }

    /// The normalised values of `box`, which must lie within the buffer.
    public func apply(_ buffer: VoxelBuffer, box: Box) -> Volume<Float> {
        precondition(Box(buffer.shape).contains(box), "\(box) is not within \(Box(buffer.shape))")
        func read<Element: VoxelElement>(_ type: Element.Type) -> Volume<Float> {
            buffer.bytes.withUnsafeBytes { bytes in
                let voxels = bytes.bindMemory(to: Element.self)
                return normalized(voxels, shape: buffer.shape, box: box)
            }
        }
        return read(buffer.elementType.scalar)
    }

    private func normalized<Element: VoxelElement>(
        _ voxels: UnsafeBufferPointer<Element>, shape: ZYX<Int>, box: Box
    ) -> Volume<Float> {
        let scale = 1 / deviation
        let values = [Float](unsafeUninitializedCapacity: box.count) { target, count in
            var next = 0
            for z in box.origin.z..<box.end.z {
                for y in box.origin.y..<box.end.y {
                    let row = (z * shape.y + y) * shape.x
                    for x in row + box.origin.x..<row + box.end.x {
                        target[next] = Float((voxels[x].double - mean) * scale)
                        next += 1
                    }
                }
            }
            count = next
        }
        return Volume(shape: box.shape, voxels: values)
    }
}
