import Diagnosis
import Foundation

extension SignalPropagation {
    /// Variances by depth: the network's beside those of chains whose variances theory predicts.
    func section(_ trial: TrainingTrial?) -> DiagnosisReport.Section {
        let found = network.map { "in \($0.name), whose line ends before its output layer, \($0.changes)." } ?? ""
        var section = DiagnosisReport.Section(
            title: "Signals by depth",
            pictures: [
                DiagnosisReport.Picture(
                    name: "signal-forward",
                    plot: plot("Variance of activations at initialization", "variance") { $0.map(\.activation) },
                    explanation:
                        "He initialization keeps the variance of plain layers; every residual block doubles it (more "
                        + "than doubles it where branches end in a ReLU and so only add) unless the sum is scaled by "
                        + "1/√2, and with batch norm first in each branch it grows by 1 a block. A network whose line "
                        + "leaves 1 by many powers of ten computes with numbers that are next to nothing, or "
                        + "overflow.",
                    finding: found,
                    source: "He et al. 2015, Delving deep into rectifiers; De & Smith 2020"),
                DiagnosisReport.Picture(
                    name: "signal-backward",
                    plot: plot("Variance of gradients at initialization", "relative variance") {
                        layers in
                        layers.map { $0.gradient / (layers.last?.gradient ?? 1) }
                    },
                    explanation:
                        "The same on the way back: how large the gradient of the output is at each layer, in units of "
                        + "that at the last, the first layers being on the left. Where it changes by many powers of "
                        + "ten from end to end, no learning rate suits both ends.",
                    source: "Glorot & Bengio 2010; He et al. 2015; De & Smith 2020"),
            ])
        if let trial { section.pictures.append(trial.picture) }
        return section
    }

    /// Those of the chains that coincide, plain and 1/√2, have patterns that show through one another.
    private static let strokes: [Stroke] = [.longDashed, .dashed, .dotted, .dashDotted, .dashed]

    private func plot(_ title: String, _ label: String, _ values: ([Layer]) -> [Double]) -> Plot {
        func points(_ layers: [Layer]) -> [(x: Double, y: Double)] {
            values(layers).enumerated().map { (x: Double($0 + 1), y: $1) }
        }
        let own = network.map { [Plot.Series(name: $0.name, points: points($0.inner))] } ?? []
        let others = references.enumerated().map { index, series in
            Plot.Series(
                name: series.name, points: points(series.layers),
                stroke: Self.strokes[index % Self.strokes.count])
        }
        // Sums without a scale reach 10²⁰; the network's line matters.
        let highest = own.flatMap(\.points).map(\.y).filter(\.isFinite).max() ?? 1
        let limit = max(1e6, highest > 0 ? pow(10, log10(highest).rounded(.up) + 1) : 0)
        return Plot(
            title: title, xLabel: "layer or block", yLabel: label, yScale: .logarithmic, yLimit: limit,
            series: own + others)
    }
}

extension TrainingTrial {
    fileprivate var picture: DiagnosisReport.Picture {
        let rates = attempts.map(\.learningRate)
        func name(_ attempt: Attempt) -> String { "rate \(plain(attempt.learningRate)), seed \(attempt.seed)" }
        var series = attempts.enumerated().map { index, attempt in
            let first = rates.firstIndex(of: attempt.learningRate) ?? index
            return Plot.Series(
                name: name(attempt), points: attempt.losses.enumerated().map { (x: Double($0 + 1), y: $1) },
                stroke: Stroke(place: index - first), colorOf: first == index ? nil : name(attempts[first]))
        }
        let losses = attempts.flatMap(\.losses).sorted()
        let end = Double(max(2, attempts.map(\.losses.count).max() ?? 0))
        series.append(
            Plot.Series(
                name: "guessing", points: [(1, Self.chanceLoss), (end, Self.chanceLoss)], stroke: .longDashed))
        // A network whose losses are mostly in the thousands is shown on its own scale; single ones are cut off.
        let isHigh = losses.isEmpty ? false : losses[losses.count / 2] > 2
        return DiagnosisReport.Picture(
            name: "signal-trial",
            plot: Plot(
                title: "Telling bright from dark: \(network)", xLabel: "step", yLabel: "cross-entropy",
                yScale: isHigh ? .logarithmic : .linear, yLimit: isHigh ? nil : 2, series: series),
            explanation:
                "Noise in which the object is brighter, new in each step, from two or three initial weights (seeds) a "
                + "learning rate, until the loss is half of that of guessing or 50 steps are done. It shows what "
                + "variances do not: deep plain networks keep them and still do not move, for their gradients are "
                + "shattered.",
            source: "Balduzzi et al. 2017; the test itself is common practice")
    }
}
