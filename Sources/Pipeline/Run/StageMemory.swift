import Inference
import Labeling
import Volumes

/// What a stage takes of memory, beside the program.
struct StageMemory {
    let stage: Stage
    /// Bytes with one piece of work at a time.
    let least: Int
    /// Bytes with as many as the budget and the threads allow.
    let expected: Int

    /// What work on a shard takes for each of its voxels: labels, what they are made of or compared with, and shards as they
    /// are compressed.
    static let bytesPerVoxel = 40

    /// The same for the vote of members: a channel of each, what comes of them, and that compressed.
    static func consensusBytes(members: Int) -> Int { 2 * members + 17 }

    /// The same for objects at many thresholds: all members' logits, what they agree on, and objects on their way.
    static func thresholdBytes(members: Int, channels: Int) -> Int { 2 * channels * (members + 1) + 40 }
}

extension PipelineRun {
    /// Refuses a run whose stages cannot do with the memory they are given.
    ///
    /// - Throws: `FileFault` with the least that will do.
    func checkMemory(until last: Stage) throws {
        let budget = execution.memory
        /// Tiles are cut for what a run is given, also where more is free.
        func limit(_ stage: Stage) -> Int { stage == .predict ? budget.total : budget.limit }
        let needs = try stageMemory().filter {
            $0.stage <= last && $0.least + MemoryBudget.program > limit($0.stage)
        }
        guard let most = needs.max(by: { $0.least < $1.least }) else { return }
        throw FileFault(
            file.place(of: "execution.memory") ?? file.path,
            budget.shortage(
                most.stage.rawValue, takes: most.least + MemoryBudget.program, of: limit(most.stage)))
    }

    /// What the stages take whose work is known by the headers of files; training comes to what a step of it takes, which
    /// only a step says.
    func stageMemory() throws -> [StageMemory] {
        var found: [StageMemory] = []
        /// Work of equal pieces.
        func add(_ stage: Stage, fixed: Int = 0, piece: Int = 0, pieces: Int = 1) {
            let atOnce = min(pieces, execution.memory.pieces(of: piece, threads: execution.threads))
            found.append(StageMemory(stage: stage, least: fixed + piece, expected: fixed + max(1, atOnce) * piece))
        }
        guard let network = try plan.network() else { return [] }
        let (members, channels) = (plan.members.count, network.outputs.channels.count)
        let thresholds = StageMemory.thresholdBytes(members: members, channels: channels)
        if let step = plan.threshold.step {
            let block = Int(Double(plan.annotatedVoxels) * step.data.ensemble.calibration)
            add(.calibrate, fixed: block * thresholds + plan.annotatedVoxels * 8)
        }
        // Members side by side read the volumes each for itself.
        if file.learns { add(.train, fixed: plan.annotatedVoxels * 11 * min(execution.membersAtOnce, members)) }
        let cost = tileCost(network)
        for volume in plan.volumes {
            guard let (own, seen) = volume.shapes else { continue }
            let (shard, count) = (
                StoreShape(for: seen).shard, Box(seen).cells(of: StoreShape(for: seen).shard).count
            )
            let bytes = own.count * 4
            add(.ingest, fixed: min(bytes, Ingest.pieceBytes) * 3)
            if own != seen { add(.resample, fixed: min(bytes, Ingest.pieceBytes) * 4) }
            let smallest = cost.bytes(of: network.geometry.leastTile(of: seen))
            let expected = tiles(volume, network, cost)?.keys.map(cost.bytes).max() ?? smallest
            let least = network.geometry.isExact ? smallest : expected
            found.append(
                StageMemory(
                    stage: .predict, least: MemoryBudget.work(forTilesOf: least),
                    expected: expected + min(bytes, execution.memory.keptChunks)))
            add(
                .consensus, piece: StageMemory.consensusBytes(members: members) * shard.count, pieces: count)
            if let regrow = file.label.regrow {
                let growth = ObjectGrowth(
                    reach: regrow.reach(network.voxelSize), voxelSize: network.voxelSize,
                    withinSections: file.label.connectivity.isWithinSections)
                add(
                    .regrow, piece: growth.memory(for: seen, channels: network.outputs.head.count),
                    pieces: growth.windows(of: seen).count)
            }
            add(.label, piece: StageMemory.bytesPerVoxel * shard.count, pieces: count)
            add(.export, fixed: min(bytes, Ingest.pieceBytes) * 3)
            if volume.evaluate != nil {
                let compared =
                    file.evaluation.thresholds ? min(seen.count, ThresholdComparison.largest) * thresholds : 0
                add(
                    .evaluate, fixed: max(compared, ThresholdBaseline.block(of: own).count * 32),
                    piece: StageMemory.bytesPerVoxel * shard.count, pieces: count)
            }
        }
        return found
    }

    /// What tiles of this run's predictions take.
    func tileCost(_ network: PlannedNetwork) -> TileCost {
        network.tileCost(members: plan.members.count, precision: execution.precision)
    }

    /// The voxels that the prediction of a volume computes, those of all tiles' surroundings among them.
    ///
    /// - Parameters:
    ///   - cost: `tileCost` of the network, which remembers the tiles that it has been asked for.
    ///   - bytes: of memory for tiles; nil for those that they have.
    /// - Returns: nil where memory does not do.
    func computedVoxels(
        _ volume: Plan.PlannedVolume, _ network: PlannedNetwork, _ cost: TileCost, in bytes: Int? = nil
    ) -> Double? {
        tiles(volume, network, cost, in: bytes)?.reduce(0) {
            $0 + cost.computedVoxels(of: $1.key) * Double($1.value)
        }
    }

    /// That tiles of the memory given are mostly halo, and how much memory would do better; nil where they are not.
    ///
    /// - Throws: as `Plan.network`.
    func memoryNote() throws -> String? {
        let volumes = plan.volumes.filter { volume in
            volume.consensus.predictions.contains { cache.state(of: $0) != .complete }
        }
        guard execution.device == .cpu, !volumes.isEmpty, let network = try plan.network(), network.geometry.isExact
        else { return nil }
        let voxels = volumes.reduce(0) { $0 + ($1.shapes?.seen.count ?? 0) }
        let cost = tileCost(network)
        /// How often a voxel is computed in so many bytes.
        func repetition(_ memory: MemoryBudget) -> Double? {
            var computed = 0.0
            for volume in volumes {
                guard let part = computedVoxels(volume, network, cost, in: memory.tiles) else { return nil }
                computed += part
            }
            return computed / Double(max(1, voxels))
        }
        let memory = execution.memory
        guard let now = repetition(memory), now > 4 else { return nil }
        let others = sequence(first: memory.total * 2) { $0 * 2 }.prefix { $0 <= Machine.availableMemory }
            .compactMap { total in repetition(MemoryBudget(given: total)).map { (total, times: $0) } }
        let better = others.first { $0.times <= 3 } ?? others.last { $0.times < now / 2 }
        func times(_ count: Double) -> String { count < 10 ? String(format: "%.1f", count) : grouped(Int(count)) }
        return
            "in \(Bytes.format(memory.total)) of memory tiles are mostly halo: each voxel is computed \(times(now)) times"
            + (better.map { "; with --memory \($0.0 >> 20)MiB it is \(times($0.times))" } ?? "")
    }

    /// The tiles that a volume is predicted in, each at the origin, and how many there are of it.
    private func tiles(
        _ volume: Plan.PlannedVolume, _ network: PlannedNetwork, _ cost: TileCost, in bytes: Int? = nil
    ) -> [Tile: Int]? {
        guard let (own, shape) = volume.shapes else { return nil }
        // About, where the networks see other voxels than the file's.
        let box = (try? volume.entry.roi?.box(in: own, of: "", as: "")).map { box in
            Box(
                from: box.origin.zip(shape.zip(own) { Double($0) / Double($1) }) { Int(Double($0) * $1) },
                to: box.end.zip(shape.zip(own) { Double($0) / Double($1) }) { Int((Double($0) * $1).rounded(.up)) })
        }
        let limit = network.geometry.limit(bytes ?? execution.tileMemory, cost)
        let tiles = try? TilePlan.ofShards(
            StoreShape(for: shape).shard, volume: shape, within: box, geometry: network.geometry, limit: limit
        ).flatMap(\.tiles)
        return tiles.map { Dictionary($0.map { ($0.atOrigin, 1) }, uniquingKeysWith: +) }
    }
}
