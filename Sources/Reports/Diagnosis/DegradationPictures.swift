import Diagnosis
import Foundation

extension Degradation.Result {
    /// Curves of training loss and test error, each the mean over seeds.
    var section: DiagnosisReport.Section {
        let count = "mean of \(plan.seeds.count) seed\(plan.seeds.count == 1 ? "" : "s")"
        let title = networks.map(\.name).joined(separator: ", ")
        return DiagnosisReport.Section(
            title: "Degradation: \(title)",
            pictures: [
                DiagnosisReport.Picture(
                    name: "degradation-training",
                    plot: Plot(
                        title: "Training loss", xLabel: "step", yLabel: "cross-entropy, \(count)",
                        yScale: .logarithmic, series: series(\.trainingLoss)),
                    explanation:
                        "Deeper plain networks fit even the samples they learn from worse than shallower ones, though "
                        + "they contain them: that is no overfitting, but a failure to optimize. With a shortcut around "
                        + "every two layers (dashed), and otherwise the same network, data and schedule, depth does not "
                        + "hurt.",
                    source: "He, Zhang, Ren & Sun 2015, Deep residual learning, figures 1 and 6"),
                DiagnosisReport.Picture(
                    name: "degradation-test",
                    plot: Plot(
                        title: "Test error", xLabel: "step", yLabel: "share of wrong answers, \(count)",
                        series: series(\.testError)),
                    explanation:
                        "The share of \(testSamples) patches, from places that no network has seen, whose central voxel "
                        + "is wrongly said to be inside or outside of an object. What a network does not fit in training "
                        + "it does not know here either.",
                    source: "He et al. 2015; the task is that of Cireşan et al. 2012"),
            ], table: table)
    }

    private func series(_ value: KeyPath<Degradation.Point, Double>) -> [Plot.Series] {
        networks.map { network in
            let runs = runs.filter { $0.network == network }
            let points = (runs.first?.points ?? []).enumerated().map { index, point in
                let values = runs.compactMap { $0.points.indices.contains(index) ? $0.points[index] : nil }
                let mean = values.reduce(0) { $0 + $1[keyPath: value] } / Double(values.count)
                return (x: Double(point.step), y: mean)
            }
            // A network and its twin share a colour.
            let twin = ThinClassifier(layers: network.layers, isResidual: false, features: network.features)
            return Plot.Series(
                name: network.name, points: points, stroke: network.isResidual ? .dashed : .solid,
                colorOf: network.isResidual ? twin.name : nil)
        }
    }

    private var table: String {
        var table = Table([
            .text("Network"), .number("Seeds"), .number("Training loss"), .number("from"), .number("to"),
            .number("Test error"),
        ])
        for network in networks {
            let last = runs.filter { $0.network == network }.compactMap(\.points.last)
            let losses = last.map(\.trainingLoss)
            let error = last.reduce(0) { $0 + $1.testError } / Double(max(1, last.count))
            table.add([
                network.name, "\(last.count)", decimal(finalTrainingLoss(of: network)), decimal(losses.min()),
                decimal(losses.max()), percent(error),
            ])
        }
        return table.html
    }
}
