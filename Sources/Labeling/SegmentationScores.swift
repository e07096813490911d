import Foundation
import Volumes

/// How well labels agree with the truth.
///
/// A label's voxels, and a truth object's, form pairs; n voxels form n (n - 1). With truth 0 ignored, all but
/// `dice`, `iou` and `objectF1` are over the voxels whose truth is not 0, among which label 0 counts as one segment.
/// The numbers are those of scikit-image's `adapted_rand_error` and `variation_of_information` with `ignore_labels=(0,)`, or
/// `()` where nothing is ignored, but for precision and recall, which scikit-image returns in exchanged
/// order (its issue 6485).
public struct SegmentationScores: Codable, Sendable, Equatable {
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
        case ignored
    }

    /// The variation of information, split and merge together, in bits.
    public var variationOfInformation: Double { viSplit + viMerge }

    /// The scores of labels against a truth of the same shape.
    ///
    /// - Throws: `LabelingFault` where shapes differ or no voxel is left to score.
    @inlinable
    public static func evaluate<Label: VoxelElement & BinaryInteger, Truth: VoxelElement & BinaryInteger>(
        labels: Volume<Label>, truth: Volume<Truth>, ignoringTruthZero: Bool = true, threads: Int = 1
    ) throws -> SegmentationScores {
        try SegmentationScores(
            Contingency(labels: labels, truth: truth, threads: threads), ignoringTruthZero: ignoringTruthZero)
    }

    /// The scores of what a contingency has counted.
    ///
    /// - Throws: `LabelingFault.nothingToScore`.
    public init(_ contingency: Contingency, ignoringTruthZero: Bool = true) throws {
        let all = contingency.pairs
        let counted = ignoringTruthZero ? all.filter { $0.truth != 0 } : all
        voxels = all.reduce(0) { $0 + Int($1.count) }
        voxelsCounted = counted.reduce(0) { $0 + Int($1.count) }
        guard voxelsCounted > 0 else { throw LabelingFault.nothingToScore(voxels: voxels) }

        let joint = counted.map(\.count)
        let byLabel = sums(counted.map { ($0.label, $0.count) })
        let byTruth = sums(counted.map { ($0.truth, $0.count) })
        let both = joinedPairs(joint)
        let inLabels = joinedPairs(byLabel)
        let inTruth = joinedPairs(byTruth)
        adaptedRandError = inLabels + inTruth > 0 ? 1 - 2 * both / (inLabels + inTruth) : 0
        randPrecision = inLabels > 0 ? both / inLabels : 1
        randRecall = inTruth > 0 ? both / inTruth : 1

        let jointEntropy = entropy(joint, of: voxelsCounted)
        // Rounding alone can make a difference of entropies negative.
        viSplit = max(0, jointEntropy - entropy(byTruth, of: voxelsCounted))
        viMerge = max(0, jointEntropy - entropy(byLabel, of: voxelsCounted))
        coverage = Double(counted.reduce(0) { $0 + ($1.label != 0 ? $1.count : 0) }) / Double(voxelsCounted)

        let labelled = Double(all.reduce(0) { $0 + ($1.label != 0 ? $1.count : 0) })
        let real = Double(all.reduce(0) { $0 + ($1.truth != 0 ? $1.count : 0) })
        let shared = Double(all.reduce(0) { $0 + ($1.label != 0 && $1.truth != 0 ? $1.count : 0) })
        dice = labelled + real > 0 ? 2 * shared / (labelled + real) : 1
        iou = labelled + real > 0 ? shared / (labelled + real - shared) : 1
        objectF1 = objectF1Score(all)
        labelObjects = Set(all.lazy.map(\.label)).subtracting([0]).count
        truthObjects = Set(all.lazy.map(\.truth)).subtracting([0]).count
        ignored = ignoringTruthZero ? "truth 0" : "none"
    }
}

/// Of objects that share at least half of their union.
private func objectF1Score(_ pairs: [PairCounts.Pair]) -> Double {
    var (labels, truths): ([UInt64: UInt64], [UInt64: UInt64]) = ([:], [:])
    for pair in pairs {
        if pair.label != 0 { labels[pair.label, default: 0] += pair.count }
        if pair.truth != 0 { truths[pair.truth, default: 0] += pair.count }
    }
    let objects = labels.count + truths.count
    if objects == 0 { return 1 }
    // Where two halves share an object evenly, one of them counts.
    var (taken, found): (Set<UInt64>, Set<UInt64>) = ([], [])
    for pair in pairs where pair.label != 0 && pair.truth != 0 {
        let union = labels[pair.label]! + truths[pair.truth]! - pair.count
        if 2 * pair.count >= union, !taken.contains(pair.label), !found.contains(pair.truth) {
            taken.insert(pair.label)
            found.insert(pair.truth)
        }
    }
    return 2 * Double(found.count) / Double(objects)
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
