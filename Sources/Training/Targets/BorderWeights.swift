import Foundation
import Volumes

/// How much more a voxel between two objects counts than others, and how much less one far from any
/// (Ronneberger et al. 2015, equation 2; Falk et al. 2019, supplementary note 1).
public struct BorderWeighting: Codable, Equatable, Sendable {
    /// λ_sep: what is added between two objects that touch.
    public var separation: Double
    /// σ_sep, in shortest sides of a voxel.
    public var separationSigma: Double
    /// v_bal: the weight of the background far from every object; 1 for as much as inside.
    public var balance: Double
    /// σ_bal, in shortest sides of a voxel: how far the background near an object counts like the object.
    public var balanceSigma: Double

    public init(
        separation: Double = 10, separationSigma: Double = 4, balance: Double = 1, balanceSigma: Double = 10
    ) {
        self.separation = separation
        self.separationSigma = separationSigma
        self.balance = balance
        self.balanceSigma = balanceSigma
    }

    /// Every voxel alike.
    public static let none = BorderWeighting(separation: 0, balance: 1)

    /// The weight outside of the target; distances in shortest sides of a voxel.
    func weight(nearest: Float, sum: Float) -> Double {
        func bell(_ distance: Float, _ sigma: Double) -> Double {
            exp(-Double(distance * distance) / (2 * sigma * sigma))
        }
        return balance + (1 - balance) * bell(nearest, balanceSigma) + separation * bell(sum, separationSigma)
    }

    /// Beyond this distance to the nearest object, and this sum of the two nearest, what is left out is below 0.01.
    var reach: Double {
        func reach(_ strength: Double, _ sigma: Double) -> Double {
            strength > 0.01 ? sigma * (2 * log(strength / 0.01)).squareRoot() : 0
        }
        return max(reach(separation, separationSigma), reach(abs(1 - balance), balanceSigma))
    }
}

/// The weight of each voxel in the loss of the foreground.
///
/// Outside the target, w = v_bal + (1 - v_bal) · exp(-d1² / (2 σ_bal²)) + λ_sep · exp(-(d1 + d2)² / (2 σ_sep²)), where
/// d1 and d2 are the distances to the nearest and the second nearest object of the target, between voxel centres;
/// inside, w = 1; where the annotation does not count, w = 0.
public struct BorderWeights: Sendable {
    /// The weight of each voxel as a place in `levels`.
    public let codes: Volume<UInt8>
    /// 0, 1, then the weights outside in equal ratios.
    public let levels: [Float]
    private let voxelSize: VoxelSize
    private let weighting: BorderWeighting
    private let dimensions: Int

    /// - Parameters:
    ///   - labels: that tell objects apart.
    ///   - target: the `ForegroundTarget` of the labels; not asked for where all weights are alike.
    ///   - counts: 0 where the annotation does not count; nil for everywhere.
    ///   - dimensions: of the network; for one of 2 objects of other sections are not there.
    ///   - block: so many voxels, and those around them as far as objects count, are worked on at a time; nil for what keeps
    ///     memory low.
    public init(
        labels: Volume<UInt32>, target: @autoclosure () -> Volume<UInt8>, counts: Volume<UInt8>?,
        voxelSize: VoxelSize, weighting: BorderWeighting, dimensions: Int = 3, threads: Int,
        block: ZYX<Int>? = nil
    ) {
        self.voxelSize = voxelSize
        self.weighting = weighting
        self.dimensions = dimensions
        let scale = WeightScale(weighting)
        levels = scale.levels
        var codes = Volume<UInt8>(shape: labels.shape, repeating: 1)
        if weighting.reach > 0 {
            let target = target()
            let block = block ?? ZYX(repeating: max(128, 2 * Int(weighting.reach)))
            for box in Box(labels.shape).cells(of: block) {
                codes.replace(
                    at: box.origin,
                    with: scale.codes(
                        of: box, labels, target, voxelSize, weighting, dimensions: dimensions, threads: threads))
            }
        }
        if let counts {
            for index in codes.voxels.indices where counts.voxels[index] == 0 { codes.voxels[index] = 0 }
        }
        self.codes = codes
    }

    /// How many voxels away an object may decide over a weight.
    package var reach: ZYX<Int> { WeightScale.reach(of: weighting, voxelSize, dimensions: dimensions) }

    /// The codes of a patch whose labels have been moved, with the same levels.
    ///
    /// - Parameters:
    ///   - ranks: with `ForegroundTarget.reach` and `reach` more on every side than `box`.
    ///   - counts: of the same shape; 0 where the annotation does not count.
    ///   - box: where they are made anew.
    package func made(anewOf ranks: Volume<UInt32>, counts: Volume<UInt8>, in box: Box) -> Volume<UInt8> {
        if weighting.reach == 0 { return counts }
        let margin = ForegroundTarget.reach(dimensions: dimensions)
        let inner = Box(origin: margin, shape: ranks.shape - margin - margin)
        var made = WeightScale(weighting).codes(
            of: box.relative(to: inner.origin), ranks.cropped(to: inner),
            ForegroundTarget.volume(ranks: ranks, dimensions: dimensions), voxelSize, weighting,
            dimensions: dimensions, threads: 1)
        let counted = counts.cropped(to: box)
        for index in made.voxels.indices where counted.voxels[index] == 0 { made.voxels[index] = 0 }
        var codes = counts
        codes.replace(at: box.origin, with: made)
        return codes
    }

    /// The weight of every voxel.
    public var weights: Volume<Float> { codes.map { levels[Int($0)] } }
}

/// The weights that codes stand for: neighbours differ by 3 % at most where λ is 50.
private struct WeightScale {
    private let lowest: Double
    private let ratio: Double

    init(_ weighting: BorderWeighting) {
        lowest = max(1e-3, min(1, weighting.balance))
        ratio = (max(1, weighting.balance) + weighting.separation) / lowest
    }

    var levels: [Float] { [0, 1] + (0...253).map { Float(lowest * pow(ratio, Double($0) / 253)) } }

    /// Of a box of a volume, from what lies in and around it.
    func codes(
        of box: Box, _ labels: Volume<UInt32>, _ target: Volume<UInt8>, _ voxelSize: VoxelSize,
        _ weighting: BorderWeighting, dimensions: Int, threads: Int
    ) -> Volume<UInt8> {
        let reach = Self.reach(of: weighting, voxelSize, dimensions: dimensions)
        let around = box.grown(by: reach).intersection(Box(labels.shape))
        let target = target.cropped(to: around)
        let distances = NearestTwoObjects(
            labels: labels.cropped(to: around), target: target,
            spacing: Self.spacing(voxelSize, dimensions: dimensions), reach: weighting.reach,
            acrossSections: dimensions == 3, threads: threads)
        var codes = Volume<UInt8>(shape: around.shape, repeating: 1)
        for index in codes.voxels.indices where target.voxels[index] == 0 {
            codes.voxels[index] = code(
                weighting.weight(nearest: distances.nearest(index), sum: distances.sum(index)))
        }
        return codes.cropped(to: box.relative(to: around.origin))
    }

    /// Of voxels, in the shortest sides that the network sees.
    private static func spacing(_ voxelSize: VoxelSize, dimensions: Int) -> ZYX<Double> {
        let size = voxelSize.nanometers
        return size.map { $0 / (size.array.suffix(dimensions).min() ?? 1) }
    }

    /// In voxels.
    static func reach(of weighting: BorderWeighting, _ voxelSize: VoxelSize, dimensions: Int) -> ZYX<Int> {
        var reach = spacing(voxelSize, dimensions: dimensions).map { Int(weighting.reach / $0) }
        if dimensions == 2 { reach.z = 0 }
        return reach
    }

    private func code(_ weight: Double) -> UInt8 {
        guard weight > lowest, ratio > 1 else { return 2 }
        return UInt8(2 + min(253, (253 * log(weight / lowest) / log(ratio)).rounded()))
    }
}

/// Distances to the nearest and the second nearest object, exact up to a reach.
///
/// Separable like the squared Euclidean distance transform: after each axis every voxel knows the two nearest
/// different objects among the lines seen so far. The nearest two of a union are among the nearest two of its
/// parts, since an object that is third in a line is third or worse with more lines; so three passes are exact.
struct NearestTwoObjects {
    private let found: [Nearest]

    init(
        labels: Volume<UInt32>, target: Volume<UInt8>, spacing: ZYX<Double>, reach: Double, acrossSections: Bool,
        threads: Int
    ) {
        let shape = labels.shape
        var found = [Nearest](repeating: .none, count: shape.count)
        for index in found.indices where target.voxels[index] != 0 {
            found[index].first = labels.voxels[index]
            found[index].firstSquare = 0
        }
        found = pass(found, lines(along: 2, shape), spacing.x, reach, threads) { _ in true }
        found = pass(found, lines(along: 1, shape), spacing.y, reach, threads) { _ in true }
        // Only voxels outside the target need the last axis.
        if acrossSections {
            found = pass(found, lines(along: 0, shape), spacing.z, reach, threads) { target.voxels[$0] == 0 }
        }
        self.found = found
    }

    /// d1; infinite where no object is within reach.
    func nearest(_ voxel: Int) -> Float { found[voxel].firstSquare.squareRoot() }

    /// d1 + d2; infinite where two objects are not both within reach.
    func sum(_ voxel: Int) -> Float {
        found[voxel].firstSquare.squareRoot() + found[voxel].secondSquare.squareRoot()
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
    let radius = min(Int(reach / spacing), lines.length - 1)
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
