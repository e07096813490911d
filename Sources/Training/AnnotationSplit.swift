import Volumes

/// A box of one of the annotated volumes.
public struct AnnotatedPart: Codable, Hashable, Sendable {
    /// Which of the annotated volumes.
    public let volume: Int
    public let box: Box
}

/// Which part of the annotation no member sees, and which part each member keeps back for its own validation.
///
/// What no member sees is a slab at the far end of the longest axis (or the one that is asked for) of the largest annotation, up to half of it, then one
/// of the next largest, until there is the stated fraction of all annotated voxels; where these hold less than a
/// quarter of their share of the objects' voxels, slabs with that fraction of those take their place. The rest of all annotations,
/// each cut across that axis and laid end to end, is divided into blocks of equally many voxels: ten, or as many
/// as members where those are more; of annotation too small for so many, as many as it can be cut into. Each
/// member keeps one back, those of all members evenly spread. Patches may show a member the image of voxels that
/// are kept from it, as context, but their labels have weight 0.
public struct AnnotationSplit: Codable, Equatable, Sendable {
    /// No member trains on these; empty where the calibration fraction is 0.
    public let calibration: [AnnotatedPart]
    /// Member m validates on `validation[m]` and does not train on it.
    public let validation: [[AnnotatedPart]]

    /// - Parameters:
    ///   - annotations: the annotated voxels of each volume.
    ///   - calibration: the fraction of the annotation kept for the consensus threshold, from 0 to below 1.
    ///   - members: how many networks there are, at least 1.
    /// - Throws: `AnnotationError` where there is nothing annotated or too little to divide.
    public init(annotations: [AnnotatedSections], calibration fraction: Double, members: Int) throws {
        precondition(members >= 1 && fraction >= 0 && fraction < 1)
        guard annotations.contains(where: { $0.count > 0 }) else {
            throw AnnotationError("no voxel is annotated; give labels that are not all unlabelled or masked")
        }

        var slabs = Slabs(of: annotations, fraction)
        let objects = annotations.map(\.byObjects)
        let all = objects.reduce(0) { $0 + $1.count }
        if Double(slabs.voxels(of: objects)) < fraction / 4 * Double(all) { slabs = Slabs(of: objects, fraction) }
        let rest = zip(annotations, slabs.starts).map { $0.part(0..<$1) }
        calibration = slabs.parts(of: annotations)
        let fewest = max(2, members)
        let counts = (fewest...max(usualBlocks, fewest)).reversed()
        guard let validation = counts.lazy.compactMap({ blocks(of: rest, count: $0, kept: members) }).first else {
            throw AnnotationError(
                "the annotation (\(rest.map { "\($0.box.shape)" }.joined(separator: "; ")) beside calibration) is too "
                    + "small to be cut into \(fewest) validation blocks; use fewer members or annotate more"
            )
        }
        self.validation = validation
    }

    /// Splits boxes that are annotated throughout.
    public init(annotations: [Box], across axis: Int? = nil, calibration: Double, members: Int) throws {
        try self.init(
            annotations: annotations.map { AnnotatedSections($0, across: axis) }, calibration: calibration,
            members: members)
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

/// What is kept for the threshold: of each annotation the sections from one on.
private struct Slabs {
    private(set) var starts: [Int]

    init(of annotations: [AnnotatedSections], _ fraction: Double) {
        starts = annotations.map(\.length)
        let all = fraction * Double(annotations.reduce(0) { $0 + $1.count })
        var wanted = all
        var isFirst = true
        // Of equals the first. What rounding to sections left is enough.
        for volume in annotations.indices.sorted(by: { annotations[$1].count < annotations[$0].count })
        where wanted > 0.05 * all {
            let whole = annotations[volume]
            let half = whole.sections(upTo: (whole.count + 1) / 2)
            // Of a little in one volume there is a section at least.
            let least = isFirst ? 1 : 0
            let cut = max(half, whole.sections(upTo: whole.count - Int(wanted.rounded())))
            let kept = min(whole.length, max(least, whole.length - cut))
            guard kept > 0 else { continue }
            isFirst = false
            starts[volume] -= kept
            wanted -= Double(whole.part(starts[volume]..<whole.length).count)
        }
    }

    /// How many of some voxels it holds.
    func voxels(of annotations: [AnnotatedSections]) -> Int {
        zip(annotations, starts).reduce(0) { $0 + $1.0.part($1.1..<$1.0.length).count }
    }

    func parts(of annotations: [AnnotatedSections]) -> [AnnotatedPart] {
        annotations.indices.sorted { annotations[$1].count < annotations[$0].count }
            .filter { starts[$0] < annotations[$0].length }
            .map { AnnotatedPart(volume: $0, box: annotations[$0].part(starts[$0]..<annotations[$0].length).box) }
    }
}

/// An annotated box as sections across an axis: its longest (of equals, the first in z, y, x) where none is given.
public struct AnnotatedSections: Equatable, Sendable {
    public let box: Box
    /// Annotated voxels of each section.
    private let counts: [Int]
    /// Those of them that are of an object.
    private let objects: [Int]
    private let axis: Int

    /// A box that is annotated throughout, with objects throughout.
    public init(_ box: Box, across axis: Int? = nil) {
        let axis = axis ?? Self.longestAxis(of: box)
        let length = box.shape.array[axis]
        let counts = Array(repeating: length > 0 ? box.count / length : 0, count: length)
        self.init(box: box, axis: axis, counts: counts, objects: counts)
    }

    /// The smallest box around the voxels of a volume that count, how many do, and how many of these are of an object.
    public init(_ volume: AnnotatedVolume, across axis: Int? = nil) {
        let box = volume.annotatedBox
        let axis = axis ?? Self.longestAxis(of: box)
        let counted = volume.counts
        var counts = [Int](repeating: 0, count: box.shape.array[axis])
        var objects = counts
        for z in box.origin.z..<box.end.z {
            for y in box.origin.y..<box.end.y {
                let row = volume.labels.index(z, y, 0)
                let section = axis == 0 ? z - box.origin.z : y - box.origin.y
                for x in box.origin.x..<box.end.x where counted?.voxels[row + x] != 0 {
                    let section = axis == 2 ? x - box.origin.x : section
                    counts[section] += 1
                    if volume.labels.voxels[row + x] != 0 { objects[section] += 1 }
                }
            }
        }
        self.init(box: box, axis: axis, counts: counts, objects: objects)
    }

    private init(box: Box, axis: Int, counts: [Int], objects: [Int]) {
        self.box = box
        self.axis = axis
        self.counts = counts
        self.objects = objects
    }

    /// The same with the voxels of objects alone for annotated ones.
    var byObjects: AnnotatedSections { AnnotatedSections(box: box, axis: axis, counts: objects, objects: objects) }

    private static func longestAxis(of box: Box) -> Int {
        let lengths = box.shape.array
        return lengths.firstIndex(of: lengths.max() ?? 0) ?? 0
    }

    var length: Int { counts.count }
    /// Annotated voxels.
    var count: Int { counts.reduce(0, +) }

    /// The first sections that have nearest to so many annotated voxels.
    func sections(upTo voxels: Int) -> Int {
        var (sections, sum) = (0, 0)
        while sections < length, sum + (counts[sections] + 1) / 2 <= voxels {
            sum += counts[sections]
            sections += 1
        }
        return sections
    }

    func part(_ range: Range<Int>) -> AnnotatedSections {
        var part = box
        switch axis {
        case 0: (part.origin.z, part.shape.z) = (box.origin.z + range.lowerBound, range.count)
        case 1: (part.origin.y, part.shape.y) = (box.origin.y + range.lowerBound, range.count)
        default: (part.origin.x, part.shape.x) = (box.origin.x + range.lowerBound, range.count)
        }
        return AnnotatedSections(
            box: part, axis: axis, counts: Array(counts[range]), objects: Array(objects[range]))
    }
}

private let usualBlocks = 10

/// `kept` of `count` blocks of equally many annotated voxels, to whole sections, evenly spread over all of them; nil
/// where one of them would be empty.
private func blocks(of annotations: [AnnotatedSections], count: Int, kept: Int) -> [[AnnotatedPart]]? {
    let total = annotations.reduce(0) { $0 + $1.count }
    var blocks: [[AnnotatedPart]] = []
    for block in (0..<kept).map({ $0 * count / kept }) {
        let wanted = total * block / count..<total * (block + 1) / count
        var parts: [AnnotatedPart] = []
        var (start, voxels) = (0, 0)
        for (volume, annotation) in annotations.enumerated() where annotation.count > 0 {
            let low = annotation.sections(upTo: wanted.lowerBound - start)
            let high = annotation.sections(upTo: wanted.upperBound - start)
            if low < high {
                let part = annotation.part(low..<high)
                parts.append(AnnotatedPart(volume: volume, box: part.box))
                voxels += part.count
            }
            start += annotation.count
        }
        guard voxels > 0, voxels < total else { return nil }
        blocks.append(parts)
    }
    return blocks
}
