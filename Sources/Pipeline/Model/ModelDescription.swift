import Foundation
import Inference
import Labeling
import Networks
import Tensors
import Training
import Volumes

/// All that a model says beside its weights: enough to segment volumes as the pipeline did that trained it, and where
/// it comes from. It names no training file and holds no voxel.
public struct ModelDescription: Codable, Sendable {
    /// How a volume's intensities are brought to what the networks know.
    enum Normalization: String, Codable {
        /// Mean 0 and deviation 1 by the statistics of the volume itself, each channel by its own
        /// (`IntensityNormalization`): nothing of the training volumes is needed.
        case ofEachVolume = "mean 0, deviation 1 of each channel of each volume"
    }

    struct Member: Codable {
        /// Taken by the weights that it ended with.
        var steps: Int
        /// Why it ended early.
        var ending: TrainingCurve.Ending?
        /// On the block of the annotation that this member kept back.
        var validation: ValidationScore?

        init(_ curve: TrainingCurve, of file: PipelineFile) throws {
            steps = curve.kept ?? file.training.steps
            ending = curve.ending
            validation = curve.keptValidation
            // Objects that are made in another way have another error.
            if let labelling = validation?.labelling, try labelling != canonicalJSONText(file.label.making) {
                validation?.adaptedRandError = nil
            }
            validation?.labelling = nil
        }
    }

    /// How the members were trained.
    struct Provenance: Codable {
        var seed: UInt64
        var steps: Int
        /// Voxels along each axis; where tiles must have a size of their own, it follows from this.
        var patch: ZYX<Int>
        var precision: Precision
        /// Every setting by its dotted name, for people.
        var settings: [String: String]
        /// The same as JSON of `TrainingConfiguration`, for going on from the model; nil in a file of an earlier version.
        var configuration: String?
        /// Versions of this program and of libtorch.
        var segment: String
        var libtorch: String
        /// The digest of the model that training went on from.
        var startedFrom: String?
    }

    /// Of the pipeline.
    var name: String
    var network: NetworkConfiguration
    var target: Target
    /// Of the volumes that were learnt from.
    var voxelSize: VoxelSize
    var normalization = Normalization.ofEachVolume
    var members: [Member]
    /// nil in a file of an earlier version: as they are by default.
    var prediction: PredictionSettings?
    var agree: AgreementRule
    var threshold: Threshold
    /// The scores that the threshold was chosen by; nil where the pipeline file gave it.
    var calibration: Calibration?
    var label: LabelSettings
    /// As the pipeline file asked for.
    var precision: ExecutionSettings.Arithmetic
    var training: Provenance
    /// Of the volumes that the pipeline scored, by name.
    var scores: [String: VolumeScores]

    /// How a pipeline without `train` comes to its threshold.
    var thresholdSource: ThresholdSource { calibration.map { .model($0) } ?? .given(threshold) }

    /// For example `5 members, unet in 3D, foreground, voxels of z 40 × y 8 × x 8 nm`.
    public var summary: String {
        "\(members.count) member\(members.count == 1 ? "" : "s"), \(network.architecture) in \(network.dimensions)D, "
            + "\(target.names.joined(separator: " and ")), voxels of \(voxelSize)"
    }

    /// Checks what the types allow and a pipeline does not.
    ///
    /// - Returns: What is wrong, in a few words; nil where nothing is.
    func problem() -> String? {
        do {
            _ = try network.graph()
            guard (1...255).contains(members.count) else { return "it has \(members.count) members" }
            _ = try agree.votesNeeded(of: members.count)
        } catch {
            return "\(error)"
        }
        if !voxelSize.nanometers.array.allSatisfy({ (1e-3...1e9).contains($0) }) {
            return "its voxels measure \(voxelSize)"
        }
        if !training.patch.array.allSatisfy({ (1...1024).contains($0) }) { return "its patch is \(training.patch)" }
        if let overlap = prediction?.overlap, !PredictionSettings.overlaps.contains(overlap) {
            return "its windows overlap by \(overlap)"
        }
        if target.heads.isEmpty || !target.heads.allSatisfy(isUsable) { return "its target is none" }
        let outputs = target.channels(voxelSize: voxelSize, dimensions: network.dimensions).joined().count
        if outputs != network.outputChannels {
            return "its network has \(network.outputChannels) outputs, its target \(outputs)"
        }
        if let calibration, calibration.members.count != members.count {
            return "it has \(members.count) members and \(calibration.members.count) thresholds for them"
        }
        let curves = calibration.map { [$0.consensus] + $0.members } ?? []
        if let logit = ([threshold.logit] + curves.map(\.best.logit)).first(where: { !(-32...32).contains($0) }) {
            return "its threshold is a logit of \(logit)"
        }
        if label.minimumVoxels < 0 { return "its smallest object has \(label.minimumVoxels) voxels" }
        if let regrow = label.regrow {
            let isUsable = (0...1e9).contains(regrow.within ?? 0) && regrow.seeds >= 0
            if !isUsable { return "its components grow by \(regrow.within ?? 0) nm from \(regrow.seeds) voxels" }
            if let votes = regrow.votes, !(1...255).contains(votes) { return "they grow by \(votes) votes" }
            if let above = regrow.above, !(-32...32).contains(above.logit) {
                return "they grow above \(above.logit)"
            }
        }
        if let radius = label.finish?.smoothing, !(0...1e9).contains(radius) {
            return "its objects are smoothed by \(radius) nm"
        }
        if let volume = label.finish?.minimumVolume, !(volume > 0) {
            return "its smallest object has \(volume) µm³"
        }
        if let merge = label.merge {
            guard let above = merge.above else { return "it does not say above which affinity it merges" }
            if !(0...1).contains(above) { return "it merges above \(above)" }
        }
        if !(1...100_000_000).contains(training.steps) { return "it was trained for \(training.steps) steps" }
        return nil
    }

    private func isUsable(_ head: Target.Head) -> Bool {
        guard case .affinities(let distances) = head else { return true }
        return distances.allSatisfy { distance in
            switch distance {
            case .voxels(let count): (1...256).contains(count)
            case .nanometers(let length): (0...1e9).contains(length)
            case .offset(let offset): offset.array.allSatisfy { (-256...256).contains($0) }
            }
        }
    }
}
