import Tensors

/// Which normalization a network has.
///
/// All subtract a mean, divide by √(variance + ε) and apply a learnt scale γ and shift δ a channel, 1 and 0 at
/// initialization; they differ in what mean and variance are taken over. ε, 1e-5, is added to the variance, as in
/// Ioffe & Szegedy (2015) and PyTorch; some texts add it to the standard deviation.
public enum Normalization: Equatable, Sendable {
    case none
    /// A channel over a batch (Ioffe & Szegedy 2015).
    case batch
    /// A channel over each `virtualBatch` samples of a batch (Hoffer et al. 2017).
    case ghost(virtualBatch: Int)
    /// All channels of a sample (Ba et al. 2016), over space too.
    case layer
    /// A group of channels of a sample (Wu & He 2018); `groups` must divide the channels.
    case group(groups: Int)
    /// A channel of a sample (Ulyanov et al. 2016).
    case instance

    /// One of each kind.
    public static let examples: [Normalization] = [
        .batch, .ghost(virtualBatch: 1), .layer, .group(groups: 2), .instance, .none,
    ]

    /// Whether prediction goes by stored statistics, so that no voxel sees its tile.
    public var hasStoredStatistics: Bool {
        switch self {
        case .batch, .ghost: true
        default: false
        }
    }

    func validate() throws {
        switch self {
        case .ghost(let samples) where samples < 1:
            throw NetworkConfigurationError(field: "virtual_batch", found: "\(samples)", expected: "at least 1")
        case .group(let groups) where groups < 1:
            throw NetworkConfigurationError(field: "groups", found: "\(groups)", expected: "at least 1")
        default: return
        }
    }

    func layer(
        _ channels: Int, startsAtZero: Bool, device: Device, type: Tensor.ElementType
    ) throws -> any NormalizationLayer {
        try validate()
        let scale = try trainable(.full([channels], startsAtZero ? 0 : 1, type: type, device: device))
        let shift = try trainable(.zeros([channels], type: type, device: device))
        func grouped(_ groups: Int) -> any NormalizationLayer {
            GroupNormalization(scale: scale, shift: shift, groups: groups)
        }
        switch self {
        case .batch: return try BatchNormalization(scale: scale, shift: shift, virtualBatch: nil)
        case .ghost(let samples): return try BatchNormalization(scale: scale, shift: shift, virtualBatch: samples)
        case .layer: return grouped(1)
        case .group(let groups): return grouped(groups)
        case .instance: return grouped(channels)
        case .none: preconditionFailure("no normalization has no layer")
        }
    }
}

/// In files: `batch`, `group 8`.
extension Normalization: RawRepresentable, Codable {
    public init?(rawValue: String) {
        let words = rawValue.split(separator: " ").map(String.init)
        let number = words.count == 2 ? Int(words[1]) : nil
        switch (words.first, number) {
        case ("none", nil): self = .none
        case ("batch", nil): self = .batch
        case ("layer", nil): self = .layer
        case ("instance", nil): self = .instance
        case ("ghost", let samples?): self = .ghost(virtualBatch: samples)
        case ("group", let groups?): self = .group(groups: groups)
        default: return nil
        }
    }

    public var rawValue: String {
        switch self {
        case .ghost(let number), .group(let number): "\(name) \(number)"
        default: name
        }
    }

    /// The first word: `group`.
    public var name: String {
        switch self {
        case .none: "none"
        case .batch: "batch"
        case .ghost: "ghost"
        case .layer: "layer"
        case .group: "group"
        case .instance: "instance"
        }
    }
}

extension Normalization: CustomStringConvertible {
    public var description: String {
        switch self {
        case .none: "no normalization"
        case .batch: "batch norm"
        case .ghost(let samples): "ghost batch norm of \(samples)"
        case .layer: "layer norm"
        case .group(let groups): "group norm of \(groups)"
        case .instance: "instance norm"
        }
    }
}

/// A layer that normalizes its input; shapes stay.
protocol NormalizationLayer: Layer {
    var mode: Mode { get set }
}

/// Batch normalization, or ghost batch normalization, in three modes.
final class BatchNormalization: NormalizationLayer {
    var mode: Mode = .training {
        didSet { if mode == .population, oldValue != .population { pool = nil } }
    }
    /// All `[channel]`.
    let scale: Tensor
    let shift: Tensor
    let runningMean: Tensor
    let runningVariance: Tensor
    static let epsilon = 1e-5
    private static let momentum = 0.1
    /// Samples whose statistics are taken together; nil for all of the batch.
    private let virtualBatch: Int?
    private var pool: PooledStatistics?

    init(scale: Tensor, shift: Tensor, virtualBatch: Int?) throws {
        self.scale = scale
        self.shift = shift
        self.virtualBatch = virtualBatch
        runningMean = try scale.detached().zerosLike()
        runningVariance = try runningMean + 1
    }

    private init(copying other: BatchNormalization, _ type: Tensor.ElementType) throws {
        // Statistics keep their precision: libtorch takes them in f32 beside a signal of 16 bits.
        let type = type.isHalf ? .float32 : type
        scale = try other.scale.frozen(type)
        shift = try other.shift.frozen(type)
        runningMean = try other.runningMean.frozen(type)
        runningVariance = try other.runningVariance.frozen(type)
        virtualBatch = other.virtualBatch
        mode = other.mode
    }

    func frozen(_ type: Tensor.ElementType) throws -> any Layer { try BatchNormalization(copying: self, type) }

    /// - Throws: ``TensorError/state(_:)`` where statistics are taken of a single value a channel.
    func callAsFunction(_ input: Tensor) throws -> Tensor {
        if mode == .evaluation {
            return try normalized(input, runningMean, runningVariance, training: false, momentum: 0)
        }
        let parts = parts(of: input.shape[0])
        try requireVariance(of: parts.last ?? 0..<0, in: input)
        if parts.count == 1 { return try normalizedByBatch(input) }
        return try Tensor.concatenate(
            parts.map { try normalizedByBatch(input.narrowed(axis: 0, to: $0)) }, axis: 0)
    }

    /// The samples that share statistics; the last part may be smaller.
    private func parts(of samples: Int) -> [Range<Int>] {
        let size = virtualBatch ?? max(1, samples)
        return stride(from: 0, to: samples, by: size).map { $0..<min($0 + size, samples) }
    }

    /// A single value has no unbiased variance: the running one would be NaN from then on.
    private func requireVariance(of part: Range<Int>, in input: Tensor) throws {
        let values = input.shape.dropFirst(2).reduce(part.count, *)
        guard values < 2 else { return }
        throw TensorError.state(
            "batch norm needs 2 values a channel to train with, found \(values) in samples \(part) of an input of "
                + "shape \(input.shape)")
    }

    private func normalizedByBatch(_ input: Tensor) throws -> Tensor {
        guard mode == .population else {
            return try normalized(
                input, runningMean, runningVariance, training: true, momentum: Self.momentum)
        }
        // With momentum 1 the running statistics become the batch's.
        let (mean, variance) = (try runningMean.zerosLike(), try runningVariance.zerosLike())
        let output = try normalized(input, mean, variance, training: true, momentum: 1)
        try collect(mean: mean, unbiasedVariance: variance, samples: input.count / scale.count)
        return output
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
            mean: try mean.doubles(), variance: try unbiasedVariance.doubles().map { $0 * biased },
            weight: Double(samples))
        self.pool = pool
    }

    /// Stores what the forward passes since the mode became ``Mode/population`` have pooled.
    ///
    /// - Throws: ``TensorError/state(_:)`` where there was none.
    func storePopulationStatistics() throws {
        guard let pool else {
            throw TensorError.state("no forward pass in population mode to take statistics from")
        }
        try runningMean.assign(Tensor(pool.mean, shape: [pool.mean.count]))
        try runningVariance.assign(Tensor(pool.variance, shape: [pool.mean.count]))
        self.pool = nil
    }

    var parameters: [NamedTensor] { [NamedTensor("weight", scale), NamedTensor("bias", shift)] }

    var buffers: [NamedTensor] {
        [NamedTensor("running_mean", runningMean), NamedTensor("running_var", runningVariance)]
    }
}

extension Tensor {
    fileprivate func doubles() throws -> [Double] { try to(.float64).values(of: Double.self) }
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

/// Group normalization; with a group a channel it is instance normalization, with one group layer normalization.
final class GroupNormalization: NormalizationLayer {
    var mode: Mode = .training
    private let scale: Tensor
    private let shift: Tensor
    private let groups: Int

    init(scale: Tensor, shift: Tensor, groups: Int) {
        self.scale = scale
        self.shift = shift
        self.groups = groups
    }

    func frozen(_ type: Tensor.ElementType) throws -> any Layer {
        let type = type.isHalf ? .float32 : type
        return GroupNormalization(scale: try scale.frozen(type), shift: try shift.frozen(type), groups: groups)
    }

    func callAsFunction(_ input: Tensor) throws -> Tensor {
        try input.groupNormalized(groups: groups, scale: scale, shift: shift)
    }

    var parameters: [NamedTensor] { [NamedTensor("weight", scale), NamedTensor("bias", shift)] }
}
