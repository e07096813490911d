import Labeling

extension YAMLValue {
    /// The `label:` of a pipeline file, over `defaults`.
    func label(_ defaults: LabelSettings) throws -> LabelSettings {
        let keys = try mapping(of: ["connectivity", "min_voxels", "regrow", "merge"])
        var label = defaults
        if let value = keys["connectivity"] {
            guard let connectivity = Int(try value.text()).flatMap(Connectivity.init(rawValue:)) else {
                throw value.misfit("4 or 8 (within sections), 6, 18 or 26")
            }
            label.connectivity = connectivity
        }
        if let value = keys["min_voxels"] { label.minimumVoxels = try value.integer(atLeast: 0) }
        if let value = keys["regrow"] { label.regrow = try value.isNone ? nil : value.regrowth() }
        if let value = keys["merge"] { label.merge = try value.isNone ? nil : value.merging() }
        return label
    }

    /// Whether it says `none`, against a model that says otherwise.
    private var isNone: Bool { node.string == "none" }

    private func merging() throws -> LabelSettings.Merging {
        guard let above = try mapping(of: ["above"])["above"] else {
            throw misfit("a mean affinity, such as {above: 0.7}, or {above: auto}")
        }
        let isAuto = above.node.string == "auto"
        return LabelSettings.Merging(above: isAuto ? nil : try above.number(in: 0...1))
    }

    private func regrowth() throws -> LabelSettings.Regrowth {
        let keys = try mapping(of: ["within", "seeds", "above"])
        guard let within = keys["within"] else { throw misfit("a distance, such as {within: 40 nm}") }
        let (length, unit) = try within.length()
        var regrow = LabelSettings.Regrowth(within: length * unit.nanometers)
        if let value = keys["seeds"] { regrow.seeds = try value.integer(atLeast: 1) }
        if let value = keys["above"] {
            regrow.above = try value.threshold()
            if regrow.above == nil { throw value.misfit("0.5 or {logit: 0}") }
        }
        return regrow
    }
}
