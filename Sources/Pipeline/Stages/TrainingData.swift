import Inference
import Training
import Volumes

/// The annotated volumes of a pipeline in memory, and what of them each member learns from.
struct Annotation {
    let volumes: [AnnotatedVolume]
    let split: AnnotationSplit
}

/// The annotated volumes of a pipeline, as steps, and how their annotation is shared out.
struct TrainingData: Sendable {
    struct Part: Sendable {
        /// One an input of the network.
        var images: [any VolumeStep]
        var labels: any VolumeStep
        var mask: (any VolumeStep)?
        var unlabelled: Unlabelled
        /// Where the pipeline file puts the labels in the image.
        var place: ZYX<Int>?

        /// The first input, by which people know the volume.
        var image: any VolumeStep { images[0] }
        var volumes: [any VolumeStep] { images + [labels] + (mask.map { [$0] } ?? []) }

        /// With what of them counts.
        fileprivate var labelRole: String {
            switch unlabelled {
            case .none: "labels"
            case .zero: "labels without 0"
            case .sections: "labels of sections that have some"
            }
        }
    }

    let parts: [Part]
    let ensemble: EnsembleSettings
    /// How far around labels of a box the image is read, so that patches at their edge see what is there.
    let context: ZYX<Int>
    /// The voxel size that the pipeline file gives them all; nil for their own.
    let resolution: VoxelSize?

    /// The volumes as the networks see them.
    var volumes: [any Step] { parts.flatMap(\.volumes) }
    /// The files that they come from.
    var ingests: [any Step] { parts.flatMap(\.volumes).map(\.source) }

    /// The parts as inputs of a step; "unlabelled" counts with the labels it is said of.
    var inputs: [Ingredients.Input] {
        parts.enumerated().flatMap { index, part in
            let labels = part.labelRole + (part.place.map { " at \($0)" } ?? "")
            return part.images.inputs("image \(index + 1)") + [part.labels.input("\(labels) \(index + 1)")]
                + (part.mask.map { [$0.input("mask \(index + 1)")] } ?? [])
        }
    }

    /// The voxel size that the networks work at.
    func voxelSize(_ context: StepContext) throws -> VoxelSize {
        try resolution ?? voxelSize(of: parts[0].image.record(context))
    }

    private func voxelSize(of image: IngestedVolume) throws -> VoxelSize {
        guard let size = resolution ?? image.voxelSize else { throw FileFault(image.title, "has no voxel size") }
        return size
    }

    /// Reads the annotated volumes into memory, in the images' own type.
    ///
    /// - Throws: `FileFault` where image, labels and mask do not fit together or nothing is annotated;
    ///   `AnnotationError` where the annotation is too little to be shared out.
    func load(_ context: StepContext) throws -> Annotation {
        let volumes = try parts.map { try load($0, context) }
        for (part, volume) in zip(parts, volumes) {
            let (first, size) = (parts[0].image.subject, volumes[0].voxelSize)
            if let problem = VoxelSizeRule.problem(volume.voxelSize, like: size, of: first) {
                throw FileFault(part.image.subject, problem + VoxelSizeRule.resolutionAdvice)
            }
        }
        let split = try AnnotationSplit(
            annotations: volumes.map { AnnotatedSections($0, across: ensemble.across) },
            calibration: ensemble.calibration, members: ensemble.members)
        return Annotation(volumes: volumes, split: split)
    }

    /// The box of the image that a volume to learn from is: all of it, or that of its labels with their surroundings.
    func region(of part: Part, _ context: StepContext) throws -> Box {
        let image = try part.image.record(context)
        let box = try labelled(part, image, context)
        return box == Box(image.shape) ? box : box.grown(by: self.context).intersection(Box(image.shape))
    }

    private func labelled(_ part: Part, _ image: IngestedVolume, _ context: StepContext) throws -> Box {
        try part.labels.record(context).box(in: image, at: part.place)
    }

    private func load(_ part: Part, _ context: StepContext) throws -> AnnotatedVolume {
        let image = try part.image.record(context)
        for step in part.images.dropFirst() { try step.record(context).check(fits: image) }
        let (box, region) = (try labelled(part, image, context), try region(of: part, context))
        let store = try part.labels.store(context)
        let labels = try compactLabels(store.read(Box(store.layout.shape)))
        let volume = try AnnotatedVolume(
            channels: part.images.map {
                ImageChannel(try $0.store(context).read(region), try $0.record(context).normalization)
            },
            labels: labels.placed(box, in: region),
            mask: try mask(of: part, labels, box, region, context),
            unlabelledZero: part.unlabelled == .zero, voxelSize: voxelSize(of: image))
        guard !volume.annotatedBox.isEmpty else {
            throw FileFault(
                part.labels.subject, "no voxel is annotated: labels and mask leave nothing to learn from")
        }
        return volume
    }
}

extension TrainingData {
    /// Where the annotation counts: within the box that has labels, and where the mask, of the labels' or the image's own
    /// extent, is not 0. nil for everywhere.
    private func mask(
        of part: Part, _ labels: Volume<UInt32>, _ box: Box, _ region: Box, _ context: StepContext
    ) throws -> Volume<UInt8>? {
        var mask = box == region ? nil : Volume<UInt8>(shape: box.shape, repeating: 1)
        if let step = part.mask {
            let place = try step.record(context).box(asLabelsIn: box, of: part.image.record(context))
            mask = try step.store(context).read(box.relative(to: place.origin)).converted(to: UInt64.self)
                .map { $0 == 0 ? 0 : 1 as UInt8 }
        }
        if part.unlabelled == .sections { mask = labels.sectionMask(within: mask) }
        return mask?.placed(box, in: region)
    }
}

extension Volume<UInt32> {
    /// 1 in sections that hold a label, and 0 in others.
    ///
    /// - Parameter mask: of the same shape, outside of which it is 0 too; nil for everywhere.
    func sectionMask(within mask: Volume<UInt8>? = nil) -> Volume<UInt8> {
        var result = mask ?? Volume<UInt8>(shape: shape, repeating: 1)
        let size = shape.y * shape.x
        for z in 0..<shape.z where voxels[z * size..<(z + 1) * size].allSatisfy({ $0 == 0 }) {
            for voxel in z * size..<(z + 1) * size { result.voxels[voxel] = 0 }
        }
        return result
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
