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
public struct ThresholdCurve: Codable, Sendable {
    public struct Point: Codable, Sendable {
        public var logit: Double
        /// In bits.
        public var viSplit: Double
        public var viMerge: Double
        public var adaptedRandError: Double
        /// At an overlap of one half; nil in a file of an earlier version.
        public var objectF1: Double?
        /// What merging above is best at this threshold, where that is chosen too; nil for no merging.
        public var mergeAbove: Double?

        public var variationOfInformation: Double { viSplit + viMerge }
        public var threshold: Threshold { Threshold(logit: logit) }

        enum CodingKeys: String, CodingKey {
            case logit
            case objectF1 = "object_f1"
            case viSplit = "vi_split"
            case viMerge = "vi_merge"
            case adaptedRandError = "adapted_rand_error"
            case mergeAbove = "merge_above"
        }
    }

    /// At all thresholds that leave objects: nothing at all may score better, and says nothing.
    public var points: [Point]
    /// The point with the lowest variation of information at which there are objects, in the middle of those that are as
    /// good.
    public var best: Point

    public var threshold: Threshold { best.threshold }
}

/// Tries thresholds from a probability of 0.5 up to 0.9997, and at each, where it is asked for, those of merging.
struct ThresholdSearch {
    let making: ObjectMaking
    let shouldStop: () -> Bool
    /// Brings objects onto the grid of their truth.
    var onGrid: (Volume<UInt32>) -> Volume<UInt32> = { $0 }

    /// Logits 0, 0.25, … 8: the best threshold of dense tissue lies near 0.98, which is 4.
    static let logits = Array(stride(from: 0.0, through: 8, by: 0.25))

    func best(
        for rule: AgreementRule, _ blocks: [CalibrationBlock], progress: (Double) -> Void
    ) throws -> ThresholdCurve {
        let agreed = try blocks.map {
            AgreedBlock(
                members: $0.logits, logits: try $0.logits.consensus(rule, threads: making.threads), truth: $0.truth)
        }
        let trials = try Self.logits.enumerated().map { index, logit in
            if shouldStop() { throw Interruption() }
            progress(Double(index) / Double(Self.logits.count))
            return try trial(at: logit, agreed)
        }
        return ThresholdCurve(points: trials.filter(\.hasObjects).map(\.point), best: trials.best.point)
    }

    /// What came of a threshold.
    fileprivate struct Trial {
        var point: ThresholdCurve.Point
        /// Nothing at all scores well where objects are small and few, and serves nobody.
        let hasObjects: Bool

        var error: Double { hasObjects ? point.variationOfInformation : .infinity }
    }

    private func trial(at logit: Double, _ blocks: [AgreedBlock]) throws -> Trial {
        if making.settings.isCalibrated { return try bestMerging(at: logit, blocks) }
        let threshold = Threshold(logit: logit)
        return try trial(at: logit, blocks) {
            try making.objects(in: blocks[$0].logits, threshold: threshold, votes: votes(blocks[$0], threshold))
                .labels
        }
    }

    /// The best of the thresholds of merging, at one of the votes.
    private func bestMerging(at logit: Double, _ blocks: [AgreedBlock]) throws -> Trial {
        let threshold = Threshold(logit: logit)
        let regions = try blocks.map { try making.regions(in: $0.logits, threshold, votes: votes($0, threshold)) }
        let merges = try zip(regions, blocks).map { regions, block in
            try making.graph(of: regions, block.logits).merges(above: Self.mergeThresholds.last ?? 0)
        }
        var counts: [Int] = []
        var trials: [Trial] = []
        for above in Self.mergeThresholds {
            // Between two scores one threshold is as good as another.
            let wanted = merges.map { $0.prefix { $0.score > above }.count }
            if wanted != counts || trials.isEmpty {
                trials.append(
                    try trial(at: logit, blocks) {
                        regions[$0].merged(
                            Array(merges[$0].prefix(wanted[$0])), minimumVoxels: making.settings.minimumVoxels
                        ).labels
                    })
            } else {
                trials.append(trials[trials.count - 1])
            }
            trials[trials.count - 1].point.mergeAbove = above
            counts = wanted
        }
        return trials.best
    }

    /// The votes for growth of the members of a block, of the channel with most; nil where nothing grows by them, or a
    /// member is tried alone.
    private func votes(_ block: AgreedBlock, _ threshold: Threshold) throws -> Volume<UInt8>? {
        guard let regrow = making.settings.regrow, regrow.votes != nil, block.members.count > 1 else { return nil }
        var most = Volume<UInt8>(shape: block.truth.shape)
        for channel in making.outputs.head.indices {
            most.raise(
                to: try Labeling.votes(
                    of: block.members.map { $0[channel] }, reaching: regrow.voteThreshold ?? threshold,
                    threads: making.threads))
        }
        return most
    }

    /// From 1, above which no affinity is, down.
    private static let mergeThresholds = Array(stride(from: 1.0, through: 0.5, by: -0.02))

    /// - Parameter objects: those of a block, by its place among the blocks.
    private func trial(
        at logit: Double, _ blocks: [AgreedBlock], objects: (Int) throws -> Volume<UInt32>
    ) throws -> Trial {
        var contingency = Contingency()
        for (index, block) in blocks.enumerated() {
            try contingency.add(
                labels: onGrid(objects(index)).ids(ofBlock: index), truth: block.truth.ids(ofBlock: index),
                threads: making.threads)
        }
        let scores = try SegmentationScores(contingency)
        return Trial(
            point: ThresholdCurve.Point(
                logit: logit, viSplit: scores.viSplit, viMerge: scores.viMerge,
                adaptedRandError: scores.adaptedRandError, objectF1: scores.objectF1),
            hasObjects: contingency.hasLabels)
    }
}

extension [ThresholdSearch.Trial] {
    /// What is as good as the best: that in bits, or a tenth more, for a calibration block is small.
    private static let tolerance = 0.01

    /// Where errors are lowest: the middle of the run around the lowest in which none is worse by more than a tolerance,
    /// for where a few objects are apart at any threshold, the ends of that run serve others worse.
    fileprivate var best: ThresholdSearch.Trial {
        let errors = map(\.error)
        let lowest = errors.indices.min { errors[$0] < errors[$1] } ?? 0
        let worst = Swift.max(errors[lowest] + Self.tolerance, 1.1 * errors[lowest])
        func isGood(_ index: Int) -> Bool { errors[index] <= worst }
        let first = errors.indices[...lowest].reversed().prefix(while: isGood).last ?? lowest
        let last = errors.indices[lowest...].prefix(while: isGood).last ?? lowest
        return self[(first + last) / 2]
    }
}

/// A block with the logits that the members come to by a rule, a volume a stored channel.
private struct AgreedBlock {
    let members: [[Volume<Int16>]]
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
