import Tensors

/// He's initialization for layers followed by ReLU (He et al. 2015): normal, mean 0, variance 2 / fan.
public enum HeInitialization: Sendable {
    /// Keeps the variance of signals on their way forward.
    case fanIn
    /// Keeps the variance of gradients on their way back.
    case fanOut

    /// A trainable weight of `shape`, channels-last, whose numbers are a function of `seed` and `name` alone.
    ///
    /// - Parameters:
    ///   - fanIn, fanOut: connections into an output and out of an input.
    func weight(shape: [Int], fanIn: Int, fanOut: Int, seed: UInt64, name: String, device: Device) throws -> Tensor
    {
        let fan = self == .fanIn ? fanIn : fanOut
        let deviation = (2 / Double(fan)).squareRoot()
        let random = CounterRandom(seed: seed, stream: name)
        let values = (0..<shape.reduce(1, *)).map { Float(deviation * random.normal(UInt64($0))) }
        return try trainable(Tensor(values, shape: shape, device: device).contiguous(.channelsLast))
    }
}

extension Tensor {
    /// A copy in the given type that belongs to no network in training.
    func frozen(_ type: ElementType) throws -> Tensor { try detached().copy().to(type) }
}

/// Marks a tensor as one that training changes.
func trainable(_ tensor: Tensor) throws -> Tensor {
    try tensor.setRequiresGradient(true)
    return tensor
}
