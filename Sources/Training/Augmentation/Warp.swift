import Foundation
import Volumes

/// A rotation, a change of scale and an elastic deformation of a patch, in physical space. Where sections are far apart, or
/// a network sees them one by one, all of them stay within sections, for what lies between is not known.
struct Warp {
    /// From a voxel's place relative to the patch's centre to its source's.
    private let matrix: [[Double]]
    private let field: DisplacementField?

    /// How many times longer voxels may be along z for values between sections to mean something (nnU-Net's limit).
    private static let farthest = 3.0

    /// - Parameter dimensions: of the network.
    /// - Returns: nil where the augmentation draws none of them for this patch.
    init?(
        _ augmentation: Augmentation, patch: ZYX<Int>, voxelSize: VoxelSize, dimensions: Int,
        random: inout SampleRandom
    ) {
        let size = voxelSize.nanometers.array
        let shortest = size.min() ?? 1
        let isFlat = dimensions == 2 || patch.z == 1 || size[0] > Self.farthest * min(size[1], size[2])
        let isRotated = augmentation.rotation && random.chance(0.3)
        let isScaled = augmentation.scaling && random.chance(0.3)
        let isDeformed = augmentation.elastic && random.chance(0.3)
        guard isRotated || isScaled || isDeformed else { return nil }

        var turn = Self.identity
        if isRotated {
            // In the plane of sections; out of it only as far as voxels are nearly cubes.
            turn = Self.turn(about: 0, random.uniform(-.pi...Double.pi))
            if !isFlat, Self.areNearlyCubes(voxelSize) {
                turn = Self.product(turn, Self.turn(about: 1, random.uniform(-.pi...Double.pi)))
                turn = Self.product(turn, Self.turn(about: 2, random.uniform(-.pi...Double.pi)))
            }
        }
        let scale = isScaled ? pow(2, random.uniform(-0.4...0.4)) : 1
        matrix = (0..<3).map { row in
            (0..<3).map { column in
                let factor = isFlat && row == 0 ? 1 : scale
                return turn[row][column] * factor * size[column] / size[row]
            }
        }
        field =
            isDeformed
            ? DisplacementField(
                patch: patch, sides: size.map { $0 / shortest }, isFlat: isFlat, random: &random) : nil
    }

    /// Whether voxels may be turned out of the plane of sections.
    static func areNearlyCubes(_ size: VoxelSize) -> Bool {
        let sides = size.nanometers.array
        return sides.allSatisfy { $0 <= 1.5 * (sides.min() ?? 1) }
    }

    private static let identity = [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]

    private static func turn(about axis: Int, _ angle: Double) -> [[Double]] {
        var turn = identity
        let (a, b) = ((axis + 1) % 3, (axis + 2) % 3)
        turn[a][a] = cos(angle)
        turn[b][b] = cos(angle)
        turn[a][b] = -sin(angle)
        turn[b][a] = sin(angle)
        return turn
    }

    private static func product(_ one: [[Double]], _ other: [[Double]]) -> [[Double]] {
        (0..<3).map { row in
            (0..<3).map { column in (0..<3).reduce(0) { $0 + one[row][$1] * other[$1][column] } }
        }
    }

    /// Everything that a patch of `shape` around `centre` may be taken from.
    func source(of shape: ZYX<Int>, around centre: ZYX<Double>) -> Box {
        let half = shape.array.map { Double($0) / 2 + 1 }
        let reach = matrix.map { row in zip(row, half).reduce(0) { $0 + abs($1.0 * $1.1) } }
        let extra = field?.largest ?? [0, 0, 0]
        let low = zip(centre.array, zip(reach, extra)).map { Int(($0 - $1.0 - $1.1).rounded(.down)) - 1 }
        let high = zip(centre.array, zip(reach, extra)).map { Int(($0 + $1.0 + $1.1).rounded(.up)) + 2 }
        return Box(from: ZYX(low[0], low[1], low[2]), to: ZYX(high[0], high[1], high[2]))
    }

    /// Calls `body` with the number of each voxel of a patch of `shape` and the place it comes from.
    func forEachVoxel(of shape: ZYX<Int>, around centre: ZYX<Double>, _ body: (Int, ZYX<Float>) -> Void) {
        let m = matrix.map { $0.map(Float.init) }
        let (columnX, start) = ((m[0][2], m[1][2], m[2][2]), centre.map(Float.init))
        var voxel = 0
        for z in 0..<shape.z {
            let dz = Float(z) - Float(shape.z - 1) / 2
            for y in 0..<shape.y {
                let dy = Float(y) - Float(shape.y - 1) / 2
                let dx = -Float(shape.x - 1) / 2
                let row = ZYX(
                    start.z + m[0][0] * dz + m[0][1] * dy + m[0][2] * dx,
                    start.y + m[1][0] * dz + m[1][1] * dy + m[1][2] * dx,
                    start.x + m[2][0] * dz + m[2][1] * dy + m[2][2] * dx)
                for x in 0..<shape.x {
                    let step = Float(x)
                    var place = ZYX(row.z + columnX.0 * step, row.y + columnX.1 * step, row.x + columnX.2 * step)
                    if let field {
                        place = place + field.displacement(at: ZYX(dz, dy, dx + step))
                    }
                    body(voxel, place)
                    voxel += 1
                }
            }
        }
    }
}

/// Random displacements on a coarse grid, interpolated between (Simard et al. 2003; Ronneberger et al. 2015).
private struct DisplacementField {
    /// Between grid points, in shortest sides of a voxel.
    private static let spacing = 24.0
    /// Of displacements, in shortest sides of a voxel.
    private static let deviation = 2.5

    private let counts: [Int]
    /// Grid cells a voxel, along each axis.
    private let cells: ZYX<Float>
    private let centre: ZYX<Float>
    /// Of each grid point along z, y and x, in voxels.
    private let values: [ZYX<Float>]

    /// - Parameter sides: of a voxel, the shortest being 1.
    init(patch: ZYX<Int>, sides: [Double], isFlat: Bool, random: inout SampleRandom) {
        let perVoxel = sides.map { $0 / Self.spacing }
        counts = zip(patch.array, perVoxel).map { Int((Double($0 + 4) * $1).rounded(.up)) + 2 }
        cells = ZYX(Float(perVoxel[0]), Float(perVoxel[1]), Float(perVoxel[2]))
        centre = ZYX(Float(counts[0] - 1) / 2, Float(counts[1] - 1) / 2, Float(counts[2] - 1) / 2)
        let deviations = sides.enumerated().map { axis, side in
            axis == 0 && isFlat ? 0 : Float(Self.deviation / side)
        }
        values = (0..<counts.reduce(1, *)).map { _ in
            ZYX(
                random.nearlyNormal() * deviations[0], random.nearlyNormal() * deviations[1],
                random.nearlyNormal() * deviations[2])
        }
    }

    /// The largest displacement along each axis, in voxels.
    var largest: [Double] {
        values.reduce([0, 0, 0]) { largest, value in
            zip(largest, value.array).map { max($0, Double(abs($1))) }
        }
    }

    /// - Parameter place: relative to the patch's centre, in voxels.
    @inline(__always)
    func displacement(at place: ZYX<Float>) -> ZYX<Float> {
        func cell(_ place: Float, _ count: Int) -> (Int, Float) {
            let low = max(0, min(count - 2, Int(place.rounded(.down))))
            return (low, max(0, min(1, place - Float(low))))
        }
        let (z, fz) = cell(place.z * cells.z + centre.z, counts[0])
        let (y, fy) = cell(place.y * cells.y + centre.y, counts[1])
        let (x, fx) = cell(place.x * cells.x + centre.x, counts[2])
        let (rows, planes) = (counts[2], counts[1] * counts[2])
        let first = z * planes + y * rows + x
        func along(_ start: Int) -> ZYX<Float> { between(values[start], values[start + 1], fx) }
        func across(_ start: Int) -> ZYX<Float> { between(along(start), along(start + rows), fy) }
        return between(across(first), across(first + planes), fz)
    }
}

@inline(__always)
private func between(_ low: ZYX<Float>, _ high: ZYX<Float>, _ fraction: Float) -> ZYX<Float> {
    ZYX(
        low.z + fraction * (high.z - low.z), low.y + fraction * (high.y - low.y),
        low.x + fraction * (high.x - low.x))
}

extension Volume {
    /// The value at the voxel nearest to each place of a warp, which is relative to the first voxel.
    func nearest(_ shape: ZYX<Int>, _ warp: Warp, around centre: ZYX<Double>) -> Volume {
        var result = Volume(shape: shape)
        let limits = self.shape.map { Float($0 - 1) }
        result.voxels.withUnsafeMutableBufferPointer { target in
            voxels.withUnsafeBufferPointer { source in
                warp.forEachVoxel(of: shape, around: centre) { voxel, place in
                    let z = Int(max(0, min(limits.z, place.z.rounded())))
                    let y = Int(max(0, min(limits.y, place.y.rounded())))
                    let x = Int(max(0, min(limits.x, place.x.rounded())))
                    target[voxel] = source[(z * self.shape.y + y) * self.shape.x + x]
                }
            }
        }
        return result
    }
}

extension Volume<Float> {
    /// Values between voxels at each place of a warp (trilinear), which is relative to the first voxel.
    func interpolated(_ shape: ZYX<Int>, _ warp: Warp, around centre: ZYX<Double>) -> Volume {
        var result = Volume(shape: shape)
        let (size, row, plane) = (self.shape, self.shape.x, self.shape.y * self.shape.x)
        func corner(_ place: Float, _ length: Int) -> (low: Int, step: Int, fraction: Float) {
            let place = Swift.max(0, Swift.min(Float(length - 1), place))
            let low = Int(place)
            return (low, low + 1 < length ? 1 : 0, place - Float(low))
        }
        result.voxels.withUnsafeMutableBufferPointer { target in
            voxels.withUnsafeBufferPointer { source in
                warp.forEachVoxel(of: shape, around: centre) { voxel, place in
                    let (z, nextZ, fz) = corner(place.z, size.z)
                    let (y, nextY, fy) = corner(place.y, size.y)
                    let (x, nextX, fx) = corner(place.x, size.x)
                    let first = z * plane + y * row + x
                    func along(_ start: Int) -> Float {
                        source[start] + fx * (source[start + nextX] - source[start])
                    }
                    func across(_ start: Int) -> Float {
                        let low = along(start)
                        return low + fy * (along(start + nextY * row) - low)
                    }
                    let low = across(first)
                    target[voxel] = low + fz * (across(first + nextZ * plane) - low)
                }
            }
        }
        return result
    }
}
