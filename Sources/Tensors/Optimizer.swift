import CTorch

/// A tensor and the name it has in files.
public struct NamedTensor {
    public var name: String
    public var tensor: Tensor

    public init(_ name: String, _ tensor: Tensor) {
        self.name = name
        self.tensor = tensor
    }
}

/// Changes parameters by their gradients.
public protocol Optimizer: AnyObject {
    /// Learning rate of the next step; a schedule sets it.
    var rate: Double { get set }
    var parameters: [NamedTensor] { get }
    /// One step with the gradients there are; parameters without one stay as they are.
    func step() throws
    /// What has to be kept, beside the parameters, for a run to go on as if it had not stopped.
    func state() throws -> [String: Tensor]
    /// Takes up a state that ``state()`` gave.
    ///
    /// - Throws: ``TensorError/state(_:)`` for a missing or misshaped tensor.
    func load(_ state: [String: Tensor]) throws
}

extension Optimizer {
    /// Forgets all gradients; call it before each backward pass.
    public func clearGradients() throws {
        for parameter in parameters { try parameter.tensor.clearGradient() }
    }

    /// Scales the gradients so that their joint Euclidean norm is at most `limit`; gives the norm they had.
    ///
    /// - Parameter scale: by which the gradients are larger than they should be; they are divided by it first.
    @discardableResult
    public func clipGradients(toNorm limit: Double, scaledBy scale: Double = 1) throws -> Double {
        var norm = 0.0
        let handles: [OpaquePointer?] = parameters.map(\.tensor.handle)
        try check(ct_clip_gradients(handles, handles.count, scale, limit, &norm))
        return norm
    }

    /// Parameters that have a gradient, by index, with it.
    func withGradients() throws -> [(index: Int, gradient: Tensor)] {
        try parameters.enumerated().compactMap { index, parameter in
            try parameter.tensor.gradient().map { (index, $0) }
        }
    }
}

/// Copies the tensor of that name out of a state into `target`, which has the shape it must have.
func restore(_ name: String, from state: [String: Tensor], into target: Tensor) throws {
    guard let source = state[name] else { throw TensorError.state("tensor '\(name)' is missing") }
    guard source.shape == target.shape else {
        throw TensorError.state("tensor '\(name)' has shape \(source.shape), expected \(target.shape)")
    }
    try target.assign(source)
}
