import Tensors

/// The U-Net of Ronneberger et al. 2015 in 3D (Çiçek et al. 2016), or 2D, with zero padding that keeps the size.
///
/// `[batch, in, z, y, x]` gives logits `[batch, out, z, y, x]`; z, y and x are multiples of ``totalStride``.
///
///     0  ── block ──────────────── skip ──────────────▶ join ── block ── head ──▶
///             └─ pool ─▶ 1  block ──── skip ────▶ join ── block ─┘ upsample
///                          └─ pool ─▶ 2  block ──────────┘ upsample
public final class UNet: Layer {
    public let configuration: UNetConfiguration
    let encoder: [ConvolutionBlock]
    /// By level: `upsampling[l]` leads from level l + 1 to level l, `decoder[l]` follows the join there.
    let upsampling: [any UpsamplingLayer]
    let decoder: [ConvolutionBlock]
    let head: Convolution

    /// A network in training mode whose weights are a function of the configuration and `seed`.
    ///
    /// - Throws: ``UNetConfigurationError``, or ``TensorError`` where memory or the device is missing.
    public init(_ configuration: UNetConfiguration, seed: UInt64, device: Device = .cpu) throws {
        try configuration.validate()
        self.configuration = configuration
        let c = configuration
        func block(_ input: Int, _ level: Int, _ name: String) throws -> ConvolutionBlock {
            try ConvolutionBlock(
                input, c.features(at: level), kernel: c.kernels[level], count: c.convolutionsPerLevel,
                normalization: c.normalization, seed: seed, name: "\(name).\(level)", device: device)
        }
        encoder = try (0..<c.levels).map {
            try block($0 == 0 ? c.inputChannels : c.features(at: $0 - 1), $0, "encoder")
        }
        upsampling = try (0..<c.levels - 1).map {
            try c.upsampling.layer(
                c.features(at: $0 + 1), c.features(at: $0), stride: c.strides[$0], kernel: c.kernels[$0],
                seed: seed,
                name: "upsampling.\($0)", device: device)
        }
        decoder = try (0..<c.levels - 1).map { try block(2 * c.features(at: $0), $0, "decoder") }
        head = try Convolution(
            c.features(at: 0), c.outputChannels, kernel: Array(repeating: 1, count: c.dimensions), hasBias: true,
            seed: seed, name: "head", device: device)
    }

    public func callAsFunction(_ input: Tensor) throws -> Tensor {
        try configuration.requireFit(input)
        let body = UNetBody(
            encoder: encoder, upsampling: upsampling, decoder: decoder, strides: configuration.strides)
        let features = try body(input)
        // Under autocast, too, logits are f32: votes are cast where bf16 has three digits.
        return try withAutocast(.f32, on: input.device) { try head(features.to(.float32)) }
    }

    /// How normalizations behave.
    public var mode: Mode = .training {
        didSet {
            for normalization in normalizations { normalization.mode = mode }
        }
    }

    /// Stores the statistics that the forward passes in ``Mode/population`` have pooled; networks without batch
    /// normalization have none to store.
    public func storePopulationStatistics() throws {
        for case let normalization as BatchNormalization in normalizations {
            try normalization.storePopulationStatistics()
        }
    }

    private var normalizations: [any NormalizationLayer] {
        (encoder + decoder).flatMap { $0.units.map(\.normalization) }
    }
}

/// The path of the data through a U-Net's blocks, all but the last layer.
struct UNetBody {
    let encoder: [any Layer]
    let upsampling: [any Layer]
    let decoder: [any Layer]
    let strides: [[Int]]

    func callAsFunction(_ input: Tensor) throws -> Tensor {
        var signal = try input.contiguous(.channelsLast)
        var skips: [Tensor] = []
        for (block, stride) in zip(encoder, strides) {
            skips.append(try block(signal))
            signal = try skips[skips.count - 1].maxPooled(stride)
        }
        signal = try encoder[encoder.count - 1](signal)
        for level in decoder.indices.reversed() {
            let joined = try Tensor.concatenate([skips.removeLast(), upsampling[level](signal)], axis: 1)
            signal = try decoder[level](joined)
        }
        return signal
    }
}

extension UNetConfiguration {
    /// An input that fits neither the channels nor the strides would fail deep inside, where nobody knows why.
    func requireFit(_ input: Tensor) throws {
        let shape = input.shape
        let expected = "[batch, \(inputChannels), \(dimensions) extents in multiples of \(totalStride)]"
        guard shape.count == dimensions + 2, shape[1] == inputChannels,
            zip(shape.dropFirst(2), totalStride).allSatisfy({ $0 > 0 && $0 % $1 == 0 })
        else { throw TensorError.state("network input has shape \(shape), expected \(expected)") }
    }
}

// Parameters and state.
extension UNet {
    public var parameters: [NamedTensor] { named { $0.parameters } }
    public var buffers: [NamedTensor] { named { $0.buffers } }

    /// Numbers that training changes.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }

    /// All parameters and buffers by name, sharing the network's storage.
    public func stateDictionary() -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: (parameters + buffers).map { ($0.name, $0.tensor) })
    }

    /// Overwrites parameters and buffers.
    ///
    /// - Throws: ``TensorError/state(_:)`` where a tensor is missing, has another shape, or belongs to no part of
    ///   this network; the network is then unchanged.
    public func load(_ state: [String: Tensor]) throws {
        let own = parameters + buffers
        for (name, tensor) in own.map({ ($0.name, $0.tensor) }) {
            guard let found = state[name] else { throw TensorError.state("tensor '\(name)' is missing") }
            guard found.shape == tensor.shape else {
                throw TensorError.state("tensor '\(name)' has shape \(found.shape), expected \(tensor.shape)")
            }
        }
        let names = Set(own.map(\.name))
        if let stranger = state.keys.filter({ !names.contains($0) }).min() {
            throw TensorError.state("tensor '\(stranger)' belongs to no part of this network")
        }
        for part in own { try part.tensor.assign(state[part.name]!) }
    }

    private func named(_ tensors: (any Layer) -> [NamedTensor]) -> [NamedTensor] {
        encoder.enumerated().flatMap { tensors($1).under("encoder.\($0)") }
            + upsampling.enumerated().flatMap { tensors($1).under("upsampling.\($0)") }
            + decoder.enumerated().flatMap { tensors($1).under("decoder.\($0)") }
            + tensors(head).under("head")
    }
}
