import Foundation
import Volumes

/// Which random changes a training patch goes through.
public struct Augmentation: Codable, Equatable, Sendable {
    /// Mirror each axis with probability ½.
    public var flips: Bool
    /// Exchange axes whose voxels are of one size and along which the patch is of one length.
    public var axisSwaps: Bool
    /// Brightness, contrast, gamma and Gaussian noise.
    public var intensity: Bool

    public init(flips: Bool = true, axisSwaps: Bool = true, intensity: Bool = true) {
        self.flips = flips
        self.axisSwaps = axisSwaps
        self.intensity = intensity
    }

    public static let none = Augmentation(flips: false, axisSwaps: false, intensity: false)
}

/// How a patch is turned: output axis i is source axis `axes[i]`, run backwards where `flipped[i]`.
struct Orientation: Equatable, Sendable {
    var axes = [0, 1, 2]
    var flipped = [false, false, false]

    /// - Parameter voxelSize: axes may be exchanged where it and `patch` agree.
    init(
        _ augmentation: Augmentation, patch: ZYX<Int>, voxelSize: VoxelSize, random: inout SampleRandom
    ) {
        if augmentation.axisSwaps {
            let (sizes, lengths) = (voxelSize.nanometers.array, patch.array)
            // Fisher-Yates among the axes that may be exchanged with one another.
            for axis in [2, 1] {
                let partners = (0...axis).filter {
                    lengths[$0] == lengths[axis] && abs(sizes[$0] - sizes[axis]) <= 0.001 * sizes[axis]
                }
                axes.swapAt(axis, partners[random.below(partners.count)])
            }
        }
        if augmentation.flips {
            for axis in 0..<3 { flipped[axis] = random.chance(0.5) }
        }
    }

    /// The source of output voxel (z, y, x) lies at `base + z·z + y·y + x·x`.
    func strides(_ shape: ZYX<Int>) -> (base: Int, steps: ZYX<Int>) {
        let source = [shape.y * shape.x, shape.x, 1]
        let lengths = shape.array
        var base = 0
        var steps = [0, 0, 0]
        for axis in 0..<3 {
            steps[axis] = source[axes[axis]]
            guard flipped[axis] else { continue }
            base += steps[axis] * (lengths[axes[axis]] - 1)
            steps[axis] = -steps[axis]
        }
        return (base, ZYX(steps[0], steps[1], steps[2]))
    }
}

/// Changes of intensity, in units of the normalised image (mean 0, deviation 1).
enum IntensityAugmentation {
    /// Contrast by 0.75 to 1.25, brightness by ±0.25, gamma 0.7 to 1.5 for one patch in three, noise of
    /// deviation up to 0.15 for one in two.
    static func apply(_ image: inout [Float], random: inout SampleRandom) {
        let contrast = Float(random.uniform(0.75...1.25))
        let brightness = Float(random.uniform(-0.25...0.25))
        let gamma = random.chance(1 / 3) ? Float(random.uniform(0.7...1.5)) : 1
        let noise = random.chance(0.5) ? Float(random.uniform(0...0.15)) : 0
        if gamma != 1 { applyGamma(gamma, &image) }
        image.withUnsafeMutableBufferPointer { image in
            for index in image.indices {
                image[index] = image[index] * contrast + brightness
                if noise > 0 { image[index] += noise * random.nearlyNormal() }
            }
        }
    }

    /// Intensities scaled to 0...1, raised to `gamma` and scaled back (from a table: 0.1 % is enough here).
    private static func applyGamma(_ gamma: Float, _ image: inout [Float]) {
        guard let low = image.min(), let high = image.max(), high > low else { return }
        let steps = 1024
        let table = (0...steps).map { low + (high - low) * pow(Float($0) / Float(steps), gamma) } + [high]
        let scale = Float(steps) / (high - low)
        image.withUnsafeMutableBufferPointer { image in
            for index in image.indices {
                let place = (image[index] - low) * scale
                let cell = min(steps, max(0, Int(place)))
                image[index] = table[cell] + (table[cell + 1] - table[cell]) * (place - Float(cell))
            }
        }
    }
}
