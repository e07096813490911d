import Labeling

/// Where the threshold of the votes comes from.
enum ThresholdSource: Sendable {
    case given(Threshold)
    case calibrated(CalibrateStep)
    /// Calibrated by the pipeline that trained a model.
    case model(Calibration)

    /// The step that chooses it in this run, if one does.
    var step: CalibrateStep? {
        if case .calibrated(let step) = self { step } else { nil }
    }

    /// The scores by threshold; nil for one that was given.
    func calibration(_ context: StepContext) throws -> Calibration? {
        switch self {
        case .given: nil
        case .calibrated(let step): try step.calibration(context)
        case .model(let calibration): calibration
        }
    }

    /// That of the consensus, or of a member alone.
    func threshold(ofMember member: Int? = nil, _ context: StepContext) throws -> Threshold {
        switch self {
        case .given(let threshold): threshold
        case .calibrated(let step): try step.calibration(context).curve(ofMember: member).threshold
        case .model(let calibration): calibration.curve(ofMember: member).threshold
        }
    }

    /// How the consensus, or a member alone, is labelled: with what was chosen beside the threshold.
    func label(
        _ settings: LabelSettings, ofMember member: Int? = nil, _ context: StepContext
    ) throws -> LabelSettings {
        guard settings.isCalibrated else { return settings }
        return settings.merging(above: try calibration(context)?.curve(ofMember: member).best.mergeAbove)
    }

    /// As a parameter: `auto` where a step among the inputs chooses it.
    var parameter: String {
        switch self {
        case .given(let threshold): threshold.description
        case .calibrated: "auto"
        case .model(let calibration): calibration.consensus.threshold.description
        }
    }
}
