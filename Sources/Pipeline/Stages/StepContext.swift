import Foundation
import Inference
import Networks
import Tensors
import Training
import Volumes

/// How far a step is.
public struct StepProgress: Sendable {
    /// From 0 to 1.
    public var fraction: Double
    /// For example `step 1240/2000  loss 0.31  validation 0.18`.
    public var detail: String
    /// A line to keep, for example that a damaged checkpoint was set aside.
    public var note: String?

    public init(fraction: Double, detail: String = "", note: String? = nil) {
        self.fraction = fraction
        self.detail = detail
        self.note = note
    }
}

/// What a step is given to work with: the outputs before it, the machine, and a way to report and to stop.
final class StepContext {
    let cache: StageCache
    private let execution: Execution
    /// This program, for work that needs a process of its own; nil does it in this one.
    let executable: String?
    let shouldStop: () -> Bool
    var report: (StepProgress) -> Void = { _ in }

    var device: Device { execution.device }
    var precision: Precision { execution.precision }
    var threads: Int { execution.threads }
    /// Members that are trained side by side, each with its share of the threads.
    var membersAtOnce: Int { execution.membersAtOnce }
    var memory: MemoryBudget { execution.memory }

    var blocks: BlockWork { BlockWork(threads: threads, memory: memory, shouldStop: shouldStop) }
    func atOnce(_ bytes: Int) -> Int { blocks.atOnce(bytes) }
    func shardsAtOnce(_ store: BlockStore.Layout) -> Int { blocks.shardsAtOnce(store) }

    /// Tells how far a part of a step is.
    ///
    /// - Throws: `Interruption` where it should stop.
    func proceed(_ progress: (Double) -> Void, _ done: Double) throws {
        if shouldStop() { throw Interruption() }
        progress(done)
    }

    private var annotation: (keys: [String], ensemble: EnsembleSettings, annotation: Annotation)?
    private var loaded: (settings: PredictionSettings?, count: Int, members: [String: LoadedMember]) = (nil, 0, [:])

    init(
        cache: StageCache, execution: Execution, executable: String?, shouldStop: @escaping () -> Bool
    ) {
        self.cache = cache
        self.execution = execution
        self.executable = executable
        self.shouldStop = shouldStop
    }

    /// The annotated volumes, read and shared out once for all members.
    func annotation(_ data: TrainingData) throws -> Annotation {
        let keys = data.inputs.map { $0.role + $0.digest }
        if let known = annotation, known.keys == keys, known.ensemble == data.ensemble { return known.annotation }
        let read = try data.load(self)
        annotation = (keys, data.ensemble, read)
        return read
    }

    /// Lets go of it where other processes read their own.
    func forgetAnnotation() { annotation = nil }

    /// A member's network, ready to predict; it is kept while others of the same settings are asked for.
    ///
    /// - Parameter count: members that predict a tile one after another.
    func predictor(
        of member: any MemberStep, _ settings: PredictionSettings, of count: Int = 1
    ) throws -> LoadedMember {
        if loaded.settings != settings || loaded.count != count { loaded = (settings, count, [:]) }
        if let member = loaded.members[member.key] { return member }
        let network = try NetworkFile.read(try member.weights(self), device: device)
        let outputs = try member.outputs(self)
        let predictor = try Predictor(
            network: network, channels: outputs.places, patch: member.patch,
            averaging: settings.averaging(outputs), precision: precision, device: device)
        let ready = LoadedMember(
            predictor: predictor,
            limit: predictor.geometry.limit(
                execution.tileMemory,
                TileCost(
                    network.graph, predictor.geometry, precision: precision, members: count,
                    channels: predictor.channels)))
        loaded.members[member.key] = ready
        return ready
    }
}

/// A member's network and how large its tiles may be.
struct LoadedMember {
    let predictor: Predictor
    let limit: TileLimit
}
