import Labeling
import Volumes

/// How the logits of a volume become objects, as `label:` asks for: components of what reaches the threshold, grown
/// back, merged.
struct ObjectMaking {
    let outputs: StoredOutputs
    let settings: LabelSettings
    let voxelSize: VoxelSize
    let threads: Int

    /// - Parameter logits: of the stored channels, a consensus or one member's.
    func objects(in logits: [Volume<Int16>], threshold: Threshold) throws -> ClassifiedComponents {
        guard settings.regrow != nil else { return try components(in: logits, threshold) }
        let regions = try regions(in: logits, threshold)
        return ClassifiedComponents(
            try merged(regions, settings.merge == nil ? nil : graph(of: regions, logits)))
    }

    /// The objects of the logits alone.
    func components(in logits: [Volume<Int16>], _ threshold: Threshold) throws -> ClassifiedComponents {
        try components(in: logits, threshold, minimumVoxels: settings.minimumVoxels)
    }

    /// The objects of the logits alone, of which only some blocks are in memory at a time.
    func components(
        inBlocksOf logits: BlockStore, _ threshold: Threshold, progress: (Double) throws -> Void
    ) throws -> (objects: BlockComponents, classes: [UInt32]?) {
        let source = try ObjectSource(outputs.head)
        let objects = try source.components(
            inBlocksOf: logits, channels: outputs.head.count, threshold: threshold,
            connectivity: settings.connectivity, minimumVoxels: settings.minimumVoxels, threads: threads,
            progress: progress)
        return (objects, source.classes(of: objects.values))
    }

    /// What grows from the components that are large enough to be seeds.
    func regions(in logits: [Volume<Int16>], _ threshold: Threshold) throws -> Volume<UInt32> {
        guard let regrow = settings.regrow else { preconditionFailure("regions are for regrowth") }
        let seeds = try components(in: logits, threshold, minimumVoxels: regrow.seeds).labels
        let landscape = landscape(of: logits)
        guard settings.connectivity.isWithinSections else { return try grown(seeds, over: landscape, regrow) }
        var regions = seeds
        for section in Box(seeds.shape).cells(of: ZYX(1, seeds.shape.y, seeds.shape.x)) {
            regions.replace(
                at: section.origin,
                with: try grown(seeds.cropped(to: section), over: landscape.cropped(to: section), regrow))
        }
        return regions
    }

    private func grown(
        _ seeds: Volume<UInt32>, over landscape: Volume<Int16>, _ regrow: LabelSettings.Regrowth
    ) throws -> Volume<UInt32> {
        var mask = voxels(within: regrow.within, ofSeeds: seeds, voxelSize: voxelSize, threads: threads)
        if let floor = regrow.above {
            let kept = try consensus(of: [landscape], rule: .all, threshold: floor, threads: threads).mask
            for voxel in mask.voxels.indices { mask.voxels[voxel] &= kept.voxels[voxel] }
        }
        return try seededWatershed(from: seeds, over: landscape, within: mask)
    }

    /// The faces between regions, by which they are merged.
    func graph(of regions: Volume<UInt32>, _ logits: [Volume<Int16>]) throws -> RegionGraph {
        var affinities = outputs.neighbours.map { $0.map { logits[$0] } }
        if settings.connectivity.isWithinSections { affinities.z = nil }
        return try RegionGraph(labels: regions, affinities: affinities, threads: threads)
    }

    func merged(_ regions: Volume<UInt32>, _ graph: RegionGraph?) throws -> Components {
        // What is still to be chosen merges nothing.
        let merges = settings.merge?.above.flatMap { graph?.merges(above: $0) } ?? []
        return regions.merged(merges, minimumVoxels: settings.minimumVoxels)
    }

    private func components(
        in logits: [Volume<Int16>], _ threshold: Threshold, minimumVoxels: Int
    ) throws -> ClassifiedComponents {
        try ObjectSource(outputs.head).components(
            in: Array(logits.prefix(outputs.head.count)), threshold: threshold, connectivity: settings.connectivity,
            minimumVoxels: minimumVoxels, threads: threads)
    }

    /// How surely a voxel belongs to something: its own logit, or the highest of its edges.
    private func landscape(of logits: [Volume<Int16>]) -> Volume<Int16> {
        logits.prefix(outputs.head.count).dropFirst().reduce(logits[0]) { highest, channel in
            var highest = highest
            for voxel in highest.voxels.indices {
                highest.voxels[voxel] = max(highest.voxels[voxel], channel.voxels[voxel])
            }
            return highest
        }
    }
}
