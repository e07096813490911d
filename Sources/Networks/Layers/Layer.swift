import Tensors

/// A part of a network that has parameters or keeps buffers.
public protocol Layer: AnyObject {
    /// Applies the layer to `[batch, channel, z, y, x]` (2D: `[batch, channel, y, x]`).
    func callAsFunction(_ input: Tensor) throws -> Tensor

    /// What training changes by gradients, in a fixed order.
    var parameters: [NamedTensor] { get }

    /// What is kept beside the parameters, such as running statistics.
    var buffers: [NamedTensor] { get }

    /// This layer with parameters and buffers of its own that do not train, weights in `type`.
    func frozen(_ type: Tensor.ElementType) throws -> any Layer
}

extension Layer {
    public var buffers: [NamedTensor] { [] }
}

/// How normalizations with statistics of a batch behave.
public enum Mode: Sendable, Equatable {
    /// Normalize by the batch's statistics, move the running ones towards them.
    case training
    /// Normalize by the stored statistics.
    case evaluation
    /// Normalize by the batch's statistics and pool them, for ``Network/storePopulationStatistics()``.
    case population
}

extension [NamedTensor] {
    /// These tensors under `name.` in front of their own names.
    func under(_ name: String) -> [NamedTensor] { map { NamedTensor("\(name).\($0.name)", $0.tensor) } }
}
