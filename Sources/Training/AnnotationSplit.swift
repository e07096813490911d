import Volumes

/// A box of one of the annotated volumes.
public struct AnnotatedPart: Codable, Hashable, Sendable {
    /// Which of the annotated volumes.
    public let volume: Int
    public let box: Box
}

/// Which part of the annotation no member sees, and which part each member keeps back for its own validation.
///
/// The calibration block is a slab at the far end of the longest axis of the largest annotation; it has the
/// stated fraction of all annotated voxels, but at most half of that annotation. The rest of all annotations,
/// each cut across its own longest axis and laid end to end, is divided into blocks of equally many voxels,
/// one a member (six for a single member); member m keeps block m back. Patches may show a member the image
/// of voxels that are kept from it, as context, but their labels have weight 0.
public struct AnnotationSplit: Codable, Equatable, Sendable {
    /// No member trains on these; empty where the calibration fraction is 0.
    public let calibration: [AnnotatedPart]
    /// Member m validates on `validation[m]` and does not train on it.
    public let validation: [[AnnotatedPart]]

    /// - Parameters:
    ///   - annotations: the annotated box of each volume.
    ///   - calibration: the fraction of the annotation kept for the consensus threshold, from 0 to below 1.
    ///   - members: how many networks there are, at least 1.
    /// - Throws: `AnnotationError` where there is nothing annotated or too little to divide.
    public init(annotations: [Box], calibration fraction: Double, members: Int) throws {
        precondition(members >= 1 && fraction >= 0 && fraction < 1)
        let total = annotations.reduce(0) { $0 + $1.count }
        let largest = annotations.indices.max { annotations[$0].count < annotations[$1].count }
        guard total > 0, let largest else {
            throw AnnotationError("no voxel is annotated; give labels that are not all unlabelled or masked")
        }

        var slabs = annotations.map(Slabs.init)
        var calibration: [AnnotatedPart] = []
        if fraction > 0 {
            let whole = slabs[largest]
            let wanted = (fraction * Double(total) / Double(whole.section)).rounded()
            let length = max(1, min(Int(wanted), whole.length / 2))
            slabs[largest] = whole.part(0..<whole.length - length)
            calibration = [
                AnnotatedPart(volume: largest, box: whole.part(whole.length - length..<whole.length).box)
            ]
        }
        self.calibration = calibration
        validation = try blocks(of: slabs, count: members == 1 ? 6 : members, kept: members)
    }

    /// Splits volumes that are annotated throughout.
    public init(shapes: [ZYX<Int>], calibration: Double, members: Int) throws {
        try self.init(annotations: shapes.map { Box($0) }, calibration: calibration, members: members)
    }

    /// The boxes of `volume` whose labels `member` must not learn from.
    public func heldBack(from member: Int, volume: Int) -> [Box] {
        (calibration + validation[member]).filter { $0.volume == volume }.map(\.box)
    }
}

/// A box seen as sections across its longest axis (of equals, the first in z, y, x).
private struct Slabs {
    let box: Box
    let axis: Int

    init(_ box: Box) {
        self.box = box
        let lengths = box.shape.array
        axis = lengths.firstIndex(of: lengths.max() ?? 0) ?? 0
    }

    private init(box: Box, axis: Int) {
        self.box = box
        self.axis = axis
    }

    var length: Int { box.shape.array[axis] }
    /// Voxels of one section.
    var section: Int { length == 0 ? 0 : box.count / length }

    func part(_ range: Range<Int>) -> Slabs {
        var part = box
        switch axis {
        case 0: (part.origin.z, part.shape.z) = (box.origin.z + range.lowerBound, range.count)
        case 1: (part.origin.y, part.shape.y) = (box.origin.y + range.lowerBound, range.count)
        default: (part.origin.x, part.shape.x) = (box.origin.x + range.lowerBound, range.count)
        }
        return Slabs(box: part, axis: axis)
    }
}

/// The first `kept` of `count` blocks of equally many voxels, to whole sections.
private func blocks(of slabs: [Slabs], count: Int, kept: Int) throws -> [[AnnotatedPart]] {
    let total = slabs.reduce(0) { $0 + $1.box.count }
    return try (0..<kept).map { block in
        let wanted = total * block / count..<total * (block + 1) / count
        var parts: [AnnotatedPart] = []
        var start = 0
        for (volume, slab) in slabs.enumerated() where !slab.box.isEmpty {
            let low = nearestSection(wanted.lowerBound - start, of: slab)
            let high = nearestSection(wanted.upperBound - start, of: slab)
            if low < high { parts.append(AnnotatedPart(volume: volume, box: slab.part(low..<high).box)) }
            start += slab.box.count
        }
        guard !parts.isEmpty, parts.reduce(0, { $0 + $1.box.count }) < total else {
            throw AnnotationError(
                "the annotation (\(slabs.map { "\($0.box.shape)" }.joined(separator: "; ")) beside calibration) "
                    + "is too small to be cut into \(count) validation blocks; use fewer members or annotate more")
        }
        return parts
    }
}

private func nearestSection(_ voxels: Int, of slab: Slabs) -> Int {
    max(0, min(slab.length, (voxels + slab.section / 2) / slab.section))
}
