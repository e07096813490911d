import Diagnosis
import Foundation

extension GradientFindings {
    /// Autocorrelations of gradients, examples of them, and what is left of a gradient after a step.
    var section: DiagnosisReport.Section {
        DiagnosisReport.Section(
            title: "Shattered gradients",
            pictures: [
                DiagnosisReport.Picture(
                    name: "gradients-example", plot: examplePlot,
                    explanation:
                        "How the output of networks of one number (of this experiment, not the one that is diagnosed) "
                        + "changes with their input: of one layer slowly, of 24 plain layers as noise does, of 24 "
                        + "residual ones somewhat less. A step along such a gradient leads nowhere, for next to where it "
                        + "was taken it is another.",
                    source: "Balduzzi et al. 2017, The shattered gradients problem, figure 1"),
                correlationPicture(.he), correlationPicture(.glorot),
                DiagnosisReport.Picture(
                    name: "gradients-stability", plot: stabilityPlot,
                    explanation:
                        "The cosine of each layer's gradient before and after one step along it, a step of "
                        + "\(percent(stability.relativeStep)) of the length of all weights. Near 1 the step did what the "
                        + "gradient promised; near 0 the next gradient knows nothing of the last.",
                    finding:
                        "the mean over layers is \(meanCosines). Sums alone do not mend it, a normalization first in "
                        + "each branch does.",
                    source: "Santurkar et al. 2018, How does batch normalization help optimization?"),
            ])
    }

    private func correlationPicture(_ setting: ShatteredGradients.Setting) -> DiagnosisReport.Picture {
        let weights =
            setting == .he
            ? "weights of variance 2 / fan-in and biases of variance 1"
            : "weights of variance 1 / fan-in, half of He's, and biases of that variance too"
        return DiagnosisReport.Picture(
            name: "gradients-\(setting == .he ? "he" : "glorot")",
            plot: Plot(
                title: "Autocorrelation of gradients, \(setting.rawValue)", xLabel: "lag in x",
                yLabel: "autocorrelation of ∂y/∂x",
                series: shattered.curves.filter { $0.setting == setting }.map {
                    Plot.Series(name: $0.kind.rawValue, points: Array(zip(shattered.lags, $0.autocorrelation)))
                }),
            explanation:
                "How alike the gradients at two inputs are, by their distance, with \(weights): mean over "
                + "\(shattered.networks) networks. Where it falls to 0 at once, the gradient is noise.",
            finding: "\(atShortLag(setting)).",
            source: "Balduzzi et al. 2017, figure 2; "
                + (setting == .he ? "He et al. 2015, Delving deep into rectifiers" : "Glorot & Bengio 2010"))
    }

    /// The numbers at a lag that tells the networks apart.
    private func atShortLag(_ setting: ShatteredGradients.Setting) -> String {
        let values = ShatteredGradients.Kind.allCases.compactMap { kind in
            shattered.autocorrelation(setting, kind, lag: 0.2)
                .map { "\(String(format: "%.2f", $0)) for \(kind.rawValue)" }
        }
        return "at a distance of 0.2 it is \(values.joined(separator: ", "))"
    }

    private var examplePlot: Plot {
        Plot(
            title: "∂y/∂x of one network", xLabel: "x", yLabel: "gradient / root mean square",
            series: shattered.curves.filter { $0.setting == .he }.map {
                Plot.Series(name: $0.kind.rawValue, points: Array(zip(shattered.grid, $0.example)))
            })
    }

    private var meanCosines: String {
        stability.series.map { series in
            let mean = series.cosines.reduce(0, +) / Double(max(1, series.cosines.count))
            return "\(series.name) \(String(format: "%.2f", mean))"
        }.joined(separator: ", ")
    }

    private var stabilityPlot: Plot {
        Plot(
            title: "What is left of a gradient after a step", xLabel: "layer", yLabel: "cosine before and after",
            series: stability.series.map { series in
                Plot.Series(
                    name: series.name, points: series.cosines.enumerated().map { (x: Double($0 + 1), y: $1) })
            })
    }
}
