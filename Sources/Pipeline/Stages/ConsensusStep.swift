import Foundation
import Labeling
import Volumes

/// Takes the vote of all members, voxel by voxel and channel by channel, shard by shard.
struct ConsensusStep: Step {
    let name: String
    let predictions: [PredictStep]
    let agree: AgreementRule
    /// Where the threshold comes from.
    let threshold: ThresholdSource
    /// What counts as a vote for growth; nil for the threshold.
    let growth: Threshold?
    let ingredients: Ingredients
    let key: String

    static let votesName = "votes.zarr"
    static let growthVotesName = "growth-votes.zarr"
    static let logitsName = "logits.zarr"
    static let recordName = "consensus.json"

    init(
        name: String, predictions: [PredictStep], agree: AgreementRule, threshold: ThresholdSource,
        growth: Threshold?
    ) throws {
        self.name = name
        self.growth = growth
        var parameters = ["consensus.agree": agree.description, "consensus.threshold": threshold.parameter]
        parameters["label.regrow.above"] = growth.map { "\($0.logit)" }
        self.predictions = predictions
        self.agree = agree
        self.threshold = threshold
        ingredients = Ingredients(
            stage: .consensus, version: 3, subject: name,
            parameters: parameters,
            inputs: predictions.enumerated().map { $1.input("logits \($0 + 1)") }
                + (threshold.step.map { [$0.input("threshold")] } ?? []))
        key = try ingredients.key
    }

    var volume: String? { name }

    var dependencies: [any Step] { predictions + (threshold.step.map { [$0] } ?? []) }

    /// What the vote was taken with.
    struct Record: Codable {
        var logit: Double
        var members: Int
        /// Voxels by number of votes, from none to all.
        var voxelsByVotes: [Int]
        var inside: Int
        /// That objects are made of.
        var channels: Int
        /// Voxels at which each member differs from the majority of all, of each of these channels.
        var againstMajority: [Int]

        /// The votes that each member cast, one a voxel and channel.
        var ballots: Int { voxelsByVotes.reduce(0, +) * channels }
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        let logits = try predictions.map { try $0.store(context) }
        let vote = ShardVote(
            logits: logits,
            agreed: try BlockStore.create(at: folder + "/" + ConsensusStep.logitsName, logits[0].layout),
            votes: try votesStore(like: logits[0], at: folder + "/" + ConsensusStep.votesName), agree: agree,
            threshold: try threshold.threshold(context),
            growth: try growth.map {
                ($0, try votesStore(like: logits[0], at: folder + "/" + ConsensusStep.growthVotesName))
            },
            head: try predictions[0].member.outputs(context).head.count)
        let shards = vote.votes.shards
        var sum = ShardVote.Tally(members: logits.count)
        let bytes = StageMemory.consensusBytes(members: logits.count) * vote.votes.layout.shard.count
        try parallelForEach(shards.count, threads: context.atOnce(bytes)) {
            try vote.take(in: shards[$0])
        } use: { index, tally in
            if context.shouldStop() { throw Interruption() }
            sum.add(tally)
            context.report(StepProgress(fraction: Double(index + 1) / Double(shards.count)))
        }
        let record = Record(
            logit: vote.threshold.logit, members: logits.count, voxelsByVotes: sum.voxelsByVotes,
            inside: sum.inside,
            channels: vote.head, againstMajority: sum.againstMajority)
        try AtomicFile.write(try readableJSON(record), to: folder + "/" + ConsensusStep.recordName)
        return nil
    }

    private func votesStore(like logits: BlockStore, at path: String) throws -> BlockStore {
        var layout = logits.layout
        (layout.elementType, layout.channels, layout.attributes) = (.uint8, nil, [:])
        return try BlockStore.create(at: path, layout)
    }

    func record(_ context: StepContext) throws -> Record {
        try context.cache.output(of: self).json(Record.self, ConsensusStep.recordName)
    }

    /// The logits that the members come to, of all stored channels, and the threshold they are cut at.
    func agreed(_ context: StepContext) throws -> (logits: BlockStore, threshold: Threshold) {
        (try store(ConsensusStep.logitsName, context), Threshold(logit: try record(context).logit))
    }

    /// How many members vote for growth into a voxel.
    func growthVotes(_ context: StepContext) throws -> BlockStore {
        try store(growth == nil ? ConsensusStep.votesName : ConsensusStep.growthVotesName, context)
    }

    func store(_ name: String, _ context: StepContext) throws -> BlockStore {
        try context.cache.output(of: self).store(name)
    }
}

/// The vote of all members on the voxels of a shard.
private struct ShardVote: Sendable {
    let logits: [BlockStore]
    /// Where the logits that they come to go, and the number of votes.
    let agreed, votes: BlockStore
    let agree: AgreementRule
    let threshold: Threshold
    /// What counts as a vote for growth, and where such votes go; nil where it is the threshold.
    let growth: (threshold: Threshold, votes: BlockStore)?
    /// Channels, the first ones, that objects are made of.
    let head: Int

    /// What is counted; see `ConsensusStep.Record`.
    struct Tally: Sendable {
        var voxelsByVotes: [Int]
        var inside = 0
        var againstMajority: [Int]

        init(members: Int) {
            voxelsByVotes = Array(repeating: 0, count: members + 1)
            againstMajority = Array(repeating: 0, count: members)
        }

        mutating func add(_ other: Tally) {
            for (votes, count) in other.voxelsByVotes.enumerated() { voxelsByVotes[votes] += count }
            for (member, count) in other.againstMajority.enumerated() { againstMajority[member] += count }
            inside += other.inside
        }
    }

    func take(in shard: Box) throws -> Tally {
        var tally = Tally(members: logits.count)
        var found = Volume<UInt8>(shape: shard.shape)
        var holds = Volume<UInt8>(shape: shard.shape)
        var growing = growth.map { _ in Volume<UInt8>(shape: shard.shape) }
        for channel in 0..<(agreed.layout.channels ?? 1) {
            let members = try logits.map { try $0.read(shard, channel: channel).volume(of: Int16.self) }
            let result = try consensus(of: members, rule: agree, threshold: threshold)
            try agreed.writeShard(shard, channel: channel, VoxelBuffer(result.logits))
            // Of several channels that objects are made of, a voxel has the votes of the one with most.
            guard channel < head else { continue }
            found.raise(to: result.votes)
            holds.raise(to: result.mask)
            if let growth { growing?.raise(to: try Labeling.votes(of: members, reaching: growth.threshold)) }
            for (member, logits) in members.enumerated() {
                tally.againstMajority[member] += disagreement(of: logits, with: result.votes)
            }
        }
        for count in found.voxels { tally.voxelsByVotes[Int(count)] += 1 }
        tally.inside = holds.voxels.count { $0 != 0 }
        try votes.writeShard(shard, VoxelBuffer(found))
        if let growth, let growing { try growth.votes.writeShard(shard, VoxelBuffer(growing)) }
        return tally
    }

    /// The voxels at which a member votes otherwise than most do.
    private func disagreement(of member: Volume<Int16>, with votes: Volume<UInt8>) -> Int {
        let (least, members) = (threshold.units, logits.count)
        return member.voxels.withUnsafeBufferPointer { logits in
            votes.voxels.withUnsafeBufferPointer { votes in
                var count = 0
                for voxel in 0..<logits.count
                where (Int32(logits[voxel]) >= least) != (2 * Int(votes[voxel]) > members) {
                    count += 1
                }
                return count
            }
        }
    }
}

extension Volume<UInt8> {
    mutating func raise(to other: Volume<UInt8>) {
        for voxel in voxels.indices { voxels[voxel] = Swift.max(voxels[voxel], other.voxels[voxel]) }
    }
}
