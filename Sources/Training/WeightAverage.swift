import Networks
import Tensors

/// The exponential moving average of a network's parameters (Polyak & Juditsky 1992), which is validated and kept in
/// their place.
///
/// A step moves it by 1 - min(decay, (1 + step) / (10 + step)) of the way, so that it does not remember the start.
final class WeightAverage {
    private let decay: Double
    private let parameters: [NamedTensor]
    private let averages: [Tensor]

    init(of parameters: [NamedTensor], decay: Double) throws {
        self.decay = decay
        self.parameters = parameters
        averages = try parameters.map { try $0.tensor.detached().copy() }
    }

    /// Takes up the parameters after a step, from 0.
    func update(step: Int) throws {
        let share = 1 - min(decay, Double(1 + step) / Double(10 + step))
        try withoutGradients {
            for (average, parameter) in zip(averages, parameters) {
                try average.add(parameter.tensor - average, scale: share)
            }
        }
    }

    /// Runs `body` with the averages as the network's parameters.
    func inPlace<Result>(_ body: () throws -> Result) throws -> Result {
        let own = try parameters.map { try $0.tensor.detached().copy() }
        try assign(averages)
        let result = Swift.Result { try body() }
        try assign(own)
        return try result.get()
    }

    private func assign(_ values: [Tensor]) throws {
        for (parameter, value) in zip(parameters, values) { try parameter.tensor.assign(value) }
    }

    func state() -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: zip(parameters, averages).map { ($0.name, $1) })
    }

    /// - Throws: `TensorError.state` for a missing or misshaped tensor.
    func load(_ average: (String) -> Tensor?) throws {
        for (parameter, own) in zip(parameters, averages) {
            guard let found = average(parameter.name), found.shape == own.shape else {
                throw TensorError.state("the average of '\(parameter.name)' is missing or has another shape")
            }
            try own.assign(found)
        }
    }
}
