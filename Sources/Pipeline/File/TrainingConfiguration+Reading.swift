import Training
import Volumes

extension YAMLValue {
    /// The `training:` part of a pipeline file, over `defaults`.
    func training(_ defaults: TrainingConfiguration) throws -> TrainingConfiguration {
        let keys = try mapping(of: [
            "steps", "patch", "batch", "seed", "optimizer", "learning_rate", "weight_decay", "momentum",
            "gradient_clipping", "foreground_oversampling", "border_weight", "border_sigma", "augmentation",
            "validations",
        ])
        let positive = Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude
        let notNegative = 0...Double.greatestFiniteMagnitude
        var training = defaults
        if let value = keys["steps"] { training.steps = try value.integer(atLeast: 1, atMost: 100_000_000) }
        if let value = keys["patch"] {
            let sides = try value.triple(atLeast: 1, atMost: 1024)
            training.patch = ZYX(sides[0], sides[1], sides[2])
        }
        if let value = keys["batch"] { training.batch = try value.integer(atLeast: 1, atMost: 1024) }
        if let value = keys["seed"] { training.seed = UInt64(try value.integer(atLeast: 0)) }
        if let value = keys["optimizer"] {
            training.optimizer = try value.optimizer()
            if training.optimizer == .sgd { training.learningRate = 1e-2 }
        }
        if let value = keys["learning_rate"] { training.learningRate = try value.number(in: positive) }
        if let value = keys["weight_decay"] { training.weightDecay = try value.number(in: notNegative) }
        if let value = keys["momentum"] { training.momentum = try value.number(in: 0...1) }
        if let value = keys["gradient_clipping"] { training.gradientClipping = try value.number(in: positive) }
        if let value = keys["foreground_oversampling"] {
            training.foregroundOversampling = try value.number(in: 0...1)
        }
        if let value = keys["border_weight"] { training.borderWeight = try value.number(in: notNegative) }
        if let value = keys["border_sigma"] { training.borderSigma = try value.number(in: positive) }
        if let value = keys["validations"] { training.validations = try value.integer(atLeast: 1, atMost: 10_000) }
        training.augmentation = try keys["augmentation"]?.augmentation() ?? Augmentation()
        return training
    }

    private func optimizer() throws -> TrainingConfiguration.Optimizer {
        switch try text() {
        case "adamw": .adamW
        case "sgd": .sgd
        default: throw misfit("adamw or sgd")
        }
    }

    private func augmentation() throws -> Augmentation {
        let keys = try mapping(of: ["flips", "axis_swaps", "intensity"])
        return Augmentation(
            flips: try keys["flips"]?.boolean() ?? true, axisSwaps: try keys["axis_swaps"]?.boolean() ?? true,
            intensity: try keys["intensity"]?.boolean() ?? true)
    }

    /// `population`, `running` or `{population: 64}`: the statistics that normalization uses after training.
    func statistics() throws -> TrainingConfiguration.Statistics {
        if isMapping {
            guard let patches = try mapping(of: ["population"])["population"] else {
                throw misfit("population, running or {population: PATCHES}")
            }
            return .population(patches: try patches.integer(atLeast: 1, atMost: 1_000_000))
        }
        switch try text() {
        case "population": return TrainingConfiguration().statistics
        case "running": return .running
        default: throw misfit("population, running or {population: PATCHES}")
        }
    }
}
