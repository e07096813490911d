import Foundation
import Volumes

/// How well labels agree with the truth.
///
/// A label's voxels, and a truth object's, form pairs; n voxels form n (n - 1). With truth 0 ignored, all but
/// `dice`, `iou` and what is said of objects are over the voxels whose truth is not 0; what label 0 is among them is a
/// matter of convention (`Convention`).
public struct SegmentationScores: Codable, Sendable, Equatable {
    /// What label 0 is where the truth is not 0, and how pairs are counted.
    public enum Convention: String, Codable, Sendable, CaseIterable {
        /// One segment. The numbers are those of scikit-image's `adapted_rand_error` and `variation_of_information` with
        /// `ignore_labels=(0,)`, or `()` where nothing is ignored, but for precision and recall, which scikit-image returns
        /// in exchanged order (its issue 6485).
        case skimage
        /// One segment for the variation of information. For the Rand error no segment at all: a voxel of it counts for 1/n
        /// of a pair, as in the MATLAB script of SNEMI3D, and n voxels form n² pairs. The numbers are those of
        /// `cremi.evaluation`.
        case cremi
        /// Left out of the variation of information; as for `cremi` for the Rand error. The numbers are those of
        /// `gala.evaluate`.
        case gala
    }

    /// 1 less the harmonic mean of Rand precision and recall; 0 is perfect (Arganda-Carreras et al. 2015).
    public var adaptedRandError: Double
    /// Pairs joined in both / pairs joined in the labels: low where labels merge objects.
    /// 1 where the labels join none.
    public var randPrecision: Double
    /// Pairs joined in both / pairs joined in the truth: low where labels split objects.
    /// 1 where the truth joins none.
    public var randRecall: Double
    /// H(labels | truth) in bits: what splits cost (Meilă 2007).
    public var viSplit: Double
    /// H(truth | labels) in bits: what mergers cost.
    public var viMerge: Double
    /// The share of the counted voxels with a label other than 0.
    public var coverage: Double
    /// 2 |labels ∩ truth| / (|labels| + |truth|) of the foregrounds, always over all voxels.
    public var dice: Double
    /// |labels ∩ truth| / |labels ∪ truth| of the foregrounds, always over all voxels.
    public var iou: Double
    /// 2 × matched / (labels + truth objects): of the objects whose intersection with one of the truth is at least half of
    /// their union; 1 where there are none at all. Always over all voxels (Caicedo et al. 2019).
    public var objectF1: Double
    /// Different labels other than 0, among all voxels.
    public var labelObjects: Int
    /// Different truth labels other than 0.
    public var truthObjects: Int
    public var voxels: Int
    /// Voxels over which the scores are taken.
    public var voxelsCounted: Int
    /// `truth 0` or `none`.
    public var ignored: String
    /// nil in a model file of an earlier version: `skimage`.
    public var convention: Convention?
    /// How many objects match one of the truth, from half of their union to 95 % of it in steps of 5 %; nil in a model file
    /// of an earlier version.
    public var objects: [ObjectMatches]?

    enum CodingKeys: String, CodingKey {
        case adaptedRandError = "adapted_rand_error"
        case randPrecision = "rand_precision"
        case randRecall = "rand_recall"
        case viSplit = "vi_split"
        case viMerge = "vi_merge"
        case coverage, dice, iou
        case objectF1 = "object_f1"
        case labelObjects = "label_objects"
        case truthObjects = "truth_objects"
        case voxels
        case voxelsCounted = "voxels_counted"
        case ignored, convention, objects
    }

    /// The variation of information, split and merge together, in bits.
    public var variationOfInformation: Double { viSplit + viMerge }

    /// The geometric mean of the variation of information and the adapted Rand error: what the CREMI challenge ranks by,
    /// under its convention; 0 is perfect.
    public var cremiScore: Double { (variationOfInformation * adaptedRandError).squareRoot() }

    /// The mean of matched / (labels + truth objects - matched) over all shares of the union (as in StarDist and Cellpose).
    public var meanAveragePrecision: Double? {
        objects.map { $0.reduce(0) { $0 + $1.averagePrecision } / Double($0.count) }
    }

    /// The scores of labels against a truth of the same shape.
    ///
    /// - Throws: `LabelingFault` where shapes differ or no voxel is left to score.
    @inlinable
    public static func evaluate<Label: VoxelElement & BinaryInteger, Truth: VoxelElement & BinaryInteger>(
        labels: Volume<Label>, truth: Volume<Truth>, ignoringTruthZero: Bool = true,
        convention: Convention = .skimage, threads: Int = 1
    ) throws -> SegmentationScores {
        try SegmentationScores(
            Contingency(labels: labels, truth: truth, threads: threads), ignoringTruthZero: ignoringTruthZero,
            convention: convention)
    }

    /// The scores of what a contingency has counted.
    ///
    /// - Throws: `LabelingFault.nothingToScore`.
    public init(
        _ contingency: Contingency, ignoringTruthZero: Bool = true, convention: Convention = .skimage
    ) throws {
        let all = contingency.pairs
        let counted = ignoringTruthZero ? all.filter { $0.truth != 0 } : all
        voxels = all.reduce(0) { $0 + Int($1.count) }
        voxelsCounted = counted.reduce(0) { $0 + Int($1.count) }
        guard voxelsCounted > 0 else { throw LabelingFault.nothingToScore(voxels: voxels) }
        self.convention = convention
        ignored = ignoringTruthZero ? "truth 0" : "none"

        let joined = JoinedPairs(counted, of: voxels, convention)
        adaptedRandError =
            joined.inLabels + joined.inTruth > 0 ? 1 - 2 * joined.inBoth / (joined.inLabels + joined.inTruth) : 0
        randPrecision = joined.inLabels > 0 ? joined.inBoth / joined.inLabels : 1
        randRecall = joined.inTruth > 0 ? joined.inBoth / joined.inTruth : 1

        let compared = convention == .gala ? counted.filter { $0.label != 0 } : counted
        let voxelsCompared = compared.reduce(0) { $0 + Int($1.count) }
        let jointEntropy = entropy(compared.map(\.count), of: voxelsCompared)
        // Rounding alone can make a difference of entropies negative.
        viSplit = max(0, jointEntropy - entropy(sums(compared.map { ($0.truth, $0.count) }), of: voxelsCompared))
        viMerge = max(0, jointEntropy - entropy(sums(compared.map { ($0.label, $0.count) }), of: voxelsCompared))
        coverage = Double(counted.reduce(0) { $0 + ($1.label != 0 ? $1.count : 0) }) / Double(voxelsCounted)

        let labelled = Double(all.reduce(0) { $0 + ($1.label != 0 ? $1.count : 0) })
        let real = Double(all.reduce(0) { $0 + ($1.truth != 0 ? $1.count : 0) })
        let shared = Double(all.reduce(0) { $0 + ($1.label != 0 && $1.truth != 0 ? $1.count : 0) })
        dice = labelled + real > 0 ? 2 * shared / (labelled + real) : 1
        iou = labelled + real > 0 ? shared / (labelled + real - shared) : 1
        let matches = ObjectMatches.all(of: all)
        objects = matches
        objectF1 = matches[0].f1
        (labelObjects, truthObjects) = (matches[0].labels, matches[0].truths)
    }
}

/// Pairs of voxels that are joined in the labels, in the truth, and in both.
private struct JoinedPairs {
    let inLabels, inTruth, inBoth: Double

    /// - Parameter voxels: all there are, those that are not counted too.
    init(_ counted: [PairCounts.Pair], of voxels: Int, _ convention: SegmentationScores.Convention) {
        let byTruth = sums(counted.map { ($0.truth, $0.count) })
        guard convention != .skimage else {
            inBoth = joinedPairs(counted.map(\.count))
            inLabels = joinedPairs(sums(counted.map { ($0.label, $0.count) }))
            inTruth = joinedPairs(byTruth)
            return
        }
        func squares(_ counts: [UInt64]) -> Double {
            Double(counts.reduce(UInt128(0)) { $0 + UInt128($1) * UInt128($1) })
        }
        let labelled = counted.filter { $0.label != 0 }
        let others = counted.reduce(0) { $0 + ($1.label == 0 ? $1.count : 0) }
        let alone = Double(others) / Double(voxels)
        inBoth = squares(labelled.map(\.count)) + alone
        inLabels = squares(sums(labelled.map { ($0.label, $0.count) })) + alone
        inTruth = squares(byTruth)
    }
}

/// The counts of each label, in the order of the labels.
private func sums(_ counts: [(label: UInt64, count: UInt64)]) -> [UInt64] {
    var sums: [UInt64] = []
    var last: UInt64?
    for (label, count) in counts.sorted(by: { $0.label < $1.label }) {
        if label == last {
            sums[sums.count - 1] += count
        } else {
            sums.append(count)
        }
        last = label
    }
    return sums
}

/// Σ n (n - 1), exact until it is rounded once.
private func joinedPairs(_ counts: [UInt64]) -> Double {
    Double(counts.reduce(UInt128(0)) { $0 + UInt128($1) * UInt128($1 - 1) })
}

/// The entropy in bits of a distribution given as counts.
private func entropy(_ counts: [UInt64], of total: Int) -> Double {
    counts.reduce(0.0) { sum, count in
        let share = Double(count) / Double(total)
        return sum - share * log2(share)
    }
}
