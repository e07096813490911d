import Inference
import Training
import Volumes

/// The annotated volumes of a pipeline, as steps, and how their annotation is shared out.
struct TrainingData: Sendable {
    struct Part: Sendable {
        var image: IngestStep
        var labels: IngestStep
        var mask: IngestStep?
        var zeroIsUnlabelled: Bool
    }

    let parts: [Part]
    let ensemble: EnsembleSettings

    var ingests: [any Step] {
        parts.flatMap { [$0.image, $0.labels] + ($0.mask.map { [$0] } ?? []) }
    }

    /// The parts as inputs of a step; "unlabelled" counts with the labels it is said of.
    var inputs: [Ingredients.Input] {
        parts.enumerated().flatMap { index, part in
            let labels = part.zeroIsUnlabelled ? "labels without 0" : "labels"
            return [part.image.input("image \(index + 1)"), part.labels.input("\(labels) \(index + 1)")]
                + (part.mask.map { [$0.input("mask \(index + 1)")] } ?? [])
        }
    }

    func split(_ volumes: [AnnotatedVolume]) throws -> AnnotationSplit {
        try AnnotationSplit(
            annotations: volumes.map(\.annotatedBox), calibration: ensemble.calibration, members: ensemble.members)
    }

    /// Reads the annotated volumes into memory, in the images' own type.
    ///
    /// - Throws: `FileFault` where image, labels and mask do not fit together or nothing is annotated.
    func load(_ context: StepContext) throws -> [AnnotatedVolume] {
        let volumes = try parts.map { try load($0, context) }
        for (part, volume) in zip(parts, volumes) where !volume.voxelSize.agrees(with: volumes[0].voxelSize) {
            throw FileFault(
                part.image.subject,
                "has voxels of \(volume.voxelSize), but \(parts[0].image.subject) has \(volumes[0].voxelSize); "
                    + "training volumes must have the same voxel size")
        }
        return volumes
    }

    private func load(_ part: Part, _ context: StepContext) throws -> AnnotatedVolume {
        let image = try part.image.record(context)
        for step in [part.labels] + (part.mask.map { [$0] } ?? []) {
            try check(step.record(context), fits: image)
        }
        guard let voxelSize = image.voxelSize else { throw FileFault(image.title, "has no voxel size") }
        let labels = try part.labels.store(context)
        let mask = try part.mask?.store(context)
        let volume = try AnnotatedVolume(
            image: part.image.store(context).read(Box(image.shape)),
            normalization: image.normalization,
            labels: compactLabels(labels.read(Box(image.shape))),
            mask: mask?.read(Box(image.shape)).converted(to: UInt64.self).map { $0 == 0 ? 0 : 1 },
            unlabelledZero: part.zeroIsUnlabelled, voxelSize: voxelSize)
        guard !volume.annotatedBox.isEmpty else {
            throw FileFault(
                part.labels.subject, "no voxel is annotated: labels and mask leave nothing to learn from")
        }
        return volume
    }

    private func check(_ record: IngestedVolume, fits image: IngestedVolume) throws {
        guard record.shape == image.shape else {
            throw FileFault(
                record.title, "has shape \(record.shape), but its image \(image.title) has \(image.shape)")
        }
        if let size = record.voxelSize, let expected = image.voxelSize, !size.agrees(with: expected) {
            throw FileFault(
                record.title,
                "states voxels of \(size), but its image \(image.title) has \(expected); correct one, "
                    + "or give voxel_size with 'replace: true' in the pipeline file")
        }
    }
}

/// Labels of any integer type as 32-bit ones that tell the same voxels apart: 0 stays 0, the others are
/// numbered anew where an id needs more than 32 bits.
func compactLabels(_ labels: VoxelBuffer) throws -> Volume<UInt32> {
    if let small = try? labels.converted(to: UInt32.self) { return small }
    var ids: [UInt64: UInt32] = [0: 0]
    return try labels.converted(to: UInt64.self).map { label in
        if let id = ids[label] { return id }
        let id = UInt32(ids.count)
        ids[label] = id
        return id
    }
}
