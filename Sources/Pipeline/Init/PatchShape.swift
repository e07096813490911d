import Foundation
import Volumes

/// The shape of training patches: as long along each axis in space as the volume allows, so that a network sees
/// as far along all (nnU-Net's rule).
enum PatchShape {
    /// - Parameters:
    ///   - voxels: of a patch, about.
    ///   - sides: of a voxel, in any unit.
    ///   - shape: of the volume, in such voxels.
    /// - Returns: Voxels along each axis; what a short axis leaves is given to the others.
    static func extents(ofVoxels voxels: Double, sides: [Double], in shape: [Int]) -> [Double] {
        var extents = sides.map { _ in 0.0 }
        var open = Set(sides.indices)
        var rest = voxels
        while !open.isEmpty {
            let length = pow(
                rest * open.reduce(1) { $0 * sides[$1] }, 1 / Double(open.count))
            for axis in open { extents[axis] = length / sides[axis] }
            let short = open.filter { extents[$0] > Double(shape[$0]) }
            if short.isEmpty { break }
            for axis in short {
                extents[axis] = Double(shape[axis])
                rest /= extents[axis]
            }
            open.subtract(short)
        }
        return extents
    }

    /// The nearest extents that a network can take: multiples of `divisors`, not beyond the volume where that is
    /// possible.
    static func rounded(_ extents: [Double], toMultiplesOf divisors: [Int], in shape: [Int]) -> [Int] {
        zip(extents, zip(divisors, shape)).map { extent, limits in
            let (divisor, length) = limits
            let nearest = Int((extent / Double(divisor)).rounded()) * divisor
            return max(divisor, min(nearest, length / divisor * divisor))
        }
    }
}
