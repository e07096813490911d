import Labeling
import Training
import Volumes

/// A block of the annotation with every member's logits of it, a volume a stored channel.
struct CalibrationBlock {
    var logits: [[Volume<Int16>]]
    /// Instances, relabelled within the block; 0 where nothing is scored.
    var truth: Volume<UInt32>
}

/// The score of a labelled consensus by threshold.
struct ThresholdCurve: Codable {
    struct Point: Codable {
        var logit: Double
        /// In bits.
        var viSplit: Double
        var viMerge: Double
        var adaptedRandError: Double

        var variationOfInformation: Double { viSplit + viMerge }

        enum CodingKeys: String, CodingKey {
            case logit
            case viSplit = "vi_split"
            case viMerge = "vi_merge"
            case adaptedRandError = "adapted_rand_error"
        }
    }

    var points: [Point]
    /// The point with the lowest variation of information, in the middle of those that are as good.
    var best: Point

    var threshold: Threshold { Threshold(logit: best.logit) }
}

/// Tries thresholds from a probability of 0.5 up to 0.9997.
struct ThresholdSearch {
    let making: ObjectMaking
    let shouldStop: () -> Bool
    /// Brings objects onto the grid of their truth.
    var onGrid: (Volume<UInt32>) -> Volume<UInt32> = { $0 }

    /// Logits 0, 0.25, … 8: the best threshold of dense tissue lies near 0.98, which is 4.
    private static let logits = stride(from: 0.0, through: 8, by: 0.25)

    func best(
        for rule: AgreementRule, _ blocks: [CalibrationBlock], progress: (Double) -> Void
    ) throws -> ThresholdCurve {
        let agreed = try blocks.map {
            AgreedBlock(logits: try $0.logits.consensus(rule, threads: making.threads), truth: $0.truth)
        }
        let logits = Array(ThresholdSearch.logits)
        let points = try logits.enumerated().map { index, logit in
            if shouldStop() { throw Interruption() }
            progress(Double(index) / Double(logits.count))
            return try point(at: logit, agreed)
        }
        return ThresholdCurve(points: points, best: points[Self.middleOfBest(points.map(\.variationOfInformation))])
    }

    /// What is as good as the best, in bits.
    private static let tolerance = 0.01

    /// Where the scores are lowest: the middle of the run around the lowest in which none is worse by more than a
    /// tolerance, for where a few objects are apart at any threshold, the ends of that run serve others worse.
    private static func middleOfBest(_ scores: [Double]) -> Int {
        let lowest = scores.indices.min { scores[$0] < scores[$1] } ?? 0
        func isGood(_ index: Int) -> Bool { scores[index] <= scores[lowest] + tolerance }
        let first = scores.indices[...lowest].reversed().prefix(while: isGood).last ?? lowest
        let last = scores.indices[lowest...].prefix(while: isGood).last ?? lowest
        return (first + last) / 2
    }

    private func point(at logit: Double, _ blocks: [AgreedBlock]) throws -> ThresholdCurve.Point {
        var contingency = Contingency()
        for (index, block) in blocks.enumerated() {
            let objects = try making.objects(in: block.logits, threshold: Threshold(logit: logit))
            try contingency.add(
                labels: onGrid(objects.labels).ids(ofBlock: index), truth: block.truth.ids(ofBlock: index),
                threads: making.threads)
        }
        let scores = try SegmentationScores(contingency)
        return ThresholdCurve.Point(
            logit: logit, viSplit: scores.viSplit, viMerge: scores.viMerge,
            adaptedRandError: scores.adaptedRandError)
    }
}

/// A block with the logits that the members come to by a rule, a volume a stored channel.
private struct AgreedBlock {
    let logits: [Volume<Int16>]
    let truth: Volume<UInt32>
}

extension [[Volume<Int16>]] {
    /// The logits that members come to by a rule, channel by channel.
    func consensus(_ rule: AgreementRule, threads: Int) throws -> [Volume<Int16>] {
        try self[0].indices.map { channel in
            try consensusLogits(of: map { $0[channel] }, rule: rule, threads: threads)
        }
    }
}

extension BlockStore {
    /// The channels of a store of logits.
    ///
    /// - Parameter count: the first so many; nil for all.
    func logits(in box: Box, first count: Int? = nil, _ threads: Int) throws -> [Volume<Int16>] {
        try (0..<(count ?? layout.channels ?? 1)).map {
            try read(box, channel: $0, threads: threads).volume(of: Int16.self)
        }
    }
}
