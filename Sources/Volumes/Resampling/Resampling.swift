/// Where the voxels of one grid lie on another of larger or smaller voxels.
///
/// Voxels are boxes: the corners of both grids' first voxels lie at one place, so that voxels a to b of one grid cover
/// a·s to b·s of space, for voxels of size s. A box of one grid becomes the box of the other that comes nearest to the same
/// extent, its faces rounded to whole voxels; boxes that touch still touch, and those that do not overlap still do not.
///
/// An axis along which both sizes agree to 1 % is left as it is, since files round.
public struct Resampling: Sendable, Equatable {
    /// The voxels that there are.
    public let source: Box
    /// The voxels that are made of them.
    public let target: Box
    /// The length of a target voxel in source voxels.
    public let step: ZYX<Double>

    /// The most that voxels become larger or smaller along an axis.
    public static let largestFactor = 8.0
    /// The part of a size by which two may differ and still be the same.
    public static let tolerance = 0.01

    /// - Parameter box: of a grid of voxels of `size`; it becomes one of the grid of `newSize`.
    /// - Throws: `ResamplingFault` where voxels become more than 8 times larger or smaller along an axis, or no voxel is left.
    public init(_ box: Box, from size: VoxelSize, to newSize: VoxelSize) throws(ResamplingFault) {
        let step = size.nanometers.zip(newSize.nanometers) { old, new in
            abs(new - old) <= Self.tolerance * max(new, old) ? 1 : new / old
        }
        guard step.array.allSatisfy({ $0 <= Self.largestFactor && $0 >= 1 / Self.largestFactor }) else {
            throw ResamplingFault(
                "has voxels of \(size), which are not resampled to \(newSize): along an axis that is more than "
                    + "\(Int(Self.largestFactor)) times")
        }
        source = box
        target = Box(from: box.origin.zip(step, Self.face), to: box.end.zip(step, Self.face))
        self.step = step
        guard !target.isEmpty else {
            throw ResamplingFault(
                "has \(box.shape) voxels of \(size), of which none would be left along an axis at \(newSize)")
        }
    }

    private init(source: Box, target: Box, step: ZYX<Double>) {
        (self.source, self.target, self.step) = (source, target, step)
    }

    /// The way back.
    public var inverse: Resampling {
        Resampling(source: target, target: source, step: step.map { 1 / $0 })
    }

    private static func face(_ position: Int, _ step: Double) -> Int {
        Int(exactly: (Double(position) / step).rounded()) ?? .max
    }
}

/// Why voxels of a size cannot become voxels of another: one sentence without a capital or a full stop.
public struct ResamplingFault: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ problem: String) { description = problem }
}
