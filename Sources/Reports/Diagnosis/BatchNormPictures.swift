import Diagnosis
import Foundation

extension BatchNormBenefit.Result {
    /// - Parameter isShort: whether it is the first look, whose pictures have names of their own.
    func section(isShort: Bool) -> DiagnosisReport.Section {
        let name = isShort ? "batch-norm-short" : "batch-norm"
        return DiagnosisReport.Section(
            title: isShort ? "Batch normalization, a first look" : "Batch normalization",
            pictures: [
                DiagnosisReport.Picture(
                    name: "\(name)-rates", plot: ratePlot,
                    explanation:
                        "A thin network for this experiment, trained for \(plan.steps) steps of SGD with momentum at "
                        + "each learning rate; a line ends where two rates in a row do not train. Batch normalization "
                        + "keeps the scale of signals and gradients whatever the step did to the weights, so that it "
                        + "trains at higher rates.",
                    finding: "\(plan.network.name) on \(data): \(found).",
                    source: "Ioffe & Szegedy 2015; Santurkar et al. 2018; Bjorck et al. 2018"),
                DiagnosisReport.Picture(
                    name: "\(name)-spread", plot: spreadPlot,
                    explanation:
                        "What batch normalization makes of a sample depends on the samples that share its batch: the "
                        + "spread of the means it subtracts falls as 1/√batch (dashed), that of a fixed sample's output "
                        + "likewise once batches are not small. "
                        + "Ghost batches within a batch of \(plan.batchSizes.max() ?? 0) keep the spread, and so the "
                        + "regularization, of the small batches they are.",
                    source: "Hoffer, Hubara & Soudry 2017, Train longer, generalize better"),
            ])
    }

    private var found: String {
        func rate(_ isNormalized: Bool) -> String {
            highestRate(isNormalized: isNormalized).map {
                "at rates up to \(plain(($0 * 1_000).rounded() / 1_000))"
            }
                ?? "at none of them"
        }
        return "with batch normalization it trains \(rate(true)), without it \(rate(false))"
    }

    private var ratePlot: Plot {
        var series = ladders.map { ladder in
            let alike = ladders.filter { $0.isNormalized == ladder.isNormalized }.map(\.seed)
            func name(_ seed: UInt64) -> String {
                (ladder.isNormalized ? "with batch norm" : "without") + (alike.count > 1 ? ", seed \(seed)" : "")
            }
            return Plot.Series(
                name: name(ladder.seed), points: ladder.trials.map { ($0.rate, $0.loss ?? .nan) },
                stroke: Stroke(place: alike.firstIndex(of: ladder.seed) ?? 0),
                colorOf: alike.first == ladder.seed ? nil : alike.first.map(name))
        }
        let drawn = ladders.flatMap(\.trials).filter { $0.loss != nil }.map(\.rate)
        if let low = drawn.min(), let high = drawn.max() {
            series.append(
                Plot.Series(name: "guessing", points: [(low, log(2)), (high, log(2))], stroke: .longDashed))
        }
        return Plot(
            title: "Loss after \(plan.steps) steps by learning rate", xLabel: "learning rate",
            yLabel: "cross-entropy", xScale: .logarithmic, yLimit: Self.highestLoss, series: series)
    }

    /// Beyond it a loss says no more than that the network does not train.
    private static let highestLoss = 1.0

    private var spreadPlot: Plot {
        let batches = spreads.filter { !$0.isGhost }
        let ghosts = spreads.filter(\.isGhost)
        func points(_ spreads: [BatchNormBenefit.Spread], _ value: KeyPath<BatchNormBenefit.Spread, Double>)
            -> [(x: Double, y: Double)]
        {
            spreads.map { (Double($0.batch), $0[keyPath: value]) }
        }
        // Through the largest batch: what is expected of the others.
        let last = batches.last.map { $0.output * Double($0.batch).squareRoot() } ?? .nan
        return Plot(
            title: "Spread by batch size", xLabel: "samples that share statistics",
            yLabel: "relative standard deviation", xScale: .logarithmic, yScale: .logarithmic,
            series: [
                Plot.Series(name: "output, batch", points: points(batches, \.output)),
                Plot.Series(name: "output, ghost batch", points: points(ghosts, \.output)),
                Plot.Series(
                    name: "output, 1/√batch",
                    points: batches.map { (Double($0.batch), last / Double($0.batch).squareRoot()) },
                    stroke: .dashed, colorOf: "output, batch"),
                Plot.Series(name: "channel means", points: points(batches, \.mean)),
                Plot.Series(
                    name: "channel means, 1/√batch", points: points(batches, \.expectedMean), stroke: .dashed,
                    colorOf: "channel means"),
            ])
    }
}
