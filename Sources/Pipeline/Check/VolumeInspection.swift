import Foundation
import Volumes

/// What a file holds and what is wrong with it, found by a process that read it, to its end or its headers alone.
struct VolumeInspection: Codable, Sendable {
    /// In one sentence each.
    var errors: [String] = []
    /// What is wrong with its voxel size.
    var sizeProblem: String?
    /// nil where the file cannot be opened.
    var format: String?
    /// Of a file that may hold several: `/volumes/raw`.
    var dataset: String?
    /// Whether it was taken out of several, and the pipeline file does not say so.
    var isChosen = false
    var shape: ZYX<Int>?
    var elementType: ElementType?
    /// What file and pipeline file say together; nil where that is contradictory, or labels say nothing.
    var voxelSize: VoxelSize?
    /// Of the middle of the first voxel, in nanometres, where the file says it.
    var position: ZYX<Double>?
    /// Where the axes lead, where the file says it.
    var frame: VolumeFrame?
    /// Of a series of sections.
    var sections: SectionNumbers?
    /// What people should know, such as a gap in the numbering of sections.
    var notes: [String] = []
    /// Channels and time points in the file.
    var channels = 1
    var times = 1
    /// nil where the voxels were not read.
    var statistics: VolumeStatistics.Summary?
    /// Of labels whose voxels were read.
    var labels: LabelIDs.Summary?
    /// Around all voxels that are not 0, of labels and masks.
    var filled: Box?

    /// - Parameters:
    ///   - voxels: whether to read them all.
    ///   - report: how far it is, from 0 to 1.
    /// - Throws: what `report` throws as an ``Interruption``.
    init(of ingest: Ingest, voxels: Bool, report: (Double) throws -> Void = { _ in }) throws {
        func problems(_ body: () throws -> Void) throws -> [String] { try Self.problems(of: ingest.source, body) }
        let opening = try problems {
            let reader = try ingest.open()
            describe(reader.info)
            position = ingest.position(reader.info)
            dataset = VolumeFile.split(reader.info.source).dataset
            isChosen = ingest.source.dataset == nil && !reader.info.others.isEmpty
            let type = try problems { try ingest.check(reader.info.elementType) }
            sizeProblem = try problems { voxelSize = try ingest.resolvedVoxelSize(reader.info.voxelSize) }.first
            var content = try problems { try VolumeLimit.check(reader.info.shape, of: ingest.source.title) }
            if voxels && type.isEmpty && content.isEmpty {
                content = try problems { try ingest.source.named { try read(reader, ingest, report) } }
            }
            errors = type + content
        }
        errors += opening
    }

    /// None, or the one that ended `body`.
    private static func problems(of source: SourceLocation, _ body: () throws -> Void) throws -> [String] {
        do {
            try body()
            return []
        } catch let interruption as Interruption {
            throw interruption
        } catch let fault as FileFault {
            return [source.problem(of: fault)]
        } catch {
            return ["\(error)"]
        }
    }

    private mutating func describe(_ info: VolumeInfo) {
        format = info.format
        shape = info.shape
        frame = info.frame
        sections = info.sections
        notes = info.notes
        elementType = info.elementType
        channels = info.channels
        times = info.times
    }

    /// A few whole chunks at a time.
    private mutating func read(
        _ reader: any VolumeReader, _ ingest: Ingest, _ report: (Double) throws -> Void
    ) throws {
        var statistics = VolumeStatistics()
        let info = reader.info
        var ids = LabelIDs(of: info.shape)
        let parts = info.parts
        for (index, part) in parts.enumerated() {
            let voxels = try reader.read(part)
            try ingest.add(voxels, at: part.origin, to: &statistics)
            // Negative ones are an error of their own.
            if [.labels, .mask].contains(ingest.role), let labels = try? voxels.converted(to: UInt64.self) {
                ids.add(labels, at: part.origin)
            }
            try report(Double(index + 1) / Double(parts.count))
        }
        self.statistics = statistics.summary
        if ingest.role == .labels { labels = ids.summary }
        filled = ids.filled
        try ingest.check(statistics)
    }
}

extension VolumeInfo {
    /// Boxes of some 16 million voxels that are read together, of whole rows and of whole chunks where those are not
    /// larger themselves.
    var parts: [Box] {
        func fitting(_ voxels: Int, _ chunk: Int, _ length: Int) -> Int {
            let chunk = max(1, min(chunk, length))
            return min(length, max(chunk, voxels / chunk * chunk))
        }
        let voxels = 1 << 24
        let z = fitting(voxels / max(1, shape.y * shape.x), chunk.z, shape.z)
        return Box(shape).cells(of: ZYX(z, fitting(voxels / max(1, z * shape.x), chunk.y, shape.y), shape.x))
    }
}

/// The ids of labels, and where they are.
struct LabelIDs {
    struct Summary: Codable, Equatable, Sendable {
        /// Ids other than 0; at most `LabelIDs.limit` are counted.
        var count: Int
        var smallest: UInt64
        var largest: UInt64
        var sections: LabelledSections
        /// The ids, ascending, where they are few enough to be classes.
        var ids: [UInt64]
    }

    /// So many are held in some 100 MB.
    static let limit = 2_000_000

    private var ids: Set<UInt64> = []
    private var smallest = UInt64.max
    private var largest: UInt64 = 0
    private var low = ZYX(repeating: Int.max)
    private var high = ZYX<Int>.zero
    private let shape: ZYX<Int>
    /// Those with an id, of each section.
    private var voxels: [Int]

    init(of shape: ZYX<Int>) {
        self.shape = shape
        voxels = Array(repeating: 0, count: shape.z)
    }

    var summary: Summary {
        Summary(
            count: ids.count, smallest: smallest, largest: largest,
            sections: LabelledSections(voxels: voxels, size: shape.y * shape.x),
            ids: ids.count > DataFacts.mostClasses ? [] : ids.sorted())
    }
    var filled: Box? { low.x < high.x ? Box(from: low, to: high) : nil }

    /// Looks at runs of one id, of which labels consist.
    mutating func add(_ labels: Volume<UInt64>, at origin: ZYX<Int>) {
        let shape = labels.shape
        labels.voxels.withUnsafeBufferPointer { voxels in
            var next = 0
            for z in 0..<shape.z {
                var found = 0
                defer { self.voxels[origin.z + z] += found }
                for y in 0..<shape.y {
                    var last: UInt64 = 0
                    for x in 0..<shape.x {
                        let id = voxels[next]
                        next += 1
                        guard id != 0 else {
                            last = 0
                            continue
                        }
                        high.x = max(high.x, origin.x + x + 1)
                        found += 1
                        if id == last { continue }
                        last = id
                        smallest = min(smallest, id)
                        largest = max(largest, id)
                        if ids.count < Self.limit { ids.insert(id) }
                        let place = origin + ZYX(z, y, x)
                        low = low.zip(place, min)
                        high = high.zip(place + ZYX(repeating: 1), max)
                    }
                }
            }
        }
    }
}
