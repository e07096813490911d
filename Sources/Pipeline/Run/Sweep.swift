import Foundation
import Labeling
import Volumes

extension PipelineRun {
    /// How well a volume is segmented by the votes that a voxel needs and by the threshold.
    public struct Sweep: Sendable {
        public var volume: String
        /// Of one vote, of two, up to those of all members.
        public var curves: [ThresholdCurve]
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
            let path = volume.export.folder + "/sweep.csv"
            try AtomicFile.writeText(to: path) { write in
                try write("votes,logit,probability,vi_split,vi_merge,adapted_rand_error,object_f1\n")
                for (index, curve) in curves.enumerated() {
                    for point in curve.points {
                        try write(
                            "\(index + 1),\(point.logit),\(point.threshold.probability),\(point.viSplit),"
                                + "\(point.viMerge),\(point.adaptedRandError),\(point.objectF1.map { "\($0)" } ?? "")\n"
                        )
                    }
                }
            }
            return Sweep(volume: name, curves: curves, table: shortened(path))
        }
    }
}
