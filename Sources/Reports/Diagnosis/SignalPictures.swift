import Diagnosis
import Foundation

extension SignalPropagation {
    /// Variances by depth: the network's beside those of chains whose variances theory predicts.
    func section(_ trial: TrainingTrial?) -> DiagnosisReport.Section {
        var section = DiagnosisReport.Section(
            title: "Signals by depth",
            pictures: [
                DiagnosisReport.Picture(
                    name: "signal-forward",
                    plot: plot("Variance of activations at initialization", \.activation),
                    explanation:
                        "He initialization keeps the variance of plain layers, every residual block doubles it unless "
                        + "the sum is scaled by 1/√2, and with batch norm first in each branch it grows by 1 a block. "
                        + "A network whose line leaves the picture's middle by many powers of ten computes with numbers "
                        + "that are next to nothing, or overflow.",
                    source: "He et al. 2015, Delving deep into rectifiers; De & Smith 2020"),
                DiagnosisReport.Picture(
                    name: "signal-backward",
                    plot: plot("Variance of gradients at initialization", \.gradient),
                    explanation:
                        "The same on the way back: how large the gradient of the output is at each layer, the first "
                        + "layers being on the left. Where it changes by many powers of ten from end to end, no learning "
                        + "rate suits both ends.",
                    source: "Glorot & Bengio 2010; He et al. 2015; De & Smith 2020"),
            ])
        if let trial { section.pictures.append(trial.picture) }
        return section
    }

    private func plot(_ title: String, _ value: KeyPath<Layer, Double>) -> Plot {
        let series = ([network].compactMap { $0 } + references).map { series in
            Plot.Series(
                name: series.name,
                points: series.layers.enumerated().map { (x: Double($0 + 1), y: $1[keyPath: value]) },
                isDashed: references.contains(series))
        }
        return Plot(
            title: title, xLabel: "layer or block", yLabel: "variance", yScale: .logarithmic, series: series)
    }
}

extension TrainingTrial {
    fileprivate var picture: DiagnosisReport.Picture {
        let rates = attempts.map(\.learningRate)
        var series = attempts.enumerated().map { index, attempt in
            let name = "rate \(plain(attempt.learningRate))"
            let isFirst = rates.firstIndex(of: attempt.learningRate) == index
            return Plot.Series(
                name: isFirst ? name : "", points: attempt.losses.enumerated().map { (x: Double($0 + 1), y: $1) },
                colorOf: isFirst ? nil : name)
        }
        let losses = attempts.flatMap(\.losses)
        let end = Double(max(2, attempts.map(\.losses.count).max() ?? 0))
        series.append(
            Plot.Series(name: "guessing", points: [(1, Self.chanceLoss), (end, Self.chanceLoss)], isDashed: true))
        return DiagnosisReport.Picture(
            name: "signal-trial",
            plot: Plot(
                title: "Telling bright from dark: \(network)", xLabel: "step", yLabel: "cross-entropy",
                // Where a network starts from losses in the thousands, the rest would be a flat line.
                yScale: (losses.max() ?? 0) > 10 ? .logarithmic : .linear, series: series),
            explanation:
                "Noise in which the object is brighter, new in each step, from several initial weights, until the loss "
                + "is half of that of guessing. What variances do not show this does: deep plain networks keep them and "
                + "still do not move, for their gradients are shattered.",
            source: "Balduzzi et al. 2017; the test itself is common practice")
    }
}
