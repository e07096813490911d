import Foundation
import Volumes

/// The prediction stage alone: the probabilities that the members of a model file give a volume.
public struct ModelPrediction {
    /// Which members' probabilities are written.
    public enum Members: Equatable, Sendable {
        /// Their mean, as one volume.
        case mean
        /// Each, as a volume of its own.
        case each
        /// One, counted from 1.
        case one(Int)
    }

    private let run: PipelineRun
    private let temporary: TemporaryFolder
    private let title: String

    /// - Parameters:
    ///   - image: a file such as `a.tif` or `b.h5:/raw`.
    ///   - settings, precision: nil: the model's own.
    ///   - options: its work folder, where given, keeps what is predicted, so that work that was stopped goes on from there.
    /// - Throws: `PipelineFault` or `FileFault`, in one line.
    public init(
        model: String, image: String, settings: PredictionSettings?, voxelSize: VoxelSize?,
        precision: ExecutionSettings.Arithmetic?, allowsExternalLinks: Bool, options: RunOptions
    ) throws {
        let here = FileManager.default.currentDirectoryPath
        func quoted(_ text: String) throws -> String {
            String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        }
        let location = SourceLocation(image, relativeTo: here)
        var lines = [
            "model: \(try quoted(SourceLocation.absolute(model, relativeTo: here)))",
            "segment: {image: \(try quoted(location.location))}",
        ]
        if let size = voxelSize?.nanometers {
            lines.append("voxel_size: {z: \(size.z) nm, y: \(size.y) nm, x: \(size.x) nm, replace: true}")
        }
        if let settings {
            lines.append(
                "predict: {mirror: \(settings.mirror), rotate: \(settings.rotate), "
                    + "overlap: \(settings.overlap.map { "\($0)" } ?? "none")}")
        }
        let arithmetic = precision.map { ", precision: \($0.rawValue)" } ?? ""
        lines.append("execution: {external_links: \(allowsExternalLinks)\(arithmetic)}")
        temporary = try TemporaryFolder()
        title = image
        let path = temporary.path + "/predict.yaml"
        do {
            try AtomicFile.write(Data(lines.joined(separator: "\n").utf8), to: path)
            run = try PipelineRun(path, options: options)
            guard run.volumeCount == 1 else {
                throw FileFault(
                    image, "is \(run.volumeCount) volumes; name one of them, or segment them by a pipeline file")
            }
        } catch {
            temporary.remove()
            throw error
        }
    }

    /// What is predicted with, and the channels that may be asked for.
    public func introduction() throws -> [String] { try run.introduction() }

    /// How the probabilities become the model's own mask.
    public var advice: String? {
        run.file.model.map { model in
            let threshold = model.description.threshold
            return "the model's threshold is \(threshold); segment consensus takes it as --agree "
                + "\(model.description.agree) --threshold-logit \(threshold.logit)"
        }
    }

    public var channels: [String] {
        get throws { try run.plan.network()?.outputs.channels.map { "\($0)" } ?? [] }
    }

    /// Predicts, and writes probabilities from 0 to 1 as 32-bit floats.
    ///
    /// - Parameters:
    ///   - channel: one of `channels`; nil for the first.
    ///   - replaces: whether what lies at the outputs' places makes way.
    /// - Returns: the files, with the voxel size of the networks where the image was resampled to it.
    /// - Throws: `FileFault`, before any work where something lies at an output's place; `Interruption`.
    public func write(
        _ members: Members, channel: String?, to output: String, replaces: Bool,
        shouldStop: @escaping () -> Bool, observe: @escaping (RunEvent) -> Void
    ) throws -> (files: [String], resampledTo: VoxelSize?) {
        let count = run.plan.members.count
        if case .one(let number) = members, number > count {
            throw FileFault(output, "is asked of member \(number), but the model has \(count)")
        }
        let known = try channels
        guard let place = channel.map({ known.firstIndex(of: $0) }) ?? 0 else {
            throw FileFault(
                output,
                "is asked for the channel '\(channel ?? "")', but there are: \(known.joined(separator: ", "))")
        }
        let chosen: [(file: String, members: [Int])] =
            switch members {
            case .mean: [(output, Array(0..<count))]
            case .one(let number): [(output, [number - 1])]
            case .each: (0..<count).map { (numbered(output, $0 + 1), [$0]) }
            }
        for (file, _) in chosen { try checkPlace(of: file, replaces: replaces) }

        // The rest takes moments.
        let wanted = chosen.flatMap(\.members)
        let outcome = try run.run(until: .predict, members: wanted, shouldStop: shouldStop) { event in
            if event.stage == .predict { observe(event) }
        }
        if let failure = outcome.failures.first { throw FileFault(title, failure.problem) }
        let context = run.context(shouldStop: shouldStop)
        guard let volume = run.plan.volumes.first else { throw FileFault(title, "cannot be predicted") }
        let record = try volume.seen[0].record(context)
        for (file, members) in chosen {
            let contents = VolumeFile.Contents(
                shape: record.shape, elementType: .float32, voxelSize: record.voxelSize, position: record.position,
                frame: record.frame)
            try Pipeline.write(contents, to: file, dataset: nil, replaces: replaces) { writer in
                // A slab of all members' at a time.
                let size = (2 + 4) * members.count + 8
                let stores = try members.map { try volume.consensus.predictions[$0].store(context) }
                let slabs = Box(record.shape).slabs(
                    thickness: stores[0].layout.chunk.z, size: size, atMost: Ingest.pieceBytes)
                for slab in slabs {
                    if shouldStop() { throw Interruption() }
                    var mean = Volume<Float>(shape: slab.shape)
                    for store in stores {
                        let logits = try store.read(slab, channel: place, threads: context.threads)
                            .volume(of: Int16.self)
                        for voxel in mean.voxels.indices {
                            let logit = Double(LogitScale.decode(logits.voxels[voxel]))
                            mean.voxels[voxel] += Float(LogitScale.probability(logit)) / Float(members.count)
                        }
                    }
                    try writer.write(VoxelBuffer(mean), atZ: slab.origin.z)
                }
            }
        }
        return (chosen.map(\.file), volume.seen[0] is ResampleStep ? record.voxelSize : nil)
    }

    /// `a.h5` with `-2` before its ending, and before a dataset's name.
    private func numbered(_ path: String, _ number: Int) -> String {
        let place = SourceLocation(path, relativeTo: FileManager.default.currentDirectoryPath)
        let name = place.path as NSString
        var ending = name.pathExtension
        var stem = name.deletingPathExtension
        if ending == "gz" {
            ending = (stem as NSString).pathExtension + ".gz"
            stem = (stem as NSString).deletingPathExtension
        }
        return shortened("\(stem)-\(number).\(ending)") + (place.dataset.map { ":\($0)" } ?? "")
    }

    /// Removes what is not to be kept.
    public func remove() { temporary.remove() }
}
