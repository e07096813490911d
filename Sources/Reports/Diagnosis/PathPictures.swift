import Diagnosis
import Foundation

extension PathFindings {
    /// How many paths there are of each length, what they carry, and what the loss of a block does.
    var section: DiagnosisReport.Section {
        var section = DiagnosisReport.Section(
            title: "Paths of a residual network", pictures: [picture(of: reference, "paths-reference")])
        if let network { section.pictures.append(picture(of: network, "paths-network")) }
        if let deletion { section.pictures.append(picture(of: deletion)) }
        let missing = reasons.sorted { $0.key < $1.key }.map { "<p>\(escaped($0.key)): \(escaped($0.value))</p>" }
        section.table = missing.joined(separator: "\n")
        return section
    }

    /// Shares of all, so that numbers of paths and what they carry stand in one picture.
    private func picture(of paths: GradientPaths, _ name: String) -> DiagnosisReport.Picture {
        func shares(_ values: [Double]) -> [(x: Double, y: Double)] {
            let total = values.reduce(0, +)
            return zip(paths.lengths, values).map { (Double($0.length), total > 0 ? $1 / total : 0) }
        }
        return DiagnosisReport.Picture(
            name: name,
            plot: Plot(
                title: "Paths by length: \(paths.network)", xLabel: "branches on the path", yLabel: "share",
                series: [
                    Plot.Series(name: "number of paths", points: shares(paths.lengths.map(\.paths))),
                    Plot.Series(name: "gradient they carry", points: shares(paths.lengths.map(\.weight))),
                ]),
            explanation:
                "The gradient of a residual network is a sum over paths, since each block is passed by its branch or by "
                + "its shortcut. A path's gradient shrinks or grows with every branch on it, so that paths of few "
                + "lengths may carry nearly all of it.",
            finding: paths.finding,
            source: "Veit, Wilber & Belongie 2016, Residual networks behave like ensembles, figure 6")
    }

    private func picture(of deletion: BlockDeletion) -> DiagnosisReport.Picture {
        let losses = deletion.blocks.map(\.loss).sorted()
        let blocks = deletion.blocks.enumerated().map { (x: Double($0 + 1), y: $1.loss) }
        return DiagnosisReport.Picture(
            name: "paths-deletion",
            plot: Plot(
                title: "Loss without one block: \(deletion.network)", xLabel: "deleted block", yLabel: "loss",
                // One block without which all is lost would flatten the others.
                yScale: (losses.max() ?? 0) > 10 * (losses.min() ?? 0) ? .logarithmic : .linear,
                series: [
                    Plot.Series(name: "without the block", points: blocks),
                    Plot.Series(
                        name: "whole network",
                        points: [(1, deletion.loss), (Double(max(2, blocks.count)), deletion.loss)], stroke: .dashed
                    ),
                ]),
            explanation:
                "The loss of a trained network without one of its residual blocks. In a chain of blocks half of all "
                + "paths go past any one, so a deep and well trained residual network can miss most of its blocks.",
            finding:
                "the loss of \(deletion.network), as far as it is trained, \(decimal(deletion.loss)), becomes "
                + "\(decimal(losses.min())) to \(decimal(losses.max())), \(decimal(losses[losses.count / 2])) in the "
                + "middle."
                + (deletion.isStandIn
                    ? " The stand-in is a small network that learnt the same data for a moment: the pipeline has no "
                        + "trained network with residual blocks." : ""),
            source: "Veit et al. 2016, figure 3")
    }
}
