import Foundation
import Tensors
import Training
import Volumes

#if canImport(Glibc)
    import Glibc
#endif

/// Writes a first pipeline file for an annotated volume: looks at the data, plans, measures training steps, and
/// checks what it writes.
public struct PipelineInit: Sendable {
    /// Paths as they were given, from the current folder.
    public var image: String
    public var labels: String
    public var mask: String?
    public var output: String
    /// nil for volumes like the image.
    public var segment: String?
    /// Of `segment`.
    public var truth: String?
    /// Of all files, whatever they say.
    public var voxelSize: VoxelSize?
    /// Whether 0 in the labels means "not annotated".
    public var zeroIsUnlabelled = false
    /// That training a member may take.
    public var minutes = 24.0
    /// Of the network; nil for what suits the volume.
    public var dimensions: Int?
    public var device = Device.Choice.auto
    /// Bytes that training may take; nil for what is free.
    public var memory: Int?
    public var replaces = false
    /// This program, which reads files and trains in processes of its own.
    public var executable: String

    public init(image: String, labels: String, output: String, executable: String) {
        self.image = image
        self.labels = labels
        self.output = output
        self.executable = executable
    }

    /// What is under way.
    public enum Stage: String, Sendable {
        case reading, measuring
    }

    /// What was found and chosen, in lines.
    public struct Report: Sendable {
        public var found: [String]
        public var chosen: [String]
    }

    /// - Parameter progress: told of each stage how far it is, from 0 to 1.
    /// - Throws: `FileFault` in one line, with nothing written; ``Interruption`` where the user asked to stop.
    public func run(
        shouldStop: @escaping @Sendable () -> Bool, progress: @escaping @Sendable (Stage, Double) -> Void
    ) throws -> Report {
        try checkPlace()
        let files = try files()
        try checkSegment()
        var precision = ChosenPrecision(workFolder: nil)
        let execution = try Execution(ExecutionSettings(), RunOptions(device: device), &precision)
        let answer = try WorkerOrder.survey(files).run(
            by: executable, title: image, shouldStop: shouldStop, report: { progress(.reading, $0) })
        let facts = try JSONDecoder().decode(DataFacts.self, from: answer)
        try check(facts)
        let (plan, measured) = try measuredPlan(facts, files, execution, shouldStop) { progress(.measuring, $0) }
        let segment = try write(plan, files, measured)
        return report(plan, measured, segment)
    }

    // MARK: What was asked

    private var folder: String { FileManager.default.currentDirectoryPath }
    private var outputPath: String { SourceLocation.absolute(output, relativeTo: folder) }
    private var outputFolder: String { (outputPath as NSString).deletingLastPathComponent }

    private func checkPlace() throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: outputPath, isDirectory: &isFolder) else { return }
        if isFolder.boolValue { throw FileFault(output, "is a folder; expected the name of a file") }
        if !replaces { throw FileFault(output, "is there already; give --overwrite to replace it") }
    }

    private func files() throws -> AnnotatedFiles {
        func source(_ path: String) throws -> SourceLocation {
            let source = SourceLocation(path, relativeTo: folder)
            try source.checkIsThere()
            return source
        }
        return AnnotatedFiles(
            image: try source(image), labels: try source(labels), mask: try mask.map(source),
            unlabelled: zeroIsUnlabelled ? .zero : .none, voxelSize: voxelSize)
    }

    private func checkSegment() throws {
        for path in [segment, truth].compactMap({ $0 }) {
            try SourceLocation(path, relativeTo: folder).checkIsThere()
            if PathPattern.isPattern(path), PathPattern(path, relativeTo: folder).matches.isEmpty {
                throw FileFault(path, "no file matches")
            }
        }
    }

    private func check(_ facts: DataFacts) throws {
        // Of intensities, hardly a voxel has its neighbours' value.
        if facts.touching > 0.9 {
            throw FileFault(
                labels,
                "\(percent(facts.touching)) of its voxels lie beside one of another label: are these intensities? "
                    + "The image comes first, its labels second")
        }
    }

    // MARK: Measured

    /// The plan with the largest patches whose training fits into memory and leaves time for useful steps, with as many
    /// steps as there is time for.
    private func measuredPlan(
        _ facts: DataFacts, _ files: AnnotatedFiles, _ execution: Execution, _ shouldStop: @escaping () -> Bool,
        _ report: @escaping (Double) -> Void
    ) throws -> (InitPlan, PipelineText.Measured) {
        let memory = memory ?? Int(Double(execution.device.freeMemory ?? Machine.availableMemory) * 0.9)
        let largest = InitPlan.usualPatchVoxels(on: execution.device)
        var patchVoxels = largest
        var tried: ZYX<Int>?
        var found: (InitPlan, PipelineText.Measured)?
        while patchVoxels >= Self.smallestPatchVoxels {
            var plan = try InitPlan(
                facts, device: execution.device, dimensions: dimensions, patchVoxels: patchVoxels)
            defer { patchVoxels /= 2 }
            // A short axis may leave a patch as it was.
            if plan.training.patch == tried { continue }
            tried = plan.training.patch
            let answer = try measure(plan, files, execution, memory, shouldStop, report)
            guard let seconds = answer.secondsPerStep else { continue }
            plan.training.steps = steps(secondsPerStep: seconds)
            let measured = PipelineText.Measured(
                secondsPerStep: seconds, peakMemory: answer.peakMemory, memory: memory,
                larger: found != nil ? .fewerSteps : patchVoxels < largest ? .moreMemory : nil,
                minutes: Double(plan.training.steps) * seconds / Self.shareOfSteps / 60,
                members: EnsembleSettings().members)
            found = (plan, measured)
            if plan.training.steps >= Self.usefulSteps || patchVoxels <= Self.smallestQuickPatchVoxels { break }
        }
        if let found { return found }
        throw FileFault(
            image,
            "training takes more than the \(Bytes.format(memory)) of memory there are, however small the "
                + "patches; learn from a part of it, which 'segment convert --crop' takes out")
    }

    private static let smallestPatchVoxels = 16 * 16 * 16
    /// Patches are made no smaller than this for the sake of time.
    private static let smallestQuickPatchVoxels = 32 * 32 * 32
    /// The rest of a training's time are validations, and the statistics of normalization.
    private static let shareOfSteps = 0.85
    private static let fewestSteps = 10
    private static let usefulSteps = 300

    private func measure(
        _ plan: InitPlan, _ files: AnnotatedFiles, _ execution: Execution, _ memory: Int,
        _ shouldStop: @escaping () -> Bool, _ report: @escaping (Double) -> Void
    ) throws -> StepMeasurement.Answer {
        let temporary = try TemporaryFolder()
        defer { temporary.remove() }
        var files = files
        files.unlabelled = plan.unlabelled
        let measurement = StepMeasurement(
            files: files, resolution: plan.resolution, target: plan.target, network: plan.network,
            training: plan.training, ensemble: plan.ensemble, device: execution.device,
            precision: execution.precision,
            threads: execution.threads, memory: memory, folder: temporary.path)
        let answer = try WorkerOrder.measure(measurement).run(
            by: executable, title: image, shouldStop: shouldStop, report: report)
        return try JSONDecoder().decode(StepMeasurement.Answer.self, from: answer)
    }

    /// To two digits.
    private func steps(secondsPerStep seconds: Double) -> Int {
        let steps = minutes * 60 * Self.shareOfSteps / max(seconds, 1e-3)
        let unit = pow(10, max(0, log10(max(1, steps)).rounded(.down) - 1))
        return max(Self.fewestSteps, Int(min(1e6, (steps / unit).rounded() * unit)))
    }

    // MARK: Written

    /// Writes the file once it has passed `segment check`.
    ///
    /// - Returns: what it segments.
    private func write(
        _ plan: InitPlan, _ files: AnnotatedFiles, _ measured: PipelineText.Measured
    ) throws -> PipelineText.Segment {
        var named = files
        let base = outputFolder
        func name(_ source: inout SourceLocation) {
            source = SourceLocation(found: source.path, dataset: source.dataset, relativeTo: base)
        }
        name(&named.image)
        name(&named.labels)
        if var mask = named.mask {
            name(&mask)
            named.mask = mask
        }
        try AtomicFile.makeFolder(base)
        let asked = segment.map { segment in
            guard let truth else { return PipelineText.Segment.asked(relative(segment), truth: nil) }
            // One path goes with one other; folders of volumes are patterns.
            return .asked(relative(volumes(segment)), truth: relative(volumes(truth)))
        }
        let candidates = asked.map { [$0] } ?? guesses(files)
        var faults: [FileFault] = []
        for segment in candidates {
            let text = PipelineText(
                plan: plan, files: named, segment: segment, measured: measured,
                dimensionsAreAsked: dimensions != nil, device: device == .auto ? nil : device.rawValue
            ).text
            guard let fault = try write(text) else { return segment }
            faults.append(fault)
        }
        throw faults[faults.count - 1]
    }

    /// - Returns: what is wrong with it; it is not written then.
    private func write(_ text: String) throws -> FileFault? {
        let name = (outputPath as NSString).lastPathComponent
        let temporary = ".\(UUID().uuidString).\(name)"
        let path = outputFolder + "/" + temporary
        try AtomicFile.write(Data(text.utf8), to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let check = PipelineCheck(
            path, options: RunOptions(device: device, executable: executable), headersOnly: true)
        let report = try check.run(shouldStop: { false }, progress: { _, _ in })
        if let error = report.findings.first(where: { $0.severity == .error }) {
            return FileFault(error.place.replacingOccurrences(of: temporary, with: name), error.problem)
        }
        guard rename(path, outputPath) == 0 else {
            throw FileFault(output, "cannot be written: \(systemReason())")
        }
        return nil
    }

    /// A path or pattern as from the output's folder.
    private func relative(_ text: String) -> String {
        let (path, dataset) = VolumeFile.split(SourceLocation.absolute(text, relativeTo: folder))
        return SourceLocation(found: path, dataset: dataset, relativeTo: outputFolder).title
    }

    /// A folder of volumes as the pattern of what is in it; everything else as it is.
    private func volumes(_ path: String) -> String {
        let folder = SourceLocation.absolute(path, relativeTo: folder)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue,
            (try? SourceLocation(path, relativeTo: self.folder).openFirst()) == nil,
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
        else { return path }
        let endings = Set(names.filter { !$0.hasPrefix(".") }.map { ($0 as NSString).pathExtension })
        guard endings.count == 1, let ending = endings.first, !ending.isEmpty else { return path }
        return (path as NSString).appendingPathComponent("*.\(ending)")
    }

    /// All files of the image's folder and ending, where none of them is part of the annotation; else the image.
    private func guesses(_ files: AnnotatedFiles) -> [PipelineText.Segment] {
        let path = files.image.path
        let ending = (path as NSString).pathExtension
        let folder = (path as NSString).deletingLastPathComponent
        let pattern = "*.\(ending)"
        let matches = PathPattern(pattern, relativeTo: folder).matches
        let annotation = [files.labels.path] + (files.mask.map { [$0.path] } ?? [])
        let looksLabelled = matches.contains { match in
            let name = (match as NSString).lastPathComponent.lowercased()
            return annotation.contains(match) || ["label", "mask", "truth", "seg"].contains { name.contains($0) }
        }
        guard !ending.isEmpty, files.image.dataset == nil, !PathPattern.isPattern(folder), matches.count > 1,
            !looksLabelled
        else { return [.image] }
        return [.pattern(relative(folder + "/" + pattern)), .image]
    }

    private func report(
        _ plan: InitPlan, _ measured: PipelineText.Measured, _ segment: PipelineText.Segment
    ) -> Report {
        let facts = plan.facts
        let network = plan.network.configuration
        let found =
            [facts.sizeInWords] + facts.warnings.map { "warning: \($0)" } + facts.contentInWords
            + ["taken for \(facts.kindInWords)"]
        let heads = plan.target.names.joined(separator: " and ")
        var chosen = ["target \(heads)"]
        if let resolution = plan.resolution { chosen.append("resampled to \(resolution), as objects are large") }
        chosen.append(
            "a \(network.dimensions)D U-Net of \(network.levels) levels and \(network.features) features, "
                + "patches of \(plan.training.patch)")
        chosen.append(
            "\(grouped(plan.training.steps)) steps of \(measured.step), measured with "
                + "\(Bytes.format(measured.peakMemory)) of memory: about \(measured.time) a member, "
                + "\(measured.timeOfAll) for all \(measured.members)")
        chosen.append(segment.inWords)
        if plan.training.steps < Self.usefulSteps {
            chosen.append(
                "so few steps teach little: give them more --minutes, or try again when the machine has nothing else to do"
            )
        }
        return Report(found: found, chosen: chosen)
    }
}
