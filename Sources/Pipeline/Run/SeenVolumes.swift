import Volumes

/// Volumes as the networks see them: as their files have them, or resampled to the resolution that the networks work at.
struct SeenVolumes {
    /// nil where it is not known, since the first image to learn from cannot be read.
    let resolution: WorkingResolution?
    /// What is known of a file without reading its voxels.
    let extent: (IngestStep) -> LabelPlacement.Extent?
    /// Each once.
    private(set) var steps: [ResampleStep] = []
    /// What is resampled, a file once.
    private(set) var notes: [PlanNote] = []

    init(resolution: WorkingResolution?, extent: @escaping (IngestStep) -> LabelPlacement.Extent?) {
        self.resolution = resolution
        self.extent = extent
    }

    /// The channels of an image.
    ///
    /// - Throws: `FileFault` where its voxels are too far from the resolution.
    mutating func images(_ images: [IngestStep]) throws -> [any VolumeStep] {
        guard let size = try target(of: images[0]) else { return images }
        return try images.map { step(try ResampleStep($0, like: images[0], nil, to: size)) }
    }

    /// An annotated image, with its labels and its mask.
    ///
    /// - Throws: as for images.
    mutating func part(_ part: TrainingData.Part) throws -> TrainingData.Part {
        let image = part.image.source
        guard let size = try target(of: image) else { return part }
        let annotation = ResampleStep.Annotation(labels: part.labels.source, place: part.place)
        var seen = part
        seen.images = try images(part.images.map(\.source))
        seen.labels = step(try ResampleStep(part.labels.source, like: image, annotation, to: size))
        seen.mask = try part.mask.map { step(try ResampleStep($0.source, like: image, annotation, to: size)) }
        return seen
    }

    /// The shape of a volume's file, and as the networks see it.
    func shapes(of volume: LabelPlacement.Extent) -> (own: ZYX<Int>, seen: ZYX<Int>) {
        (volume.shape, resolution?.box(Box(volume.shape), of: volume.voxelSize).shape ?? volume.shape)
    }

    /// nil where the volume is used as it is.
    private mutating func target(of image: IngestStep) throws -> VoxelSize? {
        guard let resolution, let extent = extent(image), let resampling = try resolution.resampling(of: extent)
        else { return nil }
        let note = PlanNote(subject: image.subject, text: resampling.note)
        if !notes.contains(note) { notes.append(note) }
        return resampling.size
    }

    private mutating func step(_ step: ResampleStep) -> ResampleStep {
        if let known = steps.first(where: { $0.key == step.key }) { return known }
        steps.append(step)
        return step
    }
}

/// What people should know of a volume before it is computed.
public struct PlanNote: Equatable, Sendable {
    public var subject: String
    public var text: String
}
