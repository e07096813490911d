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

    /// Writes what networks, of any program, agree on as a mask of 0 and 1.
    ///
    /// Values are probabilities where they are floating-point numbers, parts of the largest number in whole numbers without a
    /// sign, and logits in the stores that `segment` keeps in a work folder.
    ///
    /// - Parameters:
    ///   - votes: where the number of votes is written, voxel by voxel.
    ///   - replaces: whether what lies at the outputs' places makes way.
    /// - Throws: `FileFault`, before any work where something lies at the outputs' places.
    public func consensus(
        of files: [String], rule: AgreementRule, threshold: Threshold, to output: String, votes: String?,
        replaces: Bool
    ) throws -> Agreement {
        for place in [output] + (votes.map { [$0] } ?? []) { try checkPlace(of: place, replaces: replaces) }
        let members = try files.map { try (file: $0, values: ingest($0)) }
        let (first, facts) = members[0].values
        let shape = first.layout.shape
        for (file, values) in members.dropFirst() { try check(file, values, fits: members[0].values, of: files[0]) }
        _ = try rule.votesNeeded(of: files.count)
        let cut = StoreShape(for: shape)
        let layout = BlockStore.Layout(
            shape: shape, elementType: .uint8, shard: cut.shard, chunk: cut.chunk, voxelSize: facts.voxelSize)
        let mask = try BlockStore.create(at: folder + "/mask.zarr", layout)
        let counts = try BlockStore.create(at: folder + "/votes.zarr", layout)
        let shards = mask.shards
        var agreement = Agreement(voxelsByVotes: Array(repeating: 0, count: files.count + 1), inside: 0)
        let bytes = StageMemory.consensusBytes(members: files.count) * cut.shard.count
        let writesVotes = votes != nil
        try parallelForEach(shards.count, threads: memory.pieces(of: bytes, threads: threads)) { index in
            let shard = shards[index]
            let logits = try members.map { try LogitValues(file: $0.file, store: $0.values.0).logits(in: shard) }
            let found = try Labeling.consensus(of: logits, rule: rule, threshold: threshold)
            try mask.writeShard(shard, VoxelBuffer(found.mask))
            if writesVotes { try counts.writeShard(shard, VoxelBuffer(found.votes)) }
            var tally = [Int](repeating: 0, count: files.count + 1)
            for count in found.votes.voxels { tally[Int(count)] += 1 }
            return (tally, found.mask.voxels.count { $0 != 0 })
        } use: { _, shard in
            for (votes, count) in shard.0.enumerated() { agreement.voxelsByVotes[votes] += count }
            agreement.inside += shard.1
        }
        try write(mask, facts, to: output, replaces: replaces)
        if let votes { try write(counts, facts, to: votes, replaces: replaces) }
        return agreement
    }

    private func write(_ store: BlockStore, _ facts: Facts, to path: String, replaces: Bool) throws {
        let contents = VolumeFile.Contents(
            shape: store.layout.shape, elementType: store.layout.elementType, voxelSize: facts.voxelSize,
            position: facts.position, frame: facts.frame)
        try Pipeline.write(contents, to: path, dataset: nil, replaces: replaces) { writer in
            try store.forEachSlab(threads: threads) { try writer.write($0, atZ: $1) }
        }
    }
}
