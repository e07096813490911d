import Inference
import Training
import Volumes

/// Labels like a foam: each voxel belongs to the nearest of `count` random points, or to none.
func foam(_ shape: ZYX<Int>, objects count: Int, background: Double = 0, seed: UInt64 = 1) -> Volume<UInt32> {
    var random = SampleRandom(seed: seed, member: 0, step: 0, index: 0)
    let points = (0..<count).map { _ in
        ZYX(random.below(shape.z), random.below(shape.y), random.below(shape.x))
    }
    let empty = points.map { _ in random.chance(background) }
    var labels = Volume<UInt32>(shape: shape)
    for z in 0..<shape.z {
        for y in 0..<shape.y {
            for x in 0..<shape.x {
                let squares = points.map { point in
                    let d = point - ZYX(z, y, x)
                    return d.z * d.z + d.y * d.y + d.x * d.x
                }
                let nearest = squares.indices.min { squares[$0] < squares[$1] }!
                labels[z, y, x] = empty[nearest] ? 0 : UInt32(nearest + 1)
            }
        }
    }
    return labels
}

/// An image of `labels`: bright inside, dark where the target has its gap or background.
func annotated(
    _ labels: Volume<UInt32>, mask: Volume<UInt8>? = nil, unlabelledZero: Bool = false,
    voxelSize: VoxelSize = VoxelSize(ZYX(10, 10, 10), .nanometer)
) throws -> AnnotatedVolume {
    let image = ForegroundTarget.volume(labels: labels, threads: 1).map { $0 == 0 ? UInt8(50) : 200 }
    return try AnnotatedVolume(
        image: VoxelBuffer(image), normalization: IntensityNormalization(mean: 125, deviation: 75), labels: labels,
        mask: mask, unlabelledZero: unlabelledZero, voxelSize: voxelSize)
}

extension Augmentation {
    /// Changes of place alone.
    static let steady = Augmentation {
        $0.intensity = false
        $0.noise = false
    }

    /// Changes of intensity alone.
    static let lit = Augmentation {
        $0.flips = false
        $0.axisSwaps = false
    }
}
