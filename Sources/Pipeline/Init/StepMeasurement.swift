import Dispatch
import Foundation
import Inference
import Networks
import Synchronization
import Tensors
import Training
import Volumes

#if canImport(Glibc)
    import Glibc
#endif

/// A few real training steps of a plan, in a process of its own: their time and the memory they take.
public struct StepMeasurement: Codable, Sendable {
    var files: AnnotatedFiles
    var resolution: VoxelSize?
    var target: Target
    var network: NetworkSettings
    var training: TrainingConfiguration
    var ensemble: EnsembleSettings
    var device: Device
    var precision: Precision
    var threads: Int
    /// Bytes that may be taken.
    var memory: Int
    /// Where training puts what it saves; it must exist.
    var folder: String

    struct Answer: Codable {
        /// nil where memory did not suffice.
        var secondsPerStep: Double?
        /// The largest resident size, in bytes.
        var peakMemory: Int
    }

    private static let steps = 4
    /// After so many seconds two steps are enough.
    private static let patience = 60.0

    /// Trains until enough steps are timed.
    ///
    /// The process ends where memory runs out, with its answer: what is resident is looked at all the time, lest
    /// the system end another process.
    ///
    /// - Throws: `FileFault`, whatever is wrong.
    func run(report: (Double) throws -> Void) throws -> Answer {
        // What libtorch has taken of a GPU's memory it keeps until the process ends.
        let free = device.freeMemory
        let watch = MemoryWatch(limit: free == nil ? memory : Machine.availableMemory * 9 / 10)
        defer { watch.stop() }
        do {
            let seconds = try trained(report)
            let peak = free.map { $0 - (device.freeMemory ?? 0) } ?? Machine.peakMemory
            return Answer(secondsPerStep: peak > memory ? nil : seconds, peakMemory: peak)
        } catch let error where error is FileFault || error is Interruption {
            throw error
        } catch {
            let problem = "\(error)"
            guard Self.shortages.contains(where: { problem.contains($0) }) else {
                throw FileFault(files.image.subject, problem)
            }
            return Answer(peakMemory: Machine.peakMemory)
        }
    }

    /// How libtorch says that memory does not suffice, on GPUs and processors.
    private static let shortages = ["out of memory", "can't allocate memory"]

    private func trained(_ report: (Double) throws -> Void) throws -> Double {
        let volume = try volume()
        let split = try AnnotationSplit(
            annotations: [volume.annotatedBox], across: ensemble.across, calibration: ensemble.calibration,
            members: ensemble.members)
        let member = MemberTraining(
            member: 0, volumes: [volume], split: split, target: target,
            network: try network.configuration(voxelSize: volume.voxelSize, target: target), training: training,
            device: device, precision: precision, threads: threads)
        return try member.timed(steps: Self.steps, patience: Self.patience, folder: folder, report: report) ?? 0
    }

    /// As a pipeline would ingest and resample it.
    private func volume() throws -> AnnotatedVolume {
        let opened = try files.open()
        let (box, size) = (opened.box, resolution ?? opened.voxelSize)
        let resampling = try Resampling(box, from: opened.voxelSize, to: size)
        func read(_ part: AnnotatedFiles.Part, _ kind: Resampling.Kind, at place: (Box) -> Box) throws
            -> VoxelBuffer
        {
            try resampling.voxels(
                of: resampling.target, kind, part.reader.info.elementType, threads: threads
            ) { box in try part.source.named { try part.reader.read(place(box)) } }
        }
        let image = try read(opened.image, .intensities) { $0 }
        var statistics = VolumeStatistics()
        _ = statistics.add(image)
        let (mean, deviation) = (statistics.summary.mean, statistics.summary.standardDeviation)
        let labels = try compactLabels(read(opened.labels, .labels) { $0.relative(to: box.origin) })
        let mask = try opened.mask.map {
            try read($0, .labels, at: opened.boxOfMask).converted(to: Double.self).map { $0 == 0 ? 0 : 1 as UInt8 }
        }
        return try AnnotatedVolume(
            image: image, normalization: IntensityNormalization(mean: mean, deviation: deviation),
            labels: labels, mask: files.unlabelled == .sections ? labels.sectionMask(within: mask) : mask,
            unlabelledZero: files.unlabelled == .zero, voxelSize: size)
    }
}

/// Ends this process with an answer once it takes more memory than it may.
///
/// Unchecked: the timer is only made and ended.
private final class MemoryWatch: @unchecked Sendable {
    private let timer: any DispatchSourceTimer
    private let isOver = Mutex(false)

    init(limit: Int) {
        timer = DispatchSource.makeTimerSource(queue: .global())
        timer.setEventHandler { [self] in
            let peak = Machine.peakMemory
            guard peak > limit, let answer = try? canonicalJSON(StepMeasurement.Answer(peakMemory: peak)) else {
                return
            }
            isOver.withLock { isOver in
                guard !isOver else { return }
                FileHandle.standardOutput.write(answer)
                _exit(0)
            }
        }
        timer.schedule(deadline: .now(), repeating: .milliseconds(20))
        timer.resume()
    }

    func stop() {
        isOver.withLock { $0 = true }
        timer.cancel()
    }
}
