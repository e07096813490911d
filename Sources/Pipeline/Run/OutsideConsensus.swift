import Foundation
import Labeling
import Volumes

extension OutsideVolumes {
    /// What members' volumes come to.
    public struct Agreement: Sendable {
        /// By number of votes, from none to all.
        public var voxelsByVotes: [Int]
        public var inside: Int
    }

    /// The files that a consensus is written to; beside the mask those that are given.
    public struct ConsensusOutputs: Sendable {
        /// 0 and 1.
        public var mask: String
        /// The number of votes.
        public var votes: String?
        /// Of the members' probabilities, as 32-bit floats.
        public var mean, variance, lowest: String?

        public init(
            mask: String, votes: String? = nil, mean: String? = nil, variance: String? = nil, lowest: String? = nil
        ) {
            (self.mask, self.votes, self.mean, self.variance, self.lowest) = (mask, votes, mean, variance, lowest)
        }

        fileprivate var spread: [(of: KeyPath<ProbabilitySpread, Volume<Float>> & Sendable, path: String)] {
            [(\.mean, mean), (\.variance, variance), (\.lowest, lowest)].compactMap { part, path in
                path.map { (part, $0) }
            }
        }

        fileprivate var all: [String] { [mask] + (votes.map { [$0] } ?? []) + spread.map(\.path) }
    }

    /// Writes what networks, of any program, agree on, in one pass over what they say.
    ///
    /// Values are probabilities where they are floating-point numbers, parts of the largest number in whole numbers without a
    /// sign, and logits in the stores that `segment` keeps in a work folder.
    ///
    /// - Parameter replaces: whether what lies at the outputs' places makes way.
    /// - Throws: `FileFault`, before any work where something lies at the outputs' places; `Interruption`.
    public func consensus(
        of files: [String], rule: AgreementRule, threshold: Threshold, to outputs: ConsensusOutputs, replaces: Bool
    ) throws -> Agreement {
        try checkOutputs(outputs.all, of: files, replaces: replaces)
        let members = try files.map { try (file: $0, values: ingest($0)) }
        let (first, facts) = members[0].values
        let shape = first.layout.shape
        for (file, values) in members.dropFirst() { try check(file, values, fits: members[0].values, of: files[0]) }
        _ = try rule.votesNeeded(of: files.count)
        let cut = StoreShape(for: shape)
        func store(_ name: String, _ type: ElementType) throws -> BlockStore {
            try BlockStore.create(
                at: "\(folder)/\(name).zarr",
                BlockStore.Layout(
                    shape: shape, elementType: type, shard: cut.shard, chunk: cut.chunk,
                    voxelSize: facts.voxelSize))
        }
        let mask = try store("mask", .uint8)
        let votes = try outputs.votes.map { (store: try store("votes", .uint8), path: $0) }
        let spread = try outputs.spread.enumerated().map { index, output in
            (of: output.of, store: try store("spread-\(index)", .float32), path: output.path)
        }
        let shards = mask.shards
        var agreement = Agreement(voxelsByVotes: Array(repeating: 0, count: files.count + 1), inside: 0)
        let perVoxel = StageMemory.consensusBytes(members: files.count) + (spread.isEmpty ? 0 : 20)
        try parallelForEach(
            shards.count, threads: try piecesAtOnce(perVoxel * cut.shard.count, of: files[0])
        ) { index in
            let shard = shards[index]
            let logits = try members.map { try LogitValues(file: $0.file, store: $0.values.0).logits(in: shard) }
            let found = try Labeling.consensus(of: logits, rule: rule, threshold: threshold)
            try mask.writeShard(shard, VoxelBuffer(found.mask))
            try votes?.store.writeShard(shard, VoxelBuffer(found.votes))
            if !spread.isEmpty {
                let found = ProbabilitySpread(of: logits)
                for (part, store, _) in spread { try store.writeShard(shard, VoxelBuffer(found[keyPath: part])) }
            }
            var tally = [Int](repeating: 0, count: files.count + 1)
            for count in found.votes.voxels { tally[Int(count)] += 1 }
            return (tally, found.mask.voxels.count { $0 != 0 })
        } use: { _, shard in
            for (votes, count) in shard.0.enumerated() { agreement.voxelsByVotes[votes] += count }
            agreement.inside += shard.1
            if shouldStop() { throw Interruption() }
        }
        try write(mask, facts, to: outputs.mask, replaces: replaces)
        if let votes { try write(votes.store, facts, to: votes.path, replaces: replaces) }
        for (_, store, path) in spread { try write(store, facts, to: path, replaces: replaces) }
        return agreement
    }

    private func write(_ store: BlockStore, _ facts: Facts, to path: String, replaces: Bool) throws {
        let contents = VolumeFile.Contents(
            shape: store.layout.shape, elementType: store.layout.elementType, voxelSize: facts.voxelSize,
            position: facts.position, frame: facts.frame)
        try Pipeline.write(contents, to: path, dataset: nil, replaces: replaces) { writer in
            try store.forEachSlab(threads: threads, shouldStop: shouldStop) { try writer.write($0, atZ: $1) }
        }
    }
}
