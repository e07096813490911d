import Foundation
import Labeling
import Volumes

extension PipelineRun {
    /// How well a volume is segmented by the votes that a voxel needs and by the threshold.
    public struct Sweep: Sendable {
        public struct Point: Sendable {
            public var votes: Int
            public var threshold: Threshold
            /// In bits.
            public var viSplit, viMerge: Double
            public var adaptedRandError: Double

            public var variationOfInformation: Double { viSplit + viMerge }
        }

        public var volume: String
        public var members: Int
        /// By votes, then by threshold.
        public var points: [Point]
        /// Where the points are written, a row each.
        public var table: String
    }

    /// Scores every volume with a truth at every number of votes and every threshold, from what members have predicted, and
    /// writes `sweep.csv` beside its results.
    ///
    /// - Throws: `FileFault` where no volume has a truth, or one is not predicted yet.
    public func sweep(
        shouldStop: @escaping () -> Bool, report: @escaping (_ volume: String, _ done: Double) -> Void
    ) throws -> [Sweep] {
        let scored = plan.volumes.compactMap { volume in volume.evaluate.map { (volume, $0) } }
        guard !scored.isEmpty else {
            throw FileFault(file.path, "no volume below segment: has a truth to compare with")
        }
        for (volume, evaluate) in scored {
            let needed = evaluate.dependencies + volume.consensus.predictions as [any Step]
            guard let missing = needed.first(where: { cache.state(of: $0) != .complete }) else { continue }
            throw FileFault(
                file.path,
                "\(missing.title) is not there yet; run: segment run \(shortened(file.path)) --until label")
        }
        let lock = try WorkFolderLock(workFolder)
        defer { lock.release() }
        let context = context(shouldStop: shouldStop)
        return try scored.map { volume, evaluate in
            let name = volume.entry.name
            let temporary = try TemporaryFolder()
            defer { temporary.remove() }
            context.report = { report(name, $0.fraction) }
            let curves = try evaluate.sweep(in: temporary.path, context)
            let points = curves.enumerated().flatMap { index, curve in
                curve.points.map {
                    Sweep.Point(
                        votes: index + 1, threshold: Threshold(logit: $0.logit), viSplit: $0.viSplit,
                        viMerge: $0.viMerge, adaptedRandError: $0.adaptedRandError)
                }
            }
            let path = volume.export.folder + "/sweep.csv"
            let rows = points.map {
                "\($0.votes),\($0.threshold.logit),\($0.threshold.probability),\($0.viSplit),\($0.viMerge),"
                    + "\($0.adaptedRandError)\n"
            }
            try AtomicFile.write(
                Data(("votes,logit,probability,vi_split,vi_merge,adapted_rand_error\n" + rows.joined()).utf8),
                to: path)
            return Sweep(volume: name, members: curves.count, points: points, table: shortened(path))
        }
    }
}
