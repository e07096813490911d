import Foundation
import Volumes

extension DataFacts {
    /// `z 125 × y 250 × x 250 voxels of z 10 × y 10 × x 10 nm`.
    var sizeInWords: String {
        let box = labelledShape == shape ? "" : ", of which labels cover \(labelledShape)"
        return "\(shape) voxels of \(voxelSize)\(box)"
    }

    /// How many objects, how large, how close.
    private var objectsInWords: String {
        let count: String
        switch kind {
        case .dense, .blobs: count = "\(grouped(objects)) objects"
        case .mask: count = "one number in \(grouped(pieces)) separate pieces"
        case .classes: count = "\(objects) numbers in \(grouped(pieces)) separate pieces"
        }
        return "\(count), the median \(metres(diameter)) across (\(grouped(medianVoxels)) voxels); "
            + "\(percent(zeros))\(labelledSections < labelledShape.z ? " of sections with labels" : "") are 0, "
            + "\(percent(touching)) of the objects' voxels touch another object"
    }

    /// What the labels were taken for.
    var kindInWords: String {
        switch kind {
        case .dense: "objects that fill the volume"
        case .blobs: touching > 0.01 ? "objects with room between them, some of which touch" : "separate objects"
        case .mask: "a mask"
        case .classes: "classes"
        }
    }

    /// What may be a mistake, in a sentence each.
    var warnings: [String] {
        var warnings = shape.z > 1 ? voxelSize.doubt.map { [$0] } ?? [] : []
        if isSizeContradicted {
            warnings.append("a file says another voxel size than --voxel-size, and is not believed")
        }
        if let imageDoubt { warnings.append("the image: \(imageDoubt)") }
        if zeroIsUnlabelled, zeros > 0.3, touching < 0.05 {
            warnings.append(
                "0 is said to mean not annotated, so that nothing of what is outside of objects is learnt; where it is "
                    + "outside, leave --unlabelled out, or say by --mask what is annotated")
        }
        return warnings
    }

    /// All that is known of what the labels say.
    var contentInWords: [String] { [objectsInWords] + [contrastInWords, sectionsInWords].compactMap { $0 } }

    /// Whether the image shows what the labels say; nil where there is nothing to compare objects with.
    private var contrastInWords: String? {
        guard contrast != 0 else { return nil }
        let place = kind == .dense && zeros < 0.01 ? "where they touch" : "around them"
        let side = contrast > 0 ? "brighter" : "darker"
        let distance = String(format: "%.2f", abs(contrast))
        return "objects are \(distance) standard deviations \(side) than the image \(place)"
    }

    /// Sections, where not all have labels.
    private var sectionsInWords: String? {
        guard labelledSections < labelledShape.z else { return nil }
        return "\(labelledSections) of \(labelledShape.z) sections have labels"
            + (isAnnotatedInSections ? ", one by one" : "")
            + (isAnnotatedInPart && !hasMask ? "; the others are taken for not annotated" : "")
    }
}

/// A length of at most three digits that count: `240 nm`, `9.4 µm`.
func metres(_ nanometers: Double) -> String {
    nanometers < 1_000
        ? String(format: "%.3g nm", nanometers) : String(format: "%.3g µm", nanometers / 1_000)
}

func percent(_ share: Double) -> String {
    share > 0 && share < 0.01 ? "less than 1 %" : "\(Int((share * 100).rounded())) %"
}
