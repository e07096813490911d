import Foundation
import Volumes

/// What each change of label between neighbouring voxels adds to the area of a surface.
///
/// Crofton's formula: the area of a surface is twice its mean number of crossings with lines, over all directions. The
/// directions are the 13 to the 26 neighbours of a voxel, each weighted by the share of all directions that are nearest to
/// it (Lang and Ohser 2001; Legland, Kiêu and Devaux 2007). Of a smooth surface the area is right to about 2 %, whatever
/// way it lies; adding up the faces of voxels gives half as much again for a sphere.
struct SurfaceWeights: Sendable {
    /// To the neighbours that come before a voxel; the first three share a face with it, along z, y and x.
    static let offsets: [ZYX<Int>] = [
        ZYX(-1, 0, 0), ZYX(0, -1, 0), ZYX(0, 0, -1),
        ZYX(0, -1, -1), ZYX(0, -1, 1), ZYX(-1, 0, -1), ZYX(-1, 0, 1), ZYX(-1, -1, 0), ZYX(-1, 1, 0),
        ZYX(-1, -1, -1), ZYX(-1, -1, 1), ZYX(-1, 1, -1), ZYX(-1, 1, 1),
    ]

    /// By offset, in the square of the voxel size's unit.
    let areas: [Double]

    /// - Parameter voxelSize: the sides of a voxel.
    init(_ voxelSize: ZYX<Double>) {
        let steps = Self.offsets.map { $0.map(Double.init).zip(voxelSize, *) }
        let lengths = steps.map { ($0.z * $0.z + $0.y * $0.y + $0.x * $0.x).squareRoot() }
        var shares = [Int](repeating: 0, count: steps.count)
        for direction in Self.directions {
            var (nearest, best) = (0, -1.0)
            for (index, step) in steps.enumerated() {
                let along = step.z * direction.z + step.y * direction.y + step.x * direction.x
                if abs(along) / lengths[index] > best { (nearest, best) = (index, abs(along) / lengths[index]) }
            }
            shares[nearest] += 1
        }
        // Lines along a direction pass through each voxel's volume divided by their length in it.
        let volume = voxelSize.z * voxelSize.y * voxelSize.x
        areas = zip(shares, lengths).map { 2 * Double($0) / Double(Self.directions.count) * volume / $1 }
    }

    /// Spread evenly over the sphere, along a spiral.
    private static let directions: [ZYX<Double>] = {
        let count = 40_000
        let golden = Double.pi * (3 - 5.0.squareRoot())
        return (0..<count).map { index in
            let z = 1 - (2 * Double(index) + 1) / Double(count)
            let radius = (1 - z * z).squareRoot()
            return ZYX(z, radius * sin(golden * Double(index)), radius * cos(golden * Double(index)))
        }
    }()
}
