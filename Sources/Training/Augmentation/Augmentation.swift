import Foundation
import Volumes

/// Which random changes a training patch goes through.
public struct Augmentation: Codable, Equatable, Sendable {
    /// Mirror each axis with probability ½.
    public var flips = true
    /// Exchange axes whose voxels are of one size and along which the patch is of one length.
    public var axisSwaps = true
    /// Any angle in the plane of sections, and about the other axes where voxels are nearly cubes; 30 % of the patches.
    public var rotation = false
    /// By 0.76 to 1.32; 30 % of the patches.
    public var scaling = false
    /// Displacements of 2.5 voxels between points 24 voxels apart; 30 % of the patches.
    public var elastic = false
    /// Brightness, contrast and gamma.
    public var intensity = true
    /// Gaussian, of a deviation up to `noiseLevel`; half of the patches.
    public var noise = true
    /// In units of the image's deviation; nil for 0.15.
    public var noiseLevel: Double?
    /// Gaussian, by up to a voxel; 20 % of the patches.
    public var blur = false
    /// Every second or third voxel, interpolated between; 15 % of the patches.
    public var lowResolution = false
    /// What goes wrong when sections are cut and photographed one by one: one missing, one out of focus, all from one on
    /// out of place; 10 % of the patches each.
    public var sectionDefects = false

    public init(_ change: (inout Augmentation) -> Void = { _ in }) { change(&self) }

    public static let none = Augmentation {
        $0.flips = false
        $0.axisSwaps = false
        $0.intensity = false
        $0.noise = false
    }

    /// The changes of place alone, and of those the symmetries of the grid.
    var symmetries: Augmentation {
        let (flips, axisSwaps) = (flips, axisSwaps)
        return Augmentation.none.with {
            $0.flips = flips
            $0.axisSwaps = axisSwaps
        }
    }

    func with(_ change: (inout Augmentation) -> Void) -> Augmentation {
        var changed = self
        change(&changed)
        return changed
    }
}

/// How a patch is turned: output axis i is source axis `axes[i]`, run backwards where `flipped[i]`.
struct Orientation: Equatable, Sendable {
    var axes = [0, 1, 2]
    var flipped = [false, false, false]

    /// - Parameters:
    ///   - voxelSize: axes may be exchanged where it and `patch` agree.
    ///   - dimensions: of the network; the sections of one of 2 stay sections.
    init(
        _ augmentation: Augmentation, patch: ZYX<Int>, voxelSize: VoxelSize, dimensions: Int,
        random: inout SampleRandom
    ) {
        if augmentation.axisSwaps {
            // Fisher-Yates among the axes that may be exchanged with one another.
            for axis in [2, 1] {
                let partners = (3 - dimensions...axis).filter {
                    Self.areAlike($0, axis, patch: patch, voxelSize: voxelSize)
                }
                axes.swapAt(axis, partners[random.below(partners.count)])
            }
        }
        if augmentation.flips {
            for axis in 0..<3 { flipped[axis] = random.chance(0.5) }
        }
    }

    /// Whether two axes may be exchanged with one another.
    static func areAlike(_ one: Int, _ other: Int, patch: ZYX<Int>, voxelSize: VoxelSize) -> Bool {
        let (sizes, lengths) = (voxelSize.nanometers.array, patch.array)
        return lengths[one] == lengths[other] && abs(sizes[one] - sizes[other]) <= 0.001 * sizes[other]
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
