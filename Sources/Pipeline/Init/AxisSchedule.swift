/// Along which axes each level of a U-Net convolves and pools, by nnU-Net's rules (Isensee et al. 2021).
///
/// An axis is halved from a level to the next while its voxels are less than twice as long as the shortest that
/// can still be halved, and it has eight voxels or more. A convolution reaches along an axis from the level on at
/// which its voxels are less than twice as long as the shortest; the coarsest level convolves along all.
struct AxisSchedule: Equatable {
    /// Of each level, the finest first.
    private(set) var kernels: [[Int]] = []
    /// From each level to the next.
    private(set) var strides: [[Int]] = []

    /// What an axis has at the coarsest level, at least.
    private static let smallestExtent = 4

    /// - Parameters:
    ///   - sides: of a voxel, in any unit.
    ///   - patch: voxels along each axis.
    ///   - levels: the most.
    init(sides: [Double], patch: [Int], levels: Int) {
        var (sides, extents) = (sides, patch)
        var kernel = Array(repeating: 1, count: sides.count)
        while strides.count < levels - 1 {
            let large = extents.indices.filter { extents[$0] >= 2 * Self.smallestExtent }
            guard let finest = large.map({ sides[$0] }).min() else { break }
            let pooled = large.filter { sides[$0] < 2 * finest }
            if pooled.count == 1, extents[pooled[0]] < 3 * Self.smallestExtent { break }
            let shortest = sides.min() ?? 1
            for axis in sides.indices where sides[axis] < 2 * shortest { kernel[axis] = 3 }
            kernels.append(kernel)
            strides.append(sides.indices.map { pooled.contains($0) ? 2 : 1 })
            for axis in pooled {
                sides[axis] *= 2
                extents[axis] = (extents[axis] + 1) / 2
            }
        }
        kernels.append(Array(repeating: 3, count: sides.count))
    }

    var levels: Int { kernels.count }
    /// What extents of a patch must be multiples of.
    var divisors: [Int] { strides.reduce(Array(repeating: 1, count: kernels[0].count)) { zip($0, $1).map(*) } }
    /// Whether no axis is treated otherwise than another.
    var isUniform: Bool { (kernels + strides).allSatisfy { Set($0).count == 1 } && kernels[0][0] == 3 }
}
