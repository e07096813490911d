import Training
import Volumes

extension YAMLValue {
    /// The `training:` part of a pipeline file, over `defaults`.
    func training(_ defaults: TrainingConfiguration) throws -> TrainingConfiguration {
        let keys = try mapping(of: [
            "steps", "patch", "batch", "accumulation", "seed", "optimizer", "learning_rate", "schedule", "warm_up",
            "weight_decay", "momentum", "gradient_clipping", "averaging", "foreground_oversampling", "loss",
            "border",
            "balance_affinities", "augmentation", "validations", "keep", "patience",
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
        if let value = keys["accumulation"] { training.accumulation = try value.integer(atLeast: 1, atMost: 1024) }
        if let value = keys["seed"] { training.seed = UInt64(try value.integer(atLeast: 0)) }
        if let value = keys["optimizer"] {
            training.optimizer = try value.optimizer()
            if training.optimizer != defaults.optimizer {
                // Those of nnU-Net for SGD: the decay of AdamW is another thing.
                let usual = TrainingConfiguration()
                (training.learningRate, training.weightDecay) =
                    training.optimizer == .sgd ? (1e-2, 3e-5) : (usual.learningRate, usual.weightDecay)
            }
        }
        if let value = keys["learning_rate"] { training.learningRate = try value.number(in: positive) }
        if let value = keys["schedule"] { training.schedule.decay = try value.decay() }
        if let value = keys["warm_up"] {
            training.schedule.warmUp = try value.integer(atLeast: 0, atMost: training.steps - 1)
        }
        if let value = keys["weight_decay"] { training.weightDecay = try value.number(in: notNegative) }
        if let value = keys["momentum"] {
            training.momentum = try value.number(in: 0...1)
            guard training.momentum > 0, training.momentum < 1 else { throw value.misfit("above 0 and below 1") }
        }
        if let value = keys["gradient_clipping"] { training.gradientClipping = try value.number(in: positive) }
        if let value = keys["averaging"] { training.averaging = try value.averaging() }
        if let value = keys["foreground_oversampling"] {
            training.foregroundOversampling = try value.number(in: 0...1)
        }
        if let value = keys["loss"] { training.loss = try value.choice(Loss.self) }
        if let value = keys["border"] { training.border = try value.border() }
        if let value = keys["balance_affinities"] { training.isBalanced = try value.boolean() }
        if let value = keys["validations"] { training.validations = try value.integer(atLeast: 1, atMost: 10_000) }
        if let value = keys["keep"] { training.kept = try value.choice(TrainingConfiguration.Kept.self) }
        if let value = keys["patience"] { training.patience = try value.integer(atLeast: 1, atMost: 10_000) }
        if let value = keys["augmentation"] { training.augmentation = try value.augmentation() }
        return training
    }

    private func optimizer() throws -> TrainingConfiguration.Optimizer {
        switch try text() {
        case "adamw": .adamW
        case "sgd": .sgd
        default: throw misfit("adamw or sgd")
        }
    }

    private func decay() throws -> LearningRateSchedule.Decay {
        switch try text() {
        case "poly": LearningRateSchedule().decay
        case "cosine": .cosine
        default: throw misfit("poly or cosine")
        }
    }

    /// `none`, or the decay of the average.
    private func averaging() throws -> Double? {
        if (try? text()) == "none" { return nil }
        return try number(in: Double.leastNonzeroMagnitude...1.0.nextDown)
    }

    /// `none`, or weights and reaches that differ from the usual ones.
    private func border() throws -> BorderWeighting {
        if !isMapping {
            guard try text() == "none" else { throw misfit("none, or weights such as {separation: 50}") }
            return .none
        }
        let keys = try mapping(of: ["separation", "separation_sigma", "balance", "balance_sigma"])
        let sigmas = Double.leastNonzeroMagnitude...100
        var border = BorderWeighting()
        if let value = keys["separation"] { border.separation = try value.number(in: 0...1e6) }
        if let value = keys["separation_sigma"] { border.separationSigma = try value.number(in: sigmas) }
        if let value = keys["balance"] { border.balance = try value.number(in: 0...1) }
        if let value = keys["balance_sigma"] { border.balanceSigma = try value.number(in: sigmas) }
        return border
    }

    private func augmentation() throws -> Augmentation {
        if !isMapping {
            guard try text() == "none" else { throw misfit("none, or switches such as {rotation: true}") }
            return .none
        }
        let keys = try mapping(of: Augmentation.switches.map(\.name))
        var augmentation = Augmentation()
        for (name, path) in Augmentation.switches {
            guard let value = keys[name] else { continue }
            if name == "noise", let text = try? value.text(), Double(text) != nil {
                augmentation.noiseLevel = try value.number(in: 0...10)
            } else {
                augmentation[keyPath: path] = try value.boolean()
            }
        }
        return augmentation
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

extension Augmentation {
    /// By their keys in a pipeline file.
    fileprivate static var switches: [(name: String, path: WritableKeyPath<Augmentation, Bool>)] {
        [
            ("flips", \.flips), ("axis_swaps", \.axisSwaps), ("rotation", \.rotation), ("scaling", \.scaling),
            ("elastic", \.elastic), ("intensity", \.intensity), ("noise", \.noise), ("blur", \.blur),
            ("low_resolution", \.lowResolution), ("section_defects", \.sectionDefects),
        ]
    }

    /// What differs from the usual one, as a pipeline file has it: `{noise: 0.5, blur: true}`.
    var text: String {
        let usual = Augmentation()
        let changes = Self.switches.compactMap { name, path -> String? in
            if path == \.noise, let noiseLevel, noise { return "\(name): \(noiseLevel)" }
            return self[keyPath: path] == usual[keyPath: path] ? nil : "\(name): \(self[keyPath: path])"
        }
        return "{\(changes.joined(separator: ", "))}"
    }
}
