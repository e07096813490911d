import Foundation
import Inference
import Labeling
import Volumes

/// The blocks a member validates on, and how its logits there are scored.
struct Validation {
    /// At most this many voxels of a block are predicted, from its middle.
    private static let voxelLimit = 4_000_000

    private let parts: [AnnotatedPart]
    private let volumes: [PreparedVolume]
    private let threads: Int

    init(_ parts: [AnnotatedPart], volumes: [PreparedVolume], threads: Int) {
        self.parts = parts.map { AnnotatedPart(volume: $0.volume, box: $0.box.middle(Self.voxelLimit)) }
        self.volumes = volumes
        self.threads = threads
    }

    func score(_ predictor: Predictor, maximumTileVoxels: Int) throws -> ValidationScore {
        var voxels = ScoredVoxels()
        var contingency = Contingency()
        var idsBefore = (labels: UInt32(0), truth: UInt32(0))
        for part in parts {
            let volume = volumes[part.volume]
            let annotation = volume.annotation
            let logits = try predictor.logits(
                of: part.box, volume: volume.shape, maximumTileVoxels: maximumTileVoxels
            ) { box in annotation.channels.map { $0.read(box) } }
            voxels.add(logits, volume, part.box)

            let inside = logits.map { $0 > 0 ? UInt8(1) : 0 }
            var labels = try connectedComponents(of: inside, connectivity: .faces, threads: threads)
            var truth = try connectedComponents(
                ofLabels: annotation.countedLabels(in: part.box), connectivity: .faces, threads: threads)
            // Objects of different parts must not share ids.
            labels.labels.shiftObjects(by: idsBefore.labels)
            truth.labels.shiftObjects(by: idsBefore.truth)
            idsBefore.labels += UInt32(labels.count)
            idsBefore.truth += UInt32(truth.count)
            try contingency.add(labels: labels.labels, truth: truth.labels)
        }
        let scores = idsBefore.truth > 0 ? try SegmentationScores(contingency) : nil
        return ValidationScore(loss: voxels.loss, dice: voxels.dice, adaptedRandError: scores?.adaptedRandError)
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

    /// The same numbers as `ForegroundLoss`.
    var loss: Double { entropy / max(1, weight) + 1 - (2 * softOverlap + 1) / (softTotal + 1) }
    var dice: Double { total > 0 ? Double(2 * overlap) / Double(total) : 1 }

    mutating func add(_ logits: Volume<Int16>, _ volume: PreparedVolume, _ box: Box) {
        let target = volume.target.cropped(to: box).voxels
        let codes = volume.border.codes.cropped(to: box).voxels
        for index in target.indices where codes[index] != 0 {
            let logit = Double(LogitScale.decode(logits.voxels[index]))
            let truth = target[index] != 0
            let probability = LogitScale.probability(logit)
            let voxelWeight = Double(volume.border.levels[Int(codes[index])])
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
    /// The labels in `box`, 0 where the annotation does not count.
    public func countedLabels(in box: Box) -> Volume<UInt32> {
        var result = labels.cropped(to: box)
        guard let counts = mask?.cropped(to: box) else { return result }
        for index in result.voxels.indices where counts.voxels[index] == 0 { result.voxels[index] = 0 }
        return result
    }
}

extension Volume where Element == UInt32 {
    fileprivate mutating func shiftObjects(by offset: UInt32) {
        if offset == 0 { return }
        for index in voxels.indices where voxels[index] != 0 { voxels[index] += offset }
    }
}

extension Box {
    /// The middle of the box along its longest axes, with at most about `limit` voxels.
    fileprivate func middle(_ limit: Int) -> Box {
        var box = self
        while box.count > limit {
            let axis = [\ZYX<Int>.z, \.y, \.x].max { box.shape[keyPath: $0] < box.shape[keyPath: $1] } ?? \.x
            let length = box.shape[keyPath: axis]
            let kept = max(length / 2, min(length, length * limit / box.count))
            box.origin[keyPath: axis] += (length - kept) / 2
            box.shape[keyPath: axis] = kept
        }
        return box
    }
}
