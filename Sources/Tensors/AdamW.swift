import CTorch

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019), libtorch's fused kernel.
public final class AdamW: Optimizer {
    public var rate: Double
    public let parameters: [NamedTensor]
    private let betas: (Double, Double)
    private let decay: Double
    private let epsilon: Double
    private let means: [Tensor]
    private let squares: [Tensor]
    private let steps: [Tensor]

    /// - Parameters:
    ///   - betas: decay of the running mean of gradients and of their squares.
    ///   - decay: weight decay; each step takes `rate` · `decay` of a parameter away.
    public init(
        _ parameters: [NamedTensor], rate: Double, betas: (Double, Double) = (0.9, 0.999), decay: Double = 0.01,
        epsilon: Double = 1e-8
    ) throws {
        self.parameters = parameters
        self.rate = rate
        self.betas = betas
        self.decay = decay
        self.epsilon = epsilon
        means = try parameters.map { try $0.tensor.zerosLike() }
        squares = try parameters.map { try $0.tensor.zerosLike() }
        steps = try parameters.map { try Tensor.zeros([], device: $0.tensor.device) }
    }

    public func step() throws {
        let present = try withGradients()
        if present.isEmpty { return }
        let gradients: [OpaquePointer?] = present.map(\.gradient.handle)
        try withExtendedLifetime(present) {
            try check(
                ct_adamw_step(
                    present.map { parameters[$0.index].tensor.handle }, gradients,
                    present.map { means[$0.index].handle }, present.map { squares[$0.index].handle },
                    present.map { steps[$0.index].handle }, present.count, rate, betas.0, betas.1, decay, epsilon))
        }
    }

    public func state() throws -> [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (index, parameter) in parameters.enumerated() {
            for (part, tensor) in parts(index) { state["\(parameter.name).\(part)"] = tensor }
        }
        return state
    }

    public func load(_ state: [String: Tensor]) throws {
        for (index, parameter) in parameters.enumerated() {
            for (part, tensor) in parts(index) {
                try restore("\(parameter.name).\(part)", from: state, into: tensor)
            }
        }
    }

    private func parts(_ index: Int) -> [(String, Tensor)] {
        [("mean", means[index]), ("square", squares[index]), ("step", steps[index])]
    }
}
