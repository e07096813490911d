import Tensors

/// How weights are drawn: normal, with mean 0. Biases start at 0.
public enum Initialization: String, Codable, Sendable, CaseIterable {
    /// Variance 2 / fan-in: keeps the variance of signals on their way forward through ReLU (He et al. 2015).
    case he
    /// Variance 2 / fan-out: keeps the variance of gradients on their way back.
    case heFanOut = "he-fan-out"
    /// Variance 2 / (fan-in + fan-out): a compromise of both for layers without ReLU (Glorot & Bengio 2010).
    case glorot

    /// - Parameters:
    ///   - fanIn, fanOut: connections into an output and out of an input.
    public func variance(fanIn: Int, fanOut: Int) -> Double {
        switch self {
        case .he: 2 / Double(fanIn)
        case .heFanOut: 2 / Double(fanOut)
        case .glorot: 2 / Double(fanIn + fanOut)
        }
    }
}

/// How the weights of a network start.
enum InitialWeights {
    /// Random numbers that are a function of the seed and of each tensor's name.
    case drawn(seed: UInt64)
    /// For weights that are loaded next.
    case zero

    /// A trainable weight, channels-last where it has space.
    func weight(
        _ shape: [Int], variance: Double, name: String, device: Device, type: Tensor.ElementType
    ) throws -> Tensor {
        let format: Tensor.MemoryFormat = shape.count > 3 ? .channelsLast : .contiguous
        guard case .drawn(let seed) = self else {
            return try trainable(.zeros(shape, type: type, device: device).contiguous(format))
        }
        return try trainable(
            Tensor.gaussian(
                shape, deviation: variance.squareRoot(), CounterRandom(seed: seed, stream: name), type: type,
                device: device
            ).contiguous(format))
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
