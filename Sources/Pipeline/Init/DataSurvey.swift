import Foundation
import Inference
import Volumes

/// Looks through an annotated volume, some sections at a time.
struct DataSurvey {
    private let files: AnnotatedFiles
    private let opened: AnnotatedFiles.Opened

    private var count: ObjectCount
    private var contrast: Contrast
    /// Sections with labels, one after the other, up to the last that was seen.
    private var run = 0
    private var thickness = 0
    private var labelledSections = 0
    /// Voxels of sections with labels, where the annotation counts.
    private var counted = 0
    private var zeros = 0
    private var imageDoubt: String?

    /// Bytes of labels that are in memory at a time.
    private static let slabBytes = 64 << 20

    /// Reads them to the end.
    ///
    /// - Parameter report: how far it is, from 0 to 1; it may throw to end the work.
    /// - Throws: `FileFault` where a file is damaged, does not suit its role, or holds nothing to learn from.
    static func facts(of files: AnnotatedFiles, report: (Double) throws -> Void) throws -> DataFacts {
        let opened = try files.open()
        for part in [opened.image, opened.labels] {
            try VolumeLimit.check(part.reader.info.shape, of: part.source.title)
        }
        var survey = DataSurvey(files, opened)
        try survey.read(report)
        return try survey.facts()
    }

    private init(_ files: AnnotatedFiles, _ opened: AnnotatedFiles.Opened) {
        self.files = files
        self.opened = opened
        count = ObjectCount(width: opened.box.shape.x)
        contrast = Contrast(countsZeros: files.mask == nil && files.unlabelled != .zero)
    }

    private mutating func read(_ report: (Double) throws -> Void) throws {
        var statistics = (image: VolumeStatistics(), labels: VolumeStatistics())
        let chunk = opened.labels.reader.info.chunk.z
        let slabs = Box(opened.box.shape).slabs(thickness: max(1, chunk), size: 8, atMost: Self.slabBytes)
        var lastImage: ArraySlice<Float> = []
        for (index, slab) in slabs.enumerated() {
            let place = Box(origin: slab.origin + opened.box.origin, shape: slab.shape)
            let labels = try read(slab, opened.labels, &statistics.labels).voxels
            let image = IntensityNormalization(mean: 0, deviation: 1)
                .apply(try read(place, opened.image, &statistics.image)).voxels
            let mask = try opened.mask.map { try $0.read(opened.boxOfMask(place)).voxels }
            let section = slab.shape.y * slab.shape.x
            for start in stride(from: 0, to: labels.count, by: section) {
                let range = start..<start + section
                let seen = look(at: labels[range], mask: mask?[range])
                if let before = count.add(seen) { contrast.add(before, lastImage) }
                lastImage = image[range]
            }
            try report(Double(index + 1) / Double(slabs.count))
        }
        if let last = count.finish() { contrast.add(last, lastImage) }
        if let constancy = statistics.image.summary.constancy {
            throw FileFault(files.image.subject, "\(constancy): there is nothing to learn from")
        }
        imageDoubt = statistics.image.summary.outlier
        try opened.labels.ingest().check(statistics.labels)
    }

    private func read(_ box: Box, _ part: AnnotatedFiles.Part, _ statistics: inout VolumeStatistics) throws
        -> VoxelBuffer
    {
        try part.source.named {
            let voxels = try part.reader.read(box)
            try part.ingest().add(voxels, at: box.origin, to: &statistics)
            return voxels
        }
    }

    private func read(
        _ box: Box, _ part: AnnotatedFiles.Part, _ statistics: inout VolumeStatistics
    ) throws -> Volume<UInt64> {
        let voxels: VoxelBuffer = try read(box, part, &statistics)
        // Negative ones are refused as such.
        if statistics.summary.minimum < 0 { try part.ingest().check(statistics) }
        return try voxels.converted(to: UInt64.self)
    }

    /// The labels of a section where the annotation counts, and 0 elsewhere.
    private mutating func look(at labels: ArraySlice<UInt64>, mask: ArraySlice<UInt64>?) -> [UInt64] {
        let seen = mask.map { zip(labels, $0).map { $1 == 0 ? 0 : $0 } } ?? Array(labels)
        let hidden = mask.map { $0.count { $0 == 0 } } ?? 0
        let empty = seen.count { $0 == 0 }
        guard empty < seen.count else {
            run = 0
            return seen
        }
        labelledSections += 1
        run += 1
        thickness = max(thickness, run)
        counted += seen.count - hidden
        zeros += empty - hidden
        return seen
    }

    private func facts() throws -> DataFacts {
        let voxels = count.voxels
        guard !voxels.isEmpty else {
            throw FileFault(
                files.mask?.subject ?? files.labels.subject, "leaves no labelled voxel to learn from")
        }
        var facts = DataFacts(
            shape: opened.shape, labelledShape: opened.box.shape, voxelSize: opened.voxelSize,
            objects: voxels.count, ids: voxels.count > DataFacts.mostClasses ? [] : voxels.keys.sorted(),
            pieces: count.pieces.count, medianVoxels: 0, zeros: Double(zeros) / Double(max(1, counted)),
            touching: Double(count.touching) / Double(voxels.values.reduce(0, +)), contrast: contrast.value,
            labelledSections: labelledSections, thickness: thickness, hasMask: files.mask != nil,
            zeroIsUnlabelled: files.unlabelled == .zero, isSizeContradicted: opened.isContradicted)
        facts.imageDoubt = imageDoubt
        let areObjects = facts.kind == .dense || facts.kind == .blobs
        let sizes = areObjects ? voxels.values.filter { $0 >= DataFacts.smallestPiece } : count.pieces
        facts.medianVoxels = sizes.isEmpty ? voxels.values.max() ?? 0 : sizes.sorted()[sizes.count / 2]
        return facts
    }
}

/// Intensities within objects, and where there is none or two touch.
private struct Contrast {
    /// Whether 0 is what is between objects.
    let countsZeros: Bool
    private var inside = (count: 0.0, sum: 0.0)
    private var between = (count: 0.0, sum: 0.0)
    private var squares = 0.0

    init(countsZeros: Bool) { self.countsZeros = countsZeros }

    mutating func add(_ section: ObjectCount.Section, _ image: ArraySlice<Float>) {
        for (index, value) in image.enumerated() {
            let isObject = section.labels[index] != 0
            guard isObject || countsZeros else { continue }
            let value = Double(value)
            squares += value * value
            if isObject && !section.touches[index] {
                inside = (inside.count + 1, inside.sum + value)
            } else {
                between = (between.count + 1, between.sum + value)
            }
        }
    }

    /// The difference of the means in standard deviations; positive where objects are the brighter.
    var value: Double {
        guard inside.count > 0, between.count > 0 else { return 0 }
        let count = inside.count + between.count
        let mean = (inside.sum + between.sum) / count
        let deviation = max(0, squares / count - mean * mean).squareRoot()
        return deviation > 0 ? (inside.sum / inside.count - between.sum / between.count) / deviation : 0
    }
}

extension AnnotatedFiles.Part {
    /// The values of a mask.
    fileprivate func read(_ box: Box) throws -> Volume<UInt64> {
        try source.named { try reader.read(box).converted(to: Double.self).map { $0 == 0 ? 0 : 1 as UInt64 } }
    }
}
