import Foundation
import Labeling
import Reports
import Volumes

/// How split and merge errors of a volume, or of the middle of a large one, against its truth go with the threshold: of each
/// member alone, of their mean, and of what all agree on.
struct ThresholdComparison: Codable {
    var members: [ThresholdCurve]
    var mean: ThresholdCurve
    var all: ThresholdCurve

    /// Voxels that are compared; all members' logits of these are in memory.
    static let largest = 1 << 24

    static let curvesName = "thresholds.json"
    static let pictureName = "thresholds.png"

    /// - Parameters:
    ///   - block: with the logits of each member.
    ///   - report: called with the share that is done.
    init(_ search: ThresholdSearch, _ block: CalibrationBlock, report: (Double) -> Void) throws {
        let count = Double(block.logits.count + 2)
        members = try block.logits.enumerated().map { index, logits in
            try search.best(for: .all, [CalibrationBlock(logits: [logits], truth: block.truth)]) {
                report((Double(index) + $0) / count)
            }
        }
        mean = try search.best(for: .mean, [block]) { report((count - 2 + $0) / count) }
        all = try search.best(for: .all, [block]) { report((count - 1 + $0) / count) }
    }

    /// Merge errors to the right, split errors upwards: the lower left is best. Thresholds that leave nothing, or more than
    /// two bits worse than the best of all, are not shown.
    func plot(of name: String) -> Plot {
        let best = (members + [mean, all]).map(\.best.variationOfInformation).min() ?? 0
        func series(_ name: String, _ curve: ThresholdCurve, _ stroke: Stroke, of color: String? = nil)
            -> Plot.Series
        {
            Plot.Series(
                name: name,
                points: curve.points.filter { $0.variationOfInformation < best + 2 }.map {
                    ($0.viMerge, $0.viSplit)
                },
                stroke: stroke, colorOf: color)
        }
        let singles = members.enumerated().map { index, curve in
            series("member \(index + 1)", curve, .dashed, of: index > 0 ? "member 1" : nil)
        }
        return Plot(
            title: "\(name): errors by threshold", xLabel: "VI merge (bits)", yLabel: "VI split (bits)",
            series: singles + [series("mean", mean, .solid), series("all agree", all, .solid)])
    }
}
