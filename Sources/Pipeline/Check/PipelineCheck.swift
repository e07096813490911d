import Foundation
import Inference
import Networks
import Tensors
import Training
import Volumes

/// A preflight: opens everything that a pipeline file names, each file in a process of its own, and finds all that a
/// run would stumble on.
public struct PipelineCheck {
    let path: String
    let options: RunOptions
    /// Whether the voxels are left unread.
    let headersOnly: Bool

    public init(_ path: String, options: RunOptions, headersOnly: Bool) {
        self.path = path
        self.options = options
        self.headersOnly = headersOnly
    }

    /// - Parameter progress: called with the files read and to read in all, before each.
    /// - Throws: ``Interruption`` where the user asked to stop.
    public func run(
        shouldStop: @escaping @Sendable () -> Bool, progress: @escaping @Sendable (Int, Int) -> Void
    ) throws -> CheckReport {
        var report = CheckReport(pipeline: path, headersOnly: headersOnly)
        var faults: [PipelineFault] = []
        var file: PipelineFile
        do {
            file = try PipelineFile(reading: path, executable: options.executable, faults: &faults)
        } catch let fault as PipelineFault {
            report.add(fault)
            return report
        } catch let fault as FileFault {
            report.add(.error, fault.file, fault.problem)
            return report
        }
        for fault in faults { report.add(fault) }
        for note in file.notes { report.add(.note, path, note) }
        if let model = file.model { report.add(.note, model.title, "holds \(model.description.summary)") }
        file.segment = file.segment.flatMap { timePoints(of: $0, &report) }
        let inspections = try InspectedFiles(
            file, voxels: !headersOnly, executable: options.executable,
            threads: options.threads ?? file.execution.threads ?? Machine.processors, shouldStop: shouldStop,
            progress: progress)
        let volumes = VolumeChecks(
            file: file, inspections: inspections,
            atFault: Set(faults.compactMap(\.section)))
        volumes.check(into: &report)
        if faults.isEmpty {
            let workFolder = options.workFolder.map {
                SourceLocation.absolute($0, relativeTo: FileManager.default.currentDirectoryPath)
            }
            ResourceChecks(
                file: file, inspections: inspections, workFolder: workFolder ?? file.workFolder, options: options
            ).check(into: &report)
        }
        // Errors first; within a kind, in the order they were found.
        let findings = report.findings
        report.findings = [.error, .warning, .note].flatMap { kind in findings.filter { $0.severity == kind } }
        return report
    }

    /// The volumes of an entry, each of which is opened; none where its time points cannot be counted.
    private func timePoints(of entry: VolumeEntry, _ report: inout CheckReport) -> [VolumeEntry] {
        do {
            let points = try entry.timePoints(executable: options.executable)
            if entry.isEveryTime && points.count == 1 {
                report.add(.warning, entry.image.subject, "'time: all', but the file holds a single time point")
            }
            return points
        } catch let fault as FileFault {
            report.add(.error, fault.file, fault.problem)
        } catch {
            report.add(.error, entry.image.subject, "\(error)")
        }
        return []
    }
}

/// Every file of a pipeline with what was found in it, read once however often it is named.
struct InspectedFiles {
    private struct Key: Hashable {
        let source: SourceLocation
        let role: Ingest.Role
    }

    private let inspections: [Key: VolumeInspection]

    init(
        _ file: PipelineFile, voxels: Bool, executable: String?, threads: Int,
        shouldStop: @escaping @Sendable () -> Bool, progress: @escaping @Sendable (Int, Int) -> Void
    ) throws {
        var keys: [Key] = []
        for entry in file.train {
            keys += entry.images.map { Key(source: $0, role: .image) } + [Key(source: entry.labels, role: .labels)]
            keys += entry.mask.map { [Key(source: $0, role: .mask)] } ?? []
        }
        for entry in file.segment {
            keys += entry.images.map { Key(source: $0, role: .image) }
            keys += entry.truth.map { [Key(source: $0, role: .labels)] } ?? []
            keys += entry.measured.map { Key(source: $0, role: .image) }
            keys += entry.exclusion.map { [Key(source: $0, role: .values)] } ?? []
        }
        var seen: Set<Key> = []
        keys = keys.filter { seen.insert($0).inserted }
        let list = keys
        let voxelSize = file.voxelSize
        let found = try parallelMap(list.count, threads: threads) { index in
            if shouldStop() { throw Interruption() }
            progress(index, list.count)
            let ingest = Ingest(source: list[index].source, role: list[index].role, voxelSize: voxelSize)
            return try Self.inspect(ingest, voxels: voxels, executable: executable, shouldStop: shouldStop)
        }
        inspections = Dictionary(zip(list, found), uniquingKeysWith: { first, _ in first })
    }

    static func inspect(
        _ ingest: Ingest, voxels: Bool, executable: String?, shouldStop: @escaping () -> Bool
    ) throws -> VolumeInspection {
        guard let executable else { return try VolumeInspection(of: ingest, voxels: voxels) }
        do {
            let answer = try WorkerOrder.inspect(ingest, voxels: voxels).run(
                by: executable, title: ingest.source.title, shouldStop: shouldStop)
            return try JSONDecoder().decode(VolumeInspection.self, from: answer)
        } catch let fault as FileFault {
            return VolumeInspection(errors: [fault.problem])
        }
    }

    /// The voxel size that the networks work at; nil where no file says it.
    func resolution(_ file: PipelineFile) -> WorkingResolution? {
        file.workingResolution(learningFrom: file.train.lazy.compactMap { image($0.image).voxelSize }.first)
    }

    func image(_ source: SourceLocation) -> VolumeInspection { self[source, .image] }
    func labels(_ source: SourceLocation) -> VolumeInspection { self[source, .labels] }
    func mask(_ source: SourceLocation) -> VolumeInspection { self[source, .mask] }
    func values(_ source: SourceLocation) -> VolumeInspection { self[source, .values] }

    func images(_ entry: VolumeEntry) -> [VolumeInspection] { entry.images.map(image) }
    func truth(_ entry: VolumeEntry) -> VolumeInspection? { entry.truth.map(labels) }

    private subscript(source: SourceLocation, role: Ingest.Role) -> VolumeInspection {
        inspections[Key(source: source, role: role)] ?? VolumeInspection(errors: [])
    }
}

extension VolumeInspection {
    /// Of a file whose reader did not live to say more.
    init(errors: [String]) { self.errors = errors }
}
