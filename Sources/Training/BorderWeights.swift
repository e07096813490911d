import Foundation
import Volumes

/// How much more a voxel between two objects counts than others (Ronneberger et al. 2015, equation 2;
/// Falk et al. 2019).
///
/// Outside the target, w = 1 + strength · exp(-(d1 + d2)² / (2 sigma²)), where d1 and d2 are the distances to
/// the nearest and the second nearest object of the target; inside, w = 1; where the annotation does not
/// count, w = 0. Distances are between voxel centres, in units of the smallest side of a voxel.
/// Additions below 0.01 are dropped, which bounds the search.
public struct BorderWeights: Sendable {
    /// The weight of each voxel as a place in `levels`.
    public let codes: Volume<UInt8>
    /// 0, then 1 to 1 + strength in 254 equal steps.
    public let levels: [Float]

    /// - Parameters:
    ///   - target: the `ForegroundTarget` of the volume.
    ///   - strength: λ, 0 for weight 1 everywhere.
    ///   - sigma: in units of the smallest side of a voxel.
    public init(
        volume: AnnotatedVolume, target: Volume<UInt8>, strength: Double, sigma: Double, threads: Int
    ) {
        levels = [0] + (0..<255).map { Float(1 + strength * Double($0) / 254) }
        var codes = Volume<UInt8>(shape: volume.shape, repeating: 1)
        if strength > 0.01 {
            let size = volume.voxelSize.nanometers
            let smallest = size.array.min() ?? 1
            // d1 + d2 where the addition falls below 0.01; d1 <= d2, so both are found within it.
            let reach = sigma * (2 * log(strength / 0.01)).squareRoot()
            let distances = NearestTwoObjects(
                labels: volume.labels, target: target, spacing: size.map { $0 / smallest }, reach: reach,
                threads: threads)
            for (index, sum) in distances.sums.enumerated() where target.voxels[index] == 0 && sum <= Float(reach) {
                let addition = exp(-Double(sum * sum) / (2 * sigma * sigma))
                codes.voxels[index] = UInt8(1 + (254 * addition).rounded())
            }
        }
        if volume.mask != nil || volume.unlabelledZero {
            for index in codes.voxels.indices where !volume.isAnnotated(index) { codes.voxels[index] = 0 }
        }
        self.codes = codes
    }

    /// The weight of every voxel.
    public var weights: Volume<Float> { codes.map { levels[Int($0)] } }
}

/// Distances to the nearest and the second nearest object, exact up to a reach.
///
/// Separable like the squared Euclidean distance transform: after each axis every voxel knows the two nearest
/// different objects among the lines seen so far. The nearest two of a union are among the nearest two of its
/// parts, since an object that is third in a line is third or worse with more lines; so three passes are exact.
struct NearestTwoObjects {
    /// d1 + d2, infinite where two objects are not both within reach.
    let sums: [Float]

    init(labels: Volume<UInt32>, target: Volume<UInt8>, spacing: ZYX<Double>, reach: Double, threads: Int) {
        let shape = labels.shape
        var found = [Nearest](repeating: .none, count: shape.count)
        for index in found.indices where target.voxels[index] != 0 {
            found[index].first = labels.voxels[index]
            found[index].firstSquare = 0
        }
        found = pass(found, lines(along: 2, shape), spacing.x, reach, threads) { _ in true }
        found = pass(found, lines(along: 1, shape), spacing.y, reach, threads) { _ in true }
        // Only voxels outside the target need the last axis.
        found = pass(found, lines(along: 0, shape), spacing.z, reach, threads) { target.voxels[$0] == 0 }
        sums = found.map { $0.second == 0 ? .infinity : $0.firstSquare.squareRoot() + $0.secondSquare.squareRoot() }
    }
}

/// The two nearest different objects of a voxel with their squared distances; 0 is no object.
private struct Nearest: Sendable {
    var first: UInt32
    var second: UInt32
    var firstSquare: Float
    var secondSquare: Float

    static let none = Nearest(first: 0, second: 0, firstSquare: .infinity, secondSquare: .infinity)

    @inline(__always)
    mutating func see(_ object: UInt32, _ square: Float) {
        if square >= secondSquare || object == 0 { return }
        if object == first {
            firstSquare = min(firstSquare, square)
        } else if square < firstSquare {
            (second, secondSquare) = (first, firstSquare)
            (first, firstSquare) = (object, square)
        } else {
            (second, secondSquare) = (object, square)
        }
    }
}

/// The lines of a volume along one axis: each starts at `start(line)` and steps by `step`.
private struct Lines: Sendable {
    let count: Int
    let length: Int
    let step: Int
    /// Lines come in groups of `inner`; a group's first line starts at a multiple of `outer`.
    let inner: Int
    let innerStep: Int
    let outer: Int

    func start(_ line: Int) -> Int { line / inner * outer + line % inner * innerStep }
}

private func lines(along axis: Int, _ shape: ZYX<Int>) -> Lines {
    let (plane, row) = (shape.y * shape.x, shape.x)
    return switch axis {
    case 0: Lines(count: plane, length: shape.z, step: plane, inner: plane, innerStep: 1, outer: 0)
    case 1: Lines(count: shape.z * row, length: shape.y, step: row, inner: row, innerStep: 1, outer: plane)
    default: Lines(count: shape.z * shape.y, length: shape.x, step: 1, inner: 1, innerStep: 0, outer: row)
    }
}

/// Extends what each voxel knows along one axis, where `needed` says so.
private func pass(
    _ known: [Nearest], _ lines: Lines, _ spacing: Double, _ reach: Double, _ threads: Int,
    needed: @Sendable (Int) -> Bool
) -> [Nearest] {
    let radius = Int(reach / spacing)
    let squares = (0...max(0, radius)).map { Float($0 * $0) * Float(spacing * spacing) }
    var result = known
    result.withUnsafeMutableBufferPointer { result in
        known.withUnsafeBufferPointer { known in
            nonisolated(unsafe) let (result, known) = (result, known)
            inSlices(of: lines.count, threads: threads) { line in
                let start = lines.start(line)
                for place in 0..<lines.length where needed(start + place * lines.step) {
                    let index = start + place * lines.step
                    var nearest = known[index]
                    var away = 1
                    // Nothing farther along the line can come nearer than its distance along it.
                    while away <= radius && squares[away] < nearest.secondSquare {
                        if place - away >= 0 {
                            let other = known[index - away * lines.step]
                            nearest.see(other.first, other.firstSquare + squares[away])
                            nearest.see(other.second, other.secondSquare + squares[away])
                        }
                        if place + away < lines.length {
                            let other = known[index + away * lines.step]
                            nearest.see(other.first, other.firstSquare + squares[away])
                            nearest.see(other.second, other.secondSquare + squares[away])
                        }
                        away += 1
                    }
                    result[index] = nearest
                }
            }
        }
    }
    return result
}
