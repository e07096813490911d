import Foundation
import Inference
import Labeling
import Volumes

/// How a member's logits become the objects that its validation scores.
public struct ValidationLabelling: Sendable {
    /// What makes it different from others.
    let settings: String
    let connectivity: Connectivity
    let objects: @Sendable (_ logits: [Volume<Int16>], _ threshold: Threshold) throws -> Volume<UInt32>

    /// - Parameters:
    ///   - settings: what makes it different from others, for weights that validations decide over.
    ///   - connectivity: what the annotation is cut into objects by.
    ///   - objects: given all the network's outputs in a box.
    public init(
        settings: String, connectivity: Connectivity,
        objects: @escaping @Sendable (_ logits: [Volume<Int16>], _ threshold: Threshold) throws -> Volume<UInt32>
    ) {
        self.settings = settings
        self.connectivity = connectivity
        self.objects = objects
    }

    static func components(of head: [OutputChannel], dimensions: Int, threads: Int) -> ValidationLabelling {
        let connectivity = dimensions == 2 ? Connectivity.sides : .faces
        return ValidationLabelling(settings: "components", connectivity: connectivity) { logits, threshold in
            try ObjectSource(head).components(
                in: Array(logits.prefix(head.count)), threshold: threshold, connectivity: connectivity,
                threads: threads
            ).labels
        }
    }
}

/// The blocks a member validates on, and how its logits there are scored.
struct Validation {
    /// At most this many voxels of a block are predicted.
    private static let voxelLimit = 4_000_000
    /// The logits at which objects are made, for which is the best follows from the tissue: probabilities 0.5 to 0.998.
    private static let thresholds = [0.0, 2, 4, 6]

    private let parts: [AnnotatedPart]
    private let volumes: [PreparedVolume]
    private let heads: [[OutputChannel]]
    private let labelling: ValidationLabelling
    private let threads: Int

    init(
        _ parts: [AnnotatedPart], volumes: [PreparedVolume], heads: [[OutputChannel]],
        labelling: ValidationLabelling,
        threads: Int
    ) {
        self.parts = parts.map { part in
            AnnotatedPart(
                volume: part.volume, box: volumes[part.volume].mostAnnotated(of: part.box, Self.voxelLimit))
        }
        self.volumes = volumes
        self.heads = heads
        self.labelling = labelling
        self.threads = threads
    }

    func score(_ predictor: Predictor, limit: TileLimit) throws -> ValidationScore {
        var sums = heads.map { _ in ScoredVoxels() }
        var contingencies = Self.thresholds.map { _ in Contingency() }
        for (block, part) in parts.enumerated() {
            let volume = volumes[part.volume]
            let annotation = volume.annotation
            let logits = try predictor.logits(
                of: part.box, volume: volume.shape, limit: limit
            ) { box in annotation.channels.map { $0.read(box) } }
            let answers = volume.answers(heads.flatMap { $0 }, in: part.box)
            var channel = 0
            for (head, channels) in heads.enumerated() {
                for _ in channels {
                    sums[head].add(logits[channel], answers[channel])
                    channel += 1
                }
            }
            let truth = try annotation.objects(
                in: part.box, of: heads[0], connectivity: labelling.connectivity, threads: threads)
            for (index, threshold) in Self.thresholds.enumerated() {
                let objects = try labelling.objects(logits, Threshold(logit: threshold))
                try contingencies[index].add(
                    labels: objects.ids(ofBlock: block), truth: truth.ids(ofBlock: block),
                    threads: threads)
            }
        }
        return ValidationScore(
            loss: sums.reduce(0) { $0 + $1.loss } / Double(heads.count), dice: sums[0].dice,
            adaptedRandError: try lowestError(contingencies), labelling: labelling.settings)
    }
}

/// The adapted Rand error at the best of the thresholds that leave objects, for nothing at all scores well where objects
/// are small and few; nil where there is nothing to find.
private func lowestError(_ contingencies: [Contingency]) throws -> Double? {
    let found = contingencies.filter(\.hasLabels)
    return try (found.isEmpty ? contingencies : found).filter(\.hasTruth)
        .map { try SegmentationScores($0).adaptedRandError }.min()
}

extension PreparedVolume {
    /// The middle of a box, of so many voxels at most, or what has more annotation, cut alike.
    fileprivate func mostAnnotated(of box: Box, _ limit: Int) -> Box {
        let middle = box.middle(limit)
        if middle == box || annotation.isAnnotatedThroughout { return middle }
        func annotated(_ part: Box) -> Int { border.codes.cropped(to: part).voxels.count { $0 != 0 } }
        let parts = ([middle] + box.cells(of: middle.shape)).map { (box: $0, annotated: annotated($0)) }
        return parts.max { $0.annotated < $1.annotated }?.box ?? middle
    }
}

/// Sums over the voxels of validation blocks.
private struct ScoredVoxels {
    private var weight = 0.0
    private var entropy = 0.0
    private var softOverlap = 0.0
    private var softTotal = 0.0
    private var overlap = 0
    private var total = 0

    /// Cross-entropy plus Dice, as `TargetLoss` has them.
    var loss: Double { entropy / max(1, weight) + 1 - (2 * softOverlap + 1) / (softTotal + 1) }
    var dice: Double { total > 0 ? Double(2 * overlap) / Double(total) : 1 }

    mutating func add(_ logits: Volume<Int16>, _ answer: ChannelAnswer) {
        for index in answer.target.voxels.indices where answer.weight.voxels[index] != 0 {
            let logit = Double(LogitScale.decode(logits.voxels[index]))
            let truth = answer.target.voxels[index] != 0
            let voxelWeight = Double(answer.weight.voxels[index])
            let probability = LogitScale.probability(logit)
            weight += voxelWeight
            // -log p and -log (1 - p) without loss of digits.
            entropy += voxelWeight * (max(logit, 0) - (truth ? logit : 0) + log1p(exp(-abs(logit))))
            softTotal += probability + (truth ? 1 : 0)
            total += (logit > 0 ? 1 : 0) + (truth ? 1 : 0)
            if truth {
                softOverlap += probability
                if logit > 0 { overlap += 1 }
            }
        }
    }
}

extension AnnotatedVolume {
    /// The annotated objects in `box`, to compare components with; 0 where the annotation does not count.
    ///
    /// An object that `box` cuts in pieces is several there. Where the annotation is not complete its pieces may meet in
    /// what is not annotated, and they keep their label, unless labels are classes or all of one number.
    ///
    /// - Parameter head: what objects are made of.
    /// - Throws: `LabelingFault` where 32 bits cannot number them.
    public func objects(
        in box: Box, of head: [OutputChannel], connectivity: Connectivity, threads: Int = 1
    ) throws -> Volume<UInt32> {
        let labels = countedLabels(in: box)
        let isComplete =
            !(unlabelledZero && labels.voxels.contains(0))
            && mask.map { !$0.cropped(to: box).voxels.contains(0) } ?? true
        if !isComplete, labels.areObjects(of: head, connectivity) { return labels }
        return try labels.pieces(connectivity, threads: threads)
    }

    /// The labels in `box`, 0 where the annotation does not count.
    public func countedLabels(in box: Box) -> Volume<UInt32> {
        var result = labels.cropped(to: box)
        guard let counts = mask?.cropped(to: box) else { return result }
        for index in result.voxels.indices where counts.voxels[index] == 0 { result.voxels[index] = 0 }
        return result
    }
}

extension Volume<UInt32> {
    /// Whether each label is one object, rather than a class, a mask, or an object that single sections hold pieces of.
    ///
    /// - Parameter head: what objects are made of.
    package func areObjects(of head: [OutputChannel], _ connectivity: Connectivity) -> Bool {
        Self.mayBeObjects(of: head, connectivity) && hasSeveralLabels
    }

    /// Whether labels can be objects where there are several.
    package static func mayBeObjects(of head: [OutputChannel], _ connectivity: Connectivity) -> Bool {
        !connectivity.isWithinSections && !head.contains(where: \.isClass)
    }

    /// The connected pieces of each label, in its section where the connectivity is.
    package func pieces(_ connectivity: Connectivity, threads: Int) throws -> Volume<UInt32> {
        try connectedComponents(
            ofLabels: self, connectivity: connectivity.isWithinSections ? .sides : .faces, threads: threads
        ).labels
    }
}

extension OutputChannel {
    fileprivate var isClass: Bool { if case .label = self { true } else { false } }
}

extension Volume<UInt32> {
    /// Whether there are two labels other than 0.
    fileprivate var hasSeveralLabels: Bool {
        guard let first = voxels.first(where: { $0 != 0 }) else { return false }
        return voxels.contains { $0 != 0 && $0 != first }
    }

    /// Ids that no other block has; 0 stays 0.
    package func ids(ofBlock block: Int) -> Volume<UInt64> {
        map { $0 == 0 ? 0 : UInt64($0) | UInt64(block) << 32 }
    }
}
