import Labeling
import Volumes

extension LabelSettings {
    /// As a pipeline file has them, without braces around them.
    package var text: String {
        var keys = ["connectivity: \(connectivity.rawValue)", "min_voxels: \(minimumVoxels)"]
        if let regrow { keys.append("regrow: {\(regrow.text)}") }
        if let merge { keys.append("merge: {above: \(merge.above.map { "\($0)" } ?? "auto")}") }
        guard let finish else { return keys.joined(separator: ", ") }
        if let radius = finish.smoothing { keys.append("smooth: \(radius) nm") }
        if finish.fillHoles { keys.append("fill_holes: true") }
        if let volume = finish.minimumVolume { keys.append("min_volume: \(volume) µm³") }
        if finish.dropsBorder { keys.append("border: drop") }
        return keys.joined(separator: ", ")
    }
}

extension LabelSettings.Regrowth {
    fileprivate var text: String {
        var keys = within.map { ["within: \($0) nm"] } ?? []
        keys.append("seeds: \(seeds)")
        if let votes { keys.append("votes: \(votes)") }
        if let above { keys.append("above: {logit: \(above.logit)}") }
        return keys.joined(separator: ", ")
    }
}
