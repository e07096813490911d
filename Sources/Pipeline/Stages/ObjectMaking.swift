import Foundation
import Labeling
import Volumes

/// How the logits of a volume become objects, as `label:` asks for: components of what reaches the threshold, grown
/// back, merged.
struct ObjectMaking {
    let outputs: StoredOutputs
    let settings: LabelSettings
    let voxelSize: VoxelSize
    let threads: Int

    /// - Parameters:
    ///   - logits: of the stored channels, a consensus or one member's.
    ///   - votes: for growth, where there are any.
    func objects(
        in logits: [Volume<Int16>], threshold: Threshold, votes: Volume<UInt8>?
    ) throws -> ClassifiedComponents {
        guard settings.regrow != nil else { return try components(in: logits, threshold) }
        let regions = try regions(in: logits, threshold, votes: votes)
        let merges = merges(settings.merge == nil ? nil : try graph(of: regions, logits))
        return ClassifiedComponents(regions.merged(merges, minimumVoxels: settings.minimumVoxels))
    }

    /// The objects of the logits alone.
    func components(in logits: [Volume<Int16>], _ threshold: Threshold) throws -> ClassifiedComponents {
        try components(in: logits, threshold, minimumVoxels: settings.minimumVoxels)
    }

    /// What grows from the components that are large enough to be seeds, window by window (`ObjectGrowth`).
    func regions(
        in logits: [Volume<Int16>], _ threshold: Threshold, votes: Volume<UInt8>?
    ) throws -> Volume<UInt32> {
        guard let regrow = settings.regrow else { preconditionFailure("regions are for regrowth") }
        let seeds = try components(in: logits, threshold, minimumVoxels: regrow.seeds).labels
        let landscape = landscape(of: logits, votes, threshold, seeds)
        let (growth, shape) = (growth(regrow), seeds.shape)
        let windows = growth.windows(of: shape)
        var regions = Volume<UInt32>(shape: shape)
        try parallelForEach(windows.count, threads: threads) { index in
            let region = growth.surroundings(of: windows[index], in: shape)
            return try growth.grown(
                windows[index], of: shape, seeds: seeds.cropped(to: region), over: landscape.cropped(to: region))
        } use: { index, grown in
            regions.replace(at: windows[index].origin, with: grown)
        }
        return regions
    }

    private func growth(_ regrow: LabelSettings.Regrowth) -> ObjectGrowth {
        ObjectGrowth(
            reach: regrow.reach(voxelSize), floor: regrow.floor, voxelSize: voxelSize,
            withinSections: settings.connectivity.isWithinSections)
    }

    /// The faces between regions, by which they are merged.
    func graph(of regions: Volume<UInt32>, _ logits: [Volume<Int16>]) throws -> RegionGraph {
        try RegionGraph(labels: regions, affinities: affinities { logits[$0] }, threads: threads)
    }

    /// Those by which regions are merged.
    private func affinities(_ channel: (Int) throws -> Volume<Int16>) rethrows -> ZYX<Volume<Int16>?> {
        var channels = outputs.neighbours
        if settings.connectivity.isWithinSections { channels.z = nil }
        return try channels.map { try $0.map(channel) }
    }

    private func merges(_ graph: RegionGraph?) -> [RegionGraph.Merge] {
        // What is still to be chosen merges nothing.
        settings.merge?.above.flatMap { graph?.merges(above: $0) } ?? []
    }

    private func components(
        in logits: [Volume<Int16>], _ threshold: Threshold, minimumVoxels: Int
    ) throws -> ClassifiedComponents {
        try ObjectSource(outputs.head).components(
            in: Array(logits.prefix(outputs.head.count)), threshold: threshold, connectivity: settings.connectivity,
            minimumVoxels: minimumVoxels, threads: threads)
    }

    /// How surely a voxel belongs to something: its own logit, or the highest of its edges. Where too few members vote, no
    /// seed grows; a member alone has but its own vote.
    ///
    /// - Parameter votes: at the threshold of growth.
    private func landscape(
        of logits: [Volume<Int16>], _ votes: Volume<UInt8>?, _ threshold: Threshold, _ seeds: Volume<UInt32>
    ) -> Volume<Int16> {
        var highest = logits[0]
        for channel in logits.prefix(outputs.head.count).dropFirst() {
            for voxel in highest.voxels.indices {
                highest.voxels[voxel] = max(highest.voxels[voxel], channel.voxels[voxel])
            }
        }
        if let regrow = settings.regrow, let needed = regrow.votes {
            if let votes {
                highest.close { votes.voxels[$0] < needed && seeds.voxels[$0] == 0 }
            } else {
                let least = (regrow.voteThreshold ?? threshold).units
                for voxel in highest.voxels.indices where Int32(highest.voxels[voxel]) < least {
                    highest.voxels[voxel] = LogitScale.outside
                }
            }
        }
        return highest
    }
}

extension Volume<Int16> {
    /// Makes voxels, by their place in memory, ones that nothing grows into.
    mutating func close(where isClosed: (Int) -> Bool) {
        for voxel in voxels.indices where isClosed(voxel) { voxels[voxel] = LogitScale.outside }
    }
}

// MARK: Block by block

extension ObjectMaking {
    /// The objects of a store of logits, made with no more than some blocks of it in memory.
    ///
    /// - Parameter folder: where regions lie that objects are then read from, `regions.zarr`.
    func objects(
        inBlocksOf logits: BlockStore, threshold: Threshold, folder: String, _ context: StepContext
    ) throws -> MadeObjects {
        guard settings.regrow != nil else { return try components(inBlocksOf: logits, threshold, context) }
        let regions = try regions(
            inBlocksOf: logits, threshold, votes: nil, to: folder + "/" + RegrowStep.storeName, context)
        return try merged(
            regions, settings.merge == nil ? nil : graph(ofBlocksOf: regions, logits, context), context)
    }

    /// The objects of the logits alone.
    ///
    /// - Parameter minimumVoxels: nil: as `label:` says.
    func components(
        inBlocksOf logits: BlockStore, _ threshold: Threshold, minimumVoxels: Int? = nil, _ context: StepContext,
        progress: (Double) -> Void = { _ in }
    ) throws -> MadeObjects {
        let source = try ObjectSource(outputs.head)
        let objects = try source.components(
            inBlocksOf: logits, channels: outputs.head.count, threshold: threshold,
            connectivity: settings.connectivity, minimumVoxels: minimumVoxels ?? settings.minimumVoxels,
            threads: context.shardsAtOnce(logits.layout), progress: { try context.proceed(progress, $0) })
        return MadeObjects(objects, classes: source.classes(of: objects.values), like: logits)
    }

    /// Writes what grows from the components that are large enough to be seeds as a store at `path`.
    ///
    /// - Parameter votes: for growth, where there are any.
    func regions(
        inBlocksOf logits: BlockStore, _ threshold: Threshold, votes: BlockStore?, to path: String,
        _ context: StepContext,
        progress: (Double) -> Void = { _ in }
    ) throws -> BlockStore {
        guard let regrow = settings.regrow else { preconditionFailure("regions are for regrowth") }
        let seeds = try components(inBlocksOf: logits, threshold, minimumVoxels: regrow.seeds, context) {
            progress(0.2 * $0)
        }.write(to: path + ".seeds", context) { progress(0.2 + 0.2 * $0) }
        let regions = try BlockStore.create(at: path, seeds.layout)
        let (growth, shape, head) = (growth(regrow), seeds.layout.shape, outputs.head.count)
        let windows = growth.windows(of: shape)
        try parallelForEach(windows.count, threads: context.atOnce(growth.memory(for: shape, channels: head))) {
            index in
            let window = windows[index]
            let region = growth.surroundings(of: window, in: shape)
            let objects = try seeds.read(region).volume(of: UInt32.self)
            let grown = try growth.grown(
                window, of: shape, seeds: objects,
                over: landscape(
                    of: logits.logits(in: region, first: head, 1), votes?.read(region).volume(of: UInt8.self),
                    threshold, objects))
            for shard in window.cells(of: regions.layout.shard) {
                try regions.writeShard(shard, VoxelBuffer(grown.cropped(to: shard.relative(to: window.origin))))
            }
        } use: { index, _ in
            try context.proceed(progress, 0.4 + 0.6 * Double(index + 1) / Double(windows.count))
        }
        try FileManager.default.removeItem(atPath: seeds.path)
        return regions
    }

    /// The faces between the regions of a store, by which they are merged.
    func graph(
        ofBlocksOf regions: BlockStore, _ logits: BlockStore, _ context: StepContext,
        progress: (Double) -> Void = { _ in }
    ) throws -> RegionGraph {
        let shards = regions.shards
        let sum = RegionGraph.Sum()
        try parallelForEach(shards.count, threads: context.shardsAtOnce(regions.layout)) { index in
            let shard = shards[index]
            // Faces lie before voxels.
            let region = Box(from: shard.origin.map { max(0, $0 - 1) }, to: shard.end)
            return try RegionGraph(
                labels: regions.read(region).volume(of: UInt32.self),
                affinities: affinities { try logits.read(region, channel: $0).volume(of: Int16.self) },
                box: shard.relative(to: region.origin))
        } use: { index, graph in
            sum.add(graph)
            try context.proceed(progress, Double(index + 1) / Double(shards.count))
        }
        return sum.graph
    }

    /// The regions of a store, merged, without those that are too small.
    func merged(_ regions: BlockStore, _ graph: RegionGraph?, _ context: StepContext) throws -> MadeObjects {
        let (shards, shape) = (regions.shards, regions.layout.shape)
        var census = LabelCensus()
        try parallelForEach(shards.count, threads: context.shardsAtOnce(regions.layout)) { index in
            LabelCensus.count(
                try regions.read(shards[index]).volume(of: UInt32.self), in: shards[index], of: shape)
        } use: { _, block in
            if context.shouldStop() { throw Interruption() }
            census.add(block)
        }
        let (numbers, sizes) = census.numbers(after: merges(graph), minimumVoxels: settings.minimumVoxels)
        return MadeObjects(regions, numbers: numbers, count: sizes.count)
    }
}
