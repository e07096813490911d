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
        let followed =
            paths.sumError.map { error in
                "Their sum is the gradient, to a relative \(powerOfTen(Self.oneDigit(error)))"
            } ?? "Some paths of each length, drawn at random, stand for all"
        return DiagnosisReport.Picture(
            name: name,
            plot: Plot(
                title: "Paths of \(paths.network) by length", xLabel: "branches on the path", yLabel: "share",
                series: [
                    Plot.Series(name: "number of paths", points: shares(paths.lengths.map(\.paths))),
                    Plot.Series(name: "gradient they carry", points: shares(paths.lengths.map(\.weight))),
                ]),
            explanation:
                "\(paths.blocks) residual blocks make \(plain(paths.lengths.reduce(0) { $0 + $1.paths })) paths to the "
                + "\(paths.place.rawValue), most of them half as long as the network. \(followed); the gradient comes "
                + "from paths of few lengths, so a deep residual network is an ensemble of shallower ones.",
            source: "Veit, Wilber & Belongie 2016, Residual networks behave like ensembles, figure 6")
    }

    private func picture(of deletion: BlockDeletion) -> DiagnosisReport.Picture {
        let losses = deletion.blocks.map(\.loss).sorted()
        let blocks = deletion.blocks.enumerated().map { (x: Double($0 + 1), y: $1.loss) }
        return DiagnosisReport.Picture(
            name: "paths-deletion",
            plot: Plot(
                title: "Loss without one block: \(deletion.network)", xLabel: "deleted block", yLabel: "loss",
                series: [
                    Plot.Series(name: "without the block", points: blocks),
                    Plot.Series(
                        name: "whole network",
                        points: [(1, deletion.loss), (Double(max(2, blocks.count)), deletion.loss)], isDashed: true),
                ]),
            explanation:
                "The loss of a trained network without one of its residual blocks: \(decimal(deletion.loss)) becomes "
                + "\(decimal(losses.min())) to \(decimal(losses.max())), \(decimal(losses[losses.count / 2])) in the middle. Half "
                + "of all paths go past any block, so a deep residual network can miss most of its blocks, where a plain "
                + "one fails without any; of few blocks each is felt.",
            source: "Veit et al. 2016, figure 3")
    }

    private static func oneDigit(_ value: Double) -> Double {
        guard value > 0 else { return 1e-16 }
        return pow(10, log10(value).rounded(.up))
    }
}
