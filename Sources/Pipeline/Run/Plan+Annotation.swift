import Training
import Volumes

extension Plan {
    /// Refuses, before anything is trained, annotation that cannot be learnt from.
    ///
    /// - Parameter members: those that are to be trained; at least one.
    /// - Returns: what people should know of the annotation, in a clause each.
    func checkAnnotation(for members: [TrainStep], _ context: StepContext) throws -> [String] {
        let notes = try threshold.step?.check(context) ?? []
        let trainings = try members.map { try $0.trainer(nil, context) }
        try MemberTraining.checkAnnotation(of: trainings)
        return try notesOnImages(context) + notesOnSections(context) + notes + notesOnPatch(context)
            + notesOnReach(of: trainings[0]) + (file.noteOnResolution.map { [$0] } ?? [])
    }

    /// Images in which single values hide all others.
    private func notesOnImages(_ context: StepContext) throws -> [String] {
        try data.parts.flatMap(\.images).compactMap { image in
            try image.source.record(context).statistics.outlier.map { "\(image.subject): \($0)" }
        }
    }

    /// Volumes whose sections without labels may not be what they count as.
    private func notesOnSections(_ context: StepContext) throws -> [String] {
        try zip(data.parts, context.annotation(data).volumes).compactMap { part, volume in
            guard part.unlabelled == .none, part.mask == nil else { return nil }
            // Those of a box of the image.
            return LabelledSections(of: volume.labels.cropped(to: volume.annotatedBox)).doubt.map {
                "\(part.labels.subject): \($0)"
            }
        }
    }

    /// The first volume that a patch does not fit into.
    private func notesOnPatch(_ context: StepContext) throws -> [String] {
        let patch = file.training.patch
        for part in data.parts {
            let shape = try part.image.record(context).shape
            guard zip(patch.array, shape.array).contains(where: { $0 > $1 }) else { continue }
            return [
                "training.patch, \(patch), reaches beyond \(part.image.subject), \(shape): what is outside is padded and "
                    + "does not count"
            ]
        }
        return []
    }

    /// Affinities that reach out of every volume, or of the patch.
    private func notesOnReach(of training: MemberTraining) -> [String] {
        training.channels.compactMap { channel in
            guard let reach = channel.reach?.array else { return nil }
            func holdsPair(_ shape: ZYX<Int>) -> Bool { zip(reach, shape.array).allSatisfy { $0 < $1 } }
            let what = "as large as the \(channel) reaches, and the network learns nothing of it"
            if !training.volumes.contains(where: { holdsPair($0.shape) }) {
                return "no volume to learn from is \(what); name shorter ones in target"
            }
            if !holdsPair(training.training.patch) {
                return "training.patch, \(training.training.patch), is not \(what); name shorter ones in target"
            }
            return nil
        }
    }

    /// Why the results may not be good ones, in a clause each.
    func doubts(_ context: StepContext) throws -> [String] {
        let diverged = try trains.compactMap { train -> String? in
            let curve = try train.curve(context)
            guard curve.ending == .diverged, let kept = curve.kept else { return nil }
            return
                "training of \(train.subject) diverged, and it votes with its weights of step \(grouped(kept)) of "
                + "\(grouped(train.training.steps)); lower training.learning_rate"
        }
        return try diverged + (threshold.calibration(context)?.consensus.doubt.map { [$0] } ?? [])
    }
}
