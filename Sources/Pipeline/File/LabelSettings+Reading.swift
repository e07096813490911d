import Foundation
import Labeling
import Volumes

extension YAMLValue {
    /// The `label:` of a pipeline file, over `defaults`.
    ///
    /// - Parameter members: of the ensemble that votes.
    func label(_ defaults: LabelSettings, members: Int) throws -> LabelSettings {
        let keys = try mapping(
            of: ["connectivity", "min_voxels", "regrow", "merge", "smooth", "fill_holes", "min_volume", "border"])
        var label = defaults
        if let value = keys["connectivity"] {
            guard let connectivity = Int(try value.text()).flatMap(Connectivity.init(rawValue:)) else {
                throw value.misfit("4 or 8 (within sections), 6, 18 or 26")
            }
            label.connectivity = connectivity
        }
        if let value = keys["min_voxels"] { label.minimumVoxels = try value.integer(atLeast: 0) }
        if let value = keys["regrow"] { label.regrow = try value.isNone ? nil : value.regrowth(members: members) }
        if let value = keys["merge"] { label.merge = try value.isNone ? nil : value.merging() }
        var finish = label.finish ?? LabelSettings.Finish()
        if let value = keys["smooth"] {
            finish.smoothing = try value.isNone ? nil : value.length().nanometers
        }
        if let value = keys["fill_holes"] { finish.fillHoles = try value.boolean() }
        if let value = keys["min_volume"] {
            finish.minimumVolume = try value.isNone ? nil : value.cubicMicrometers()
        }
        if let value = keys["border"] {
            switch try value.text() {
            case "keep": finish.dropsBorder = false
            case "drop": finish.dropsBorder = true
            default: throw value.misfit("keep or drop")
            }
        }
        label.finish = finish == LabelSettings.Finish() ? nil : finish
        return label
    }

    private func cubicMicrometers() throws -> Double {
        guard case .scalar(let scalar) = node, let volume = CubicLength(scalar.string) else {
            throw misfit("a volume with its unit such as '0.01 µm³' (units: nm³, µm³ or um3, mm³)")
        }
        return volume.cubicMicrometers
    }

    /// Whether it says `none`, against a model that says otherwise.
    var isNone: Bool { node.string == "none" }

    private func merging() throws -> LabelSettings.Merging {
        guard let above = try mapping(of: ["above"])["above"] else {
            throw misfit("a mean affinity, such as {above: 0.7}, or {above: auto}")
        }
        let isAuto = above.node.string == "auto"
        return LabelSettings.Merging(above: isAuto ? nil : try above.number(in: 0...1))
    }

    private func regrowth(members: Int) throws -> LabelSettings.Regrowth {
        let keys = try mapping(of: ["within", "votes", "seeds", "above"])
        guard keys["within"] != nil || keys["votes"] != nil else {
            throw misfit("a distance, such as {within: 40 nm}, or votes, such as {votes: majority}")
        }
        var regrow = LabelSettings.Regrowth(within: try keys["within"]?.length().nanometers)
        if let value = keys["votes"] {
            let isMajority = value.node.string == "majority"
            regrow.votes = isMajority ? members / 2 + 1 : try value.integer(atLeast: 1, atMost: 255)
        }
        if let value = keys["seeds"] { regrow.seeds = try value.integer(atLeast: 1) }
        if let value = keys["above"] {
            regrow.above = try value.threshold(like: "0.5 or {logit: 0}")
        }
        return regrow
    }
}
