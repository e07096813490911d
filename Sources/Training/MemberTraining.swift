import Foundation
import Inference
import Labeling
import Networks
import Tensors
import Volumes

/// The training of one member of the ensemble, from annotated volumes to a file of weights.
///
/// The weights are a function of what it is made of, the number of threads included; stopping, being killed and
/// going on changes no byte of them.
public struct MemberTraining {
    public let member: Int
    public let volumes: [AnnotatedVolume]
    public let split: AnnotationSplit
    public let target: Target
    public let network: NetworkConfiguration
    public let training: TrainingConfiguration
    public let device: Device
    public let precision: Precision
    public let threads: Int
    /// nil where the weights are drawn at random.
    public let start: StartingWeights?
    public let labelling: ValidationLabelling
    /// The channels of the network's output, head by head.
    let heads: [[OutputChannel]]
    /// The longest time between two checkpoints, in seconds.
    public var checkpointInterval = 60.0
    /// Threads that make patches ahead of the network; their number changes no byte.
    public var samplingThreads: Int

    package var channels: [OutputChannel] { heads.flatMap { $0 } }

    /// - Parameters:
    ///   - member: from 0; with the seed it decides initialization, patches and the block kept back.
    ///   - network: as many inputs as the volumes have channels, and as many outputs as the target; a 2D network learns
    ///     from the sections of z.
    ///   - labelling: what validation scores; nil for components of the target's first head (6-connected, for a 2D
    ///     network 4-connected within sections).
    public init(
        member: Int, volumes: [AnnotatedVolume], split: AnnotationSplit, target: Target = Target(),
        network: NetworkConfiguration, training: TrainingConfiguration, device: Device, precision: Precision,
        threads: Int, start: StartingWeights? = nil, labelling: ValidationLabelling? = nil
    ) {
        self.member = member
        self.volumes = volumes
        self.split = split
        self.target = target
        self.network = network
        self.training = training
        self.device = device
        self.precision = precision
        self.threads = threads
        // A network that runs on the processor needs its threads itself: a patch costs about a tenth of a step there.
        samplingThreads = max(1, device == .cpu ? threads / 8 : min(threads - 1, 16))
        self.start = start
        let dimensions = network.dimensions
        heads = target.channels(voxelSize: volumes[0].voxelSize, dimensions: dimensions)
        self.labelling = labelling ?? .components(of: heads[0], dimensions: dimensions, threads: threads)
    }

    /// Trains, or goes on where a run in the same folder stopped, and writes into `folder`, which must exist:
    /// `checkpoint.safetensors` and `kept-STEP.safetensors` while it trains, `curve.json`, and at the end `weights.safetensors`
    /// (a `NetworkFile`), after which those of the way are removed. A member that diverges ends with the weights of the
    /// last validation, or before the first with the last of those of steps 1, 2, 4 and so on to a tenth, then of every
    /// tenth; the note of its last report says so. There is nothing to end with only where none of these
    /// gave a finite loss.
    ///
    /// All tensor work happens on the calling thread, which should be the one that does the device's tensor work.
    ///
    /// - Parameters:
    ///   - shouldStop: asked before every step.
    ///   - report: called after every step.
    /// - Throws: `Interrupted` once `shouldStop` says so and a checkpoint is written; `TrainingDiverged`;
    ///   `AnnotationError`; `TrainingConfigurationError`; errors of the disk.
    @discardableResult
    public func run(
        folder: String, shouldStop: () -> Bool = { false }, report: (TrainingProgress) -> Void = { _ in }
    ) throws -> TrainedMember {
        let result = TrainedMember(member: member, folder: folder)
        let settings = try settings()
        if let weights = try? Safetensors(contentsOf: result.weights), weights.metadata["settings"] == settings,
            FileManager.default.fileExists(atPath: result.curve)
        {
            return result
        }
        try Libtorch.setThreads(threads)
        Libtorch.keepMemory()
        defer { Libtorch.releaseMemory() }
        let run = try TrainingRun(self, folder: folder, settings: settings)
        try run.train(shouldStop: shouldStop, report: report)
        try run.finish(result, report: report)
        return result
    }

    /// Refuses annotation of which a member could not learn what it should, before the first of them is trained.
    ///
    /// - Parameter members: of one ensemble.
    /// - Throws: `AnnotationError`
    public static func checkAnnotation(of members: [MemberTraining]) throws {
        guard let first = members.first else { return }
        let graph = try first.network.graph()
        let volumes = first.volumes.map {
            PreparedVolume($0, weighting: .none, dimensions: graph.dimensions, threads: first.threads)
        }
        for member in members { _ = try member.sampler(of: volumes, graph) }
    }

    /// - Throws: `AnnotationError` where the annotation leaves something unlearnt.
    func sampler(of volumes: [PreparedVolume], _ graph: Graph) throws -> PatchSampler {
        let sampler = try PatchSampler(
            volumes: volumes, outputs: channels, isBalanced: training.isBalanced,
            heldBack: volumes.indices.map { split.heldBack(from: member, volume: $0) }, patch: training.patch,
            margin: TileGeometry(graph, patch: training.patch).margin, seed: training.seed, member: member)
        try sampler.checkAffinities(training.augmentation)
        try sampler.checkAnswers()
        return sampler
    }

    /// What makes one training different from another, as JSON.
    private func settings() throws -> String {
        struct Settings: Encodable {
            let member: Int
            let target: Target
            let network: NetworkConfiguration
            let training: TrainingConfiguration
            let split: AnnotationSplit
            let precision: Precision
            let shapes: [ZYX<Int>]
            let normalizations: [IntensityNormalization]
            let start: String?
            let labelling: String?
        }
        return try canonicalJSONText(
            Settings(
                member: member, target: target, network: network, training: training, split: split,
                precision: precision,
                shapes: volumes.map(\.shape), normalizations: volumes.flatMap { $0.channels.map(\.normalization) },
                start: start?.digest, labelling: training.validationDecides ? labelling.settings : nil))
    }
}

/// The weights of a trained network, for another training to go on from.
public struct StartingWeights: Sendable {
    /// A `NetworkFile` of the network that is trained.
    public let path: String
    /// What tells these weights from others.
    public let digest: String

    public init(path: String, digest: String) {
        self.path = path
        self.digest = digest
    }
}

/// Where a trained member's files are.
public struct TrainedMember: Equatable, Sendable {
    public let member: Int
    public let folder: String

    /// A `NetworkFile`.
    public var weights: String { folder + "/" + Self.weightsName }
    /// A `TrainingCurve` as JSON.
    public var curve: String { folder + "/" + Self.curveName }

    public static let weightsName = "weights.safetensors"
    public static let curveName = "curve.json"
}

/// A loss that is no number any more.
public struct TrainingDiverged: Error, Equatable, CustomStringConvertible {
    public let member: Int
    public let step: Int

    public var description: String {
        "training of member \(member + 1) diverged at step \(step): the loss is not a finite number; "
            + "lower training.learning_rate or look for extreme values in the images"
    }
}
