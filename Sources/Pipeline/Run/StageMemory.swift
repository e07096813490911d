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
    static func consensusBytes(members: Int) -> Int { 2 * members + 16 }

    /// The same for objects at many thresholds: all members' logits, what they agree on, and objects on their way.
    static func thresholdBytes(members: Int, channels: Int) -> Int { 2 * channels * (members + 1) + 40 }
}

extension PipelineRun {
    /// Refuses a run whose stages cannot do with the memory they are given.
    ///
    /// - Throws: `FileFault` with the least that will do.
    func checkMemory(until last: Stage) throws {
        let budget = execution.memory
        let needs = try stageMemory().filter { $0.stage <= last }
        guard let most = needs.max(by: { $0.least < $1.least }), most.least + MemoryBudget.program > budget.limit
        else { return }
        // Rounded up, so that it will do.
        let mebibytes = (most.least + MemoryBudget.program) >> 20 + 1
        throw FileFault(
            file.place(of: "execution.memory") ?? file.path,
            "\(most.stage.rawValue) takes \(mebibytes) MiB of memory at least, and \(budget.limit >> 20) MiB are "
                + (budget.limit == budget.total ? "given; give --memory \(mebibytes)MiB or more" : "free"))
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
        guard let resolution = plan.resolution ?? file.model?.description.voxelSize,
            let network = try configuration()?.graph(), let patch = plan.members.first?.patch
        else { return [] }
        let dimensions = file.network.configuration.dimensions
        let outputs = StoredOutputs(file.target, voxelSize: resolution, dimensions: dimensions)
        let (members, channels) = (plan.members.count, outputs.channels.count)
        let thresholds = StageMemory.thresholdBytes(members: members, channels: channels)
        if let step = plan.threshold.step {
            let block = Int(Double(plan.annotatedVoxels) * step.data.ensemble.calibration)
            add(.calibrate, fixed: block * thresholds + plan.annotatedVoxels * 8)
        }
        // Members side by side read the volumes each for itself.
        if file.learns { add(.train, fixed: plan.annotatedVoxels * 11 * min(execution.membersAtOnce, members)) }
        let geometry = try TileGeometry(network, patch: patch)
        let tileVoxel = try bytesPerTileVoxel() ?? 0
        for volume in plan.volumes {
            guard let (own, seen) = volume.shapes else { continue }
            let (shard, count) = (
                StoreShape(for: seen).shard, Box(seen).cells(of: StoreShape(for: seen).shard).count
            )
            let bytes = own.count * 4
            add(.ingest, fixed: min(bytes, Ingest.pieceBytes) * 3)
            if own != seen { add(.resample, fixed: min(bytes, Ingest.pieceBytes) * 4) }
            let tile = largestTile(seen, geometry, tileVoxel)
            let least = geometry.isExact ? geometry.leastTile(of: seen).count : tile
            found.append(
                StageMemory(
                    stage: .predict, least: Int(Double(least) * tileVoxel),
                    expected: Int(Double(tile) * tileVoxel)))
            add(
                .consensus, piece: StageMemory.consensusBytes(members: members) * shard.count, pieces: count)
            if let regrow = file.label.regrow {
                let growth = ObjectGrowth(
                    reach: regrow.within, voxelSize: resolution,
                    withinSections: file.label.connectivity.isWithinSections)
                add(
                    .regrow, piece: growth.memory(for: seen, channels: outputs.head.count),
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

    /// The input voxels of all tiles that a volume is predicted in.
    func computedVoxels(_ shape: ZYX<Int>, _ geometry: TileGeometry) throws -> Int {
        guard let bytes = try bytesPerTileVoxel() else { return shape.count }
        return tiles(shape, geometry, bytes).map { $0.reduce(0, +) } ?? shape.count
    }

    /// The input voxels of the largest of them; those of the smallest where memory does not do.
    private func largestTile(_ shape: ZYX<Int>, _ geometry: TileGeometry, _ bytesPerVoxel: Double) -> Int {
        tiles(shape, geometry, bytesPerVoxel)?.max() ?? geometry.leastTile(of: shape).count
    }

    private func tiles(_ shape: ZYX<Int>, _ geometry: TileGeometry, _ bytesPerVoxel: Double) -> [Int]? {
        let limit =
            geometry.isExact ? Int(Double(execution.tileMemory) / bytesPerVoxel) : TileGeometry.fixedTileVoxels
        return try? TilePlan.ofShards(
            StoreShape(for: shape).shard, volume: shape, geometry: geometry, maximumVoxels: limit
        ).flatMap(\.tiles).map(\.input.count)
    }

    private func bytesPerTileVoxel() throws -> Double? {
        guard let network = try configuration(), let size = plan.resolution ?? file.model?.description.voxelSize
        else {
            return nil
        }
        let outputs = StoredOutputs(file.target, voxelSize: size, dimensions: network.dimensions)
        return TilePlan.bytesPerVoxel(
            try network.graph(), precision: execution.precision, members: plan.members.count,
            channels: outputs.channels.count)
    }
}
