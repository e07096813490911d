import CTorch

/// Stochastic gradient descent with Nesterov's momentum (Sutskever et al. 2013), libtorch's fused kernel.
public final class SGD: Optimizer {
    public var rate: Double
    public let parameters: [NamedTensor]
    private let momentum: Double
    private let decay: Double
    private let momenta: [Tensor]

    /// - Parameters:
    ///   - momentum: above 0, for Nesterov's momentum needs one.
    ///   - decay: weight decay, added to the gradient as `decay` · parameter.
    public init(_ parameters: [NamedTensor], rate: Double, momentum: Double = 0.99, decay: Double = 3e-5) throws {
        guard momentum > 0 else { throw TensorError.state("momentum must be above 0, found \(momentum)") }
        self.parameters = parameters
        self.rate = rate
        self.momentum = momentum
        self.decay = decay
        // A momentum of zeros makes the first step what libtorch's "first step" is: the gradient itself.
        momenta = try parameters.map { try $0.tensor.zerosLike() }
    }

    public func step() throws {
        let present = try withGradients()
        if present.isEmpty { return }
        let gradients: [OpaquePointer?] = present.map(\.gradient.handle)
        try withExtendedLifetime(present) {
            try check(
                ct_sgd_step(
                    present.map { parameters[$0.index].tensor.handle }, gradients,
                    present.map { momenta[$0.index].handle }, present.count, rate, momentum, decay, true, false))
        }
    }

    public func state() throws -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: zip(parameters, momenta).map { ("\($0.name).momentum", $1) })
    }

    public func load(_ state: [String: Tensor]) throws {
        for (parameter, momentum) in zip(parameters, momenta) {
            try restore("\(parameter.name).momentum", from: state, into: momentum)
        }
    }
}
