import Foundation

/// The objects that cost most: those of the truth that labels split, and labels that merge some.
public struct WorstErrors: Codable, Sendable, Equatable {
    public struct ObjectError: Codable, Sendable, Equatable {
        public struct Part: Codable, Sendable, Equatable {
            public var id: UInt64
            public var voxels: UInt64
        }

        /// Of the truth for a split, a label for a merger.
        public var id: UInt64
        public var voxels: UInt64
        /// What it adds to the variation of information.
        public var bits: Double
        /// The labels that it is split into, label 0 among them unless it is left out by convention, or the true objects
        /// that it merges.
        public var pieces: Int
        /// The largest of them, ten at most, the largest first.
        public var parts: [Part]
    }

    /// The costliest first.
    public var splits: [ObjectError]
    public var merges: [ObjectError]

    /// - Parameter count: the most of either kind.
    public init(
        _ contingency: Contingency, ignoringTruthZero: Bool = true,
        convention: SegmentationScores.Convention = .skimage, count: Int
    ) {
        let counted = contingency.pairs.filter {
            ($0.truth != 0 || !ignoringTruthZero) && ($0.label != 0 || convention != .gala)
        }
        let voxels = counted.reduce(0) { $0 + Int($1.count) }
        splits = worst(counted.map { ($0.truth, .init(id: $0.label, voxels: $0.count)) }, of: voxels, count)
        merges = worst(
            counted.filter { $0.label != 0 }.map { ($0.label, .init(id: $0.truth, voxels: $0.count)) }, of: voxels,
            count)
    }
}

private func worst(
    _ pairs: [(whole: UInt64, part: WorstErrors.ObjectError.Part)], of voxels: Int, _ count: Int
) -> [WorstErrors.ObjectError] {
    let errors = Dictionary(grouping: pairs, by: \.whole).filter { $0.value.count > 1 }.map { id, pairs in
        let parts = pairs.map(\.part).sorted { ($1.voxels, $0.id) < ($0.voxels, $1.id) }
        let size = parts.reduce(0) { $0 + $1.voxels }
        let bits = parts.reduce(0.0) {
            $0 + Double($1.voxels) / Double(voxels) * log2(Double(size) / Double($1.voxels))
        }
        return WorstErrors.ObjectError(
            id: id, voxels: size, bits: bits, pieces: parts.count, parts: Array(parts.prefix(10)))
    }
    return Array(errors.sorted { ($1.bits, $0.id) < ($0.bits, $1.id) }.prefix(count))
}
