import Labeling
import Training
import Volumes

/// A block of the annotation with every member's logits of it.
struct CalibrationBlock {
    var logits: [Volume<Int16>]
    /// Instances, relabelled within the block; 0 where nothing is scored.
    var truth: Volume<UInt32>
}

/// The score of a labelled consensus by threshold.
struct ThresholdCurve: Codable {
    struct Point: Codable {
        var logit: Double
        /// Split and merge together, in bits.
        var variationOfInformation: Double
        var adaptedRandError: Double
    }

    var points: [Point]
    /// The point with the lowest variation of information.
    var best: Point

    var threshold: Threshold { Threshold(logit: best.logit) }
}

/// Tries thresholds from a probability of 0.5 up to 0.9997.
struct ThresholdSearch {
    let label: LabelSettings
    let threads: Int
    let shouldStop: () -> Bool

    /// Logits 0, 0.25, … 8: the best threshold of dense tissue lies near 0.98, which is 4.
    private static let logits = stride(from: 0.0, through: 8, by: 0.25)

    func best(
        for rule: AgreementRule, _ blocks: [CalibrationBlock], progress: (Double) -> Void
    ) throws -> ThresholdCurve {
        let logits = Array(ThresholdSearch.logits)
        let points = try logits.enumerated().map { index, logit in
            if shouldStop() { throw Interruption() }
            progress(Double(index) / Double(logits.count))
            return try point(at: logit, rule, blocks)
        }
        let best = points.min { $0.variationOfInformation < $1.variationOfInformation } ?? points[0]
        return ThresholdCurve(points: points, best: best)
    }

    private func point(
        at logit: Double, _ rule: AgreementRule, _ blocks: [CalibrationBlock]
    ) throws -> ThresholdCurve.Point {
        var contingency = Contingency()
        for (index, block) in blocks.enumerated() {
            let vote = try consensus(
                of: block.logits, rule: rule, threshold: Threshold(logit: logit), threads: threads)
            let components = try connectedComponents(
                of: vote.mask, connectivity: label.connectivity, minimumVoxels: label.minimumVoxels,
                threads: threads)
            try contingency.add(
                labels: components.labels.ids(ofBlock: index), truth: block.truth.ids(ofBlock: index),
                threads: threads)
        }
        let scores = try SegmentationScores(contingency)
        return ThresholdCurve.Point(
            logit: logit, variationOfInformation: scores.variationOfInformation,
            adaptedRandError: scores.adaptedRandError)
    }
}

extension Volume<UInt32> {
    /// Ids that no other block has; 0 stays 0.
    fileprivate func ids(ofBlock block: Int) -> Volume<UInt64> {
        map { $0 == 0 ? 0 : UInt64($0) | UInt64(block) << 32 }
    }
}
