import Tensors

// What a training that stops and goes on keeps in its file.
extension Network {
    /// Parameters, buffers and the optimizer's state, under `network.` and `optimizer.`.
    public func trainingState(with optimizer: any Optimizer) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in stateDictionary() { tensors["network.\(name)"] = tensor }
        for (name, tensor) in try optimizer.state() { tensors["optimizer.\(name)"] = tensor }
        return tensors
    }

    /// Takes up what ``trainingState(with:)`` gave.
    ///
    /// - Throws: ``TensorError/state(_:)`` for a missing or misshaped tensor; network and optimizer may then be half
    ///   overwritten.
    public func loadTrainingState(_ tensors: [String: Tensor], with optimizer: any Optimizer) throws {
        try load(tensors.below("network."))
        try optimizer.load(tensors.below("optimizer."))
    }
}

extension [String: Tensor] {
    /// The tensors whose names begin with `prefix`, without it.
    fileprivate func below(_ prefix: String) -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for (name, tensor) in self where name.hasPrefix(prefix) {
            result[String(name.dropFirst(prefix.count))] = tensor
        }
        return result
    }
}
