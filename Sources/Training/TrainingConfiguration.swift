import Foundation
import Networks
import Volumes

/// How a member is trained; with the network's configuration and the seed it determines the weights.
public struct TrainingConfiguration: Codable, Equatable, Sendable {
    public enum Optimizer: String, Codable, Sendable {
        /// Loshchilov & Hutter 2019, β = (0.9, 0.999).
        case adamW
        /// With Nesterov momentum.
        case sgd
    }

    /// Which weights a member ends with.
    public enum Kept: String, Codable, CaseIterable, Sendable {
        /// Those after the last step.
        case last
        /// Those of the validation with the lowest adapted Rand error, or loss where there are no objects.
        case best
    }

    /// Which statistics the normalization layers use after training.
    public enum Statistics: Codable, Equatable, Sendable {
        /// Mean and variance over all of the training part, once after training; or over this many patches, drawn
        /// without oversampling and intensity changes.
        case population(patches: Int?)
        /// The running averages of training.
        case running
    }

    public var steps: Int
    /// Voxels along each axis that the network sees; for a 2D network z sections.
    public var patch: ZYX<Int>
    /// Patches that go through the network together.
    public var batch: Int
    /// Batches a step, whose gradients are added up.
    public var accumulation: Int
    public var seed: UInt64
    public var optimizer: Optimizer
    public var learningRate: Double
    public var weightDecay: Double
    /// Of `sgd`; `adamW` ignores it.
    public var momentum: Double
    public var schedule: LearningRateSchedule
    /// Gradients longer than this (Euclidean, all parameters together) are shortened to it.
    public var gradientClipping: Double
    /// The share of patches centred on an object.
    public var foregroundOversampling: Double
    public var loss: Loss
    /// Of the foreground.
    public var border: BorderWeighting
    /// Whether both answers of an affinity and of an interior channel weigh the same in every patch.
    public var isBalanced: Bool
    public var augmentation: Augmentation
    /// Points of the validation curve, evenly spaced, the last after the last step.
    public var validations: Int
    /// Validations without a better one after which training ends; nil for never.
    public var patience: Int?
    public var kept: Kept
    /// The decay of the average over steps that takes the place of the weights, such as 0.999; nil for none.
    public var averaging: Double?
    public var statistics: Statistics
    /// Whether validations have a say in the weights a member ends with, beyond replacing those that diverge.
    public var validationDecides: Bool { kept == .best || patience != nil }

    public init(
        steps: Int = 2_000, patch: ZYX<Int> = ZYX(repeating: 64), batch: Int = 2, accumulation: Int = 1,
        seed: UInt64 = 1, optimizer: Optimizer = .adamW, learningRate: Double = 5e-3, weightDecay: Double = 1e-2,
        momentum: Double = 0.99, schedule: LearningRateSchedule = LearningRateSchedule(),
        gradientClipping: Double = 12,
        foregroundOversampling: Double = 1.0 / 3, loss: Loss = .crossEntropyAndDice,
        border: BorderWeighting = BorderWeighting(), isBalanced: Bool = false,
        augmentation: Augmentation = Augmentation(), validations: Int = 5, patience: Int? = nil,
        kept: Kept = .last, averaging: Double? = nil, statistics: Statistics = .population(patches: nil)
    ) {
        self.steps = steps
        self.patch = patch
        self.batch = batch
        self.accumulation = accumulation
        self.seed = seed
        self.optimizer = optimizer
        self.learningRate = learningRate
        self.weightDecay = weightDecay
        self.momentum = momentum
        self.schedule = schedule
        self.gradientClipping = gradientClipping
        self.foregroundOversampling = foregroundOversampling
        self.loss = loss
        self.border = border
        self.isBalanced = isBalanced
        self.augmentation = augmentation
        self.validations = validations
        self.patience = patience
        self.kept = kept
        self.averaging = averaging
        self.statistics = statistics
    }
}

extension TrainingConfiguration {
    /// Points of the training curve, evenly spaced, beside the validations.
    static let curvePoints = 50

    /// Checks what the types allow and training does not.
    ///
    /// - Parameters:
    ///   - channels: of each volume's image.
    ///   - outputs: that the target has.
    /// - Throws: `TrainingConfigurationError` with the field, what was found and what was expected.
    public func validate(for network: Graph, channels: [Int], outputs expected: Int) throws {
        func require(_ holds: Bool, _ field: String, _ found: Any, _ expected: String) throws {
            if !holds { throw TrainingConfigurationError(field: field, found: "\(found)", expected: expected) }
        }
        let inputs = network.nodes[0].channels
        let outputs = network.outputs.map { network.nodes[$0].channels }
        let other = channels.first { $0 != inputs }
        try require(
            other == nil && outputs.allSatisfy { $0 == expected }, "network", "\(inputs) to \(outputs) channels",
            "\(other ?? inputs) to \(expected) channels")
        try require(steps >= 1, "steps", steps, "at least 1")
        try require((1...1024).contains(batch), "batch", batch, "1 to 1024")
        try require((1...1024).contains(accumulation), "accumulation", accumulation, "1 to 1024")
        let seen = Array(patch.array.suffix(network.dimensions))
        try require(
            patch.z > 0 && (try? network.extents(of: seen)) != nil, "patch", patch,
            "\(try network.fittingExtents()) along \(network.dimensions == 2 ? "y and x" : "z, y and x") for this network"
        )
        try require(learningRate > 0 && learningRate.isFinite, "learning_rate", learningRate, "above 0")
        try require(weightDecay >= 0, "weight_decay", weightDecay, "at least 0")
        try require(momentum > 0 && momentum < 1, "momentum", momentum, "above 0 and below 1")
        try require(gradientClipping > 0, "gradient_clipping", gradientClipping, "above 0")
        try require(
            (0...1).contains(foregroundOversampling), "foreground_oversampling", foregroundOversampling, "0 to 1")
        try require((0...1e6).contains(border.separation), "border.separation", border.separation, "0 to 1000000")
        try require(
            border.separationSigma > 0 && border.separationSigma <= 100, "border.separation_sigma",
            border.separationSigma, "above 0 and at most 100")
        try require((0...1).contains(border.balance), "border.balance", border.balance, "0 to 1")
        try require(
            border.balanceSigma > 0 && border.balanceSigma <= 100, "border.balance_sigma", border.balanceSigma,
            "above 0 and at most 100")
        try require(validations >= 1, "validations", validations, "at least 1")
        try require(patience ?? 1 >= 1, "patience", patience ?? 1, "at least 1")
        try require(
            (0..<steps).contains(schedule.warmUp), "warm_up", schedule.warmUp, "fewer than the \(steps) steps")
        if let averaging {
            try require(averaging > 0 && averaging < 1, "averaging", averaging, "above 0 and below 1")
            try require(
                statistics != .running || !network.hasStoredStatistics, "averaging", averaging,
                "none with running statistics, which are of the weights that are averaged")
        }
        if case .population(let patches?) = statistics {
            try require(patches >= 1, "statistics.population", patches, "at least 1")
        }
    }
}

/// A configuration that cannot be trained: the field at fault, in one line.
public struct TrainingConfigurationError: Error, Equatable, CustomStringConvertible {
    public let field: String
    public let found: String
    public let expected: String

    public var description: String { "training.\(field) must be \(expected), found \(found)" }
}
