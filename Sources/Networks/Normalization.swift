import Tensors

/// Which normalization a network has.
public enum Normalization: String, Codable, Sendable, CaseIterable {
    /// Statistics of a channel over a batch (Ioffe & Szegedy 2015).
    case batch
    /// Statistics of a channel over a sample (Ulyanov et al. 2016).
    case instance
    /// Statistics of a group of channels over a sample (Wu & He 2018); up to 8 groups.
    case group

    func layer(_ channels: Int, device: Device) throws -> any NormalizationLayer {
        switch self {
        case .batch: try BatchNormalization(channels, device: device)
        case .instance: try GroupNormalization(channels, groups: channels, device: device)
        case .group: try GroupNormalization(channels, groups: Self.groups(channels), device: device)
        }
    }

    /// The largest number of groups up to 8 that divides the channels.
    static func groups(_ channels: Int) -> Int {
        (1...8).last { channels % $0 == 0 } ?? 1
    }
}

/// A layer that normalizes its input; shapes stay.
protocol NormalizationLayer: Layer {
    var mode: Mode { get set }
    /// This layer with parameters and buffers of its own that do not train.
    func copy() throws -> any NormalizationLayer
}

/// Batch normalization with three modes.
public final class BatchNormalization: NormalizationLayer {
    public var mode: Mode = .training {
        didSet { if mode == .population, oldValue != .population { pool = nil } }
    }
    /// All `[channel]`.
    public let scale: Tensor
    public let shift: Tensor
    public let runningMean: Tensor
    public let runningVariance: Tensor
    public static let epsilon = 1e-5
    private static let momentum = 0.1
    private var pool: PooledStatistics?

    public init(_ channels: Int, device: Device = .cpu) throws {
        scale = try trainable(.full([channels], 1, device: device))
        shift = try trainable(.zeros([channels], device: device))
        runningMean = try .zeros([channels], device: device)
        runningVariance = try .full([channels], 1, device: device)
    }

    private init(copying other: BatchNormalization) throws {
        scale = try other.scale.frozen(.float32)
        shift = try other.shift.frozen(.float32)
        runningMean = try other.runningMean.frozen(.float32)
        runningVariance = try other.runningVariance.frozen(.float32)
        mode = other.mode
    }

    func copy() throws -> any NormalizationLayer { try BatchNormalization(copying: self) }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        switch mode {
        case .evaluation: return try normalized(input, runningMean, runningVariance, training: false, momentum: 0)
        case .training:
            return try normalized(
                input, runningMean, runningVariance, training: true, momentum: Self.momentum)
        case .population:
            // With momentum 1 the running statistics become the batch's.
            let (mean, variance) = (try runningMean.zerosLike(), try runningVariance.zerosLike())
            let output = try normalized(input, mean, variance, training: true, momentum: 1)
            try collect(mean: mean, unbiasedVariance: variance, samples: input.count / scale.count)
            return output
        }
    }

    private func normalized(
        _ input: Tensor, _ mean: Tensor, _ variance: Tensor, training: Bool, momentum: Double
    ) throws -> Tensor {
        try input.batchNormalized(
            scale: scale, shift: shift, runningMean: mean, runningVariance: variance, training: training,
            momentum: momentum, epsilon: Self.epsilon)
    }

    private func collect(mean: Tensor, unbiasedVariance: Tensor, samples: Int) throws {
        let biased = Double(samples - 1) / Double(samples)
        var pool = pool ?? PooledStatistics(channels: scale.count)
        pool.add(
            mean: try mean.floats().map(Double.init),
            variance: try unbiasedVariance.floats().map { Double($0) * biased }, weight: Double(samples))
        self.pool = pool
    }

    /// Stores what the forward passes since the mode became ``Mode/population`` have pooled.
    ///
    /// - Throws: ``TensorError/state(_:)`` where there was none.
    public func storePopulationStatistics() throws {
        guard let pool else {
            throw TensorError.state("no forward pass in population mode to take statistics from")
        }
        try runningMean.assign(Tensor(pool.mean.map { Float($0) }, shape: [pool.mean.count]))
        try runningVariance.assign(Tensor(pool.variance.map { Float($0) }, shape: [pool.mean.count]))
        self.pool = nil
    }

    public var parameters: [NamedTensor] { [NamedTensor("weight", scale), NamedTensor("bias", shift)] }

    public var buffers: [NamedTensor] {
        [NamedTensor("running_mean", runningMean), NamedTensor("running_var", runningVariance)]
    }
}

/// Mean and variance of a population from those of its batches: E[mean], E[variance] + Var[mean], a channel, each
/// batch weighted by its number of voxels.
struct PooledStatistics {
    private var weight = 0.0
    private var means: [Double]
    private var squares: [Double]

    init(channels: Int) {
        means = Array(repeating: 0, count: channels)
        squares = means
    }

    mutating func add(mean: [Double], variance: [Double], weight: Double) {
        self.weight += weight
        for channel in means.indices {
            means[channel] += weight * mean[channel]
            squares[channel] += weight * (variance[channel] + mean[channel] * mean[channel])
        }
    }

    var mean: [Double] { means.map { $0 / weight } }

    var variance: [Double] { zip(mean, squares).map { max(0, $1 / weight - $0 * $0) } }
}

/// Group normalization; with a group a channel it is instance normalization.
public final class GroupNormalization: NormalizationLayer {
    public var mode: Mode = .training
    public let scale: Tensor
    public let shift: Tensor
    private let groups: Int

    public init(_ channels: Int, groups: Int, device: Device = .cpu) throws {
        self.groups = groups
        scale = try trainable(.full([channels], 1, device: device))
        shift = try trainable(.zeros([channels], device: device))
    }

    private init(scale: Tensor, shift: Tensor, groups: Int) {
        self.scale = scale
        self.shift = shift
        self.groups = groups
    }

    func copy() throws -> any NormalizationLayer {
        GroupNormalization(scale: try scale.frozen(.float32), shift: try shift.frozen(.float32), groups: groups)
    }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try input.groupNormalized(groups: groups, scale: scale, shift: shift)
    }

    public var parameters: [NamedTensor] { [NamedTensor("weight", scale), NamedTensor("bias", shift)] }
}
