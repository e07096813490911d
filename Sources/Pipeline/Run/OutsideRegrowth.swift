import Foundation
import Labeling
import Volumes

extension OutsideVolumes {
    /// Grows the objects of a labelled volume over probabilities, as `label.regrow` does; they keep their numbers.
    ///
    /// - Parameters:
    ///   - probabilities: as for `consensus`.
    ///   - reach: in nanometres; nil: as `label.regrow` has it.
    ///   - floor: objects grow only where the probabilities reach it; nil for everywhere.
    ///   - votes: a volume of numbers of votes, and how many a voxel must have for objects to grow into it.
    ///   - withinSections: whether each section has objects of its own.
    ///   - voxelSize: nil: that of the labels' file.
    ///   - replaces: whether what lies at the output's place makes way.
    /// - Throws: `FileFault`, before any work where something lies at the output's place.
    public func regrow(
        _ labels: String, over probabilities: String, reach: Double?, floor: Threshold?,
        votes: (file: String, needed: Int)?, withinSections: Bool,
        voxelSize: VoxelSize?, to output: String, replaces: Bool
    ) throws {
        try checkOutputs([output], of: [labels, probabilities, votes?.file].compactMap(\.self), replaces: replaces)
        let (store, facts) = try ingest(labels, as: .labels)
        let voxelSize = try voxelSize ?? facts.knownVoxelSize(of: labels)
        let landscape = try ingest(probabilities)
        try check(probabilities, landscape, fits: (store, facts), of: labels)
        let ballots = try votes.map { votes in
            let found = try ingest(votes.file)
            try check(votes.file, found, fits: (store, facts), of: labels)
            return try Ballots(file: votes.file, store: found.0, needed: votes.needed)
        }
        let growth = ObjectGrowth(
            reach: LabelSettings.Regrowth(within: reach).reach(voxelSize), floor: floor, voxelSize: voxelSize,
            withinSections: withinSections)
        let seeds = try seeds(LabelValues(file: labels, store: store))
        let (grown, highest) = try grow(
            seeds, by: growth, over: LogitValues(file: probabilities, store: landscape.0), where: ballots,
            voxelSize: voxelSize, piecesAtOnce(growth.memory(for: store.layout.shape, channels: 1), of: labels))
        let names = seeds.numbers?.names
        try writeLabels(
            of: store.layout.shape, upTo: names?.max() ?? UInt64(highest), to: output, replaces: replaces,
            voxelSize: voxelSize, position: facts.position, frame: facts.frame
        ) { write in
            try grown.forEachSlab(threads: threads, shouldStop: shouldStop) { slab, z in
                guard let names else { return try write(slab, z) }
                try write(
                    VoxelBuffer(slab.volume(of: UInt32.self).map { $0 == 0 ? 0 : names[Int($0) - 1] }), z)
            }
        }
    }

    /// Objects to grow. Work is done on 32 bits; longer numbers have stand-ins.
    private struct Seeds: Sendable {
        let labels: LabelValues
        let numbers: LabelNumbers?

        var shape: ZYX<Int> { labels.store.layout.shape }

        func read(_ box: Box) throws -> Volume<UInt32> {
            try numbers?.numbered(labels.labels(in: box)) ?? labels.labels(in: box, as: UInt32.self)
        }
    }

    private func seeds(_ labels: LabelValues) throws -> Seeds {
        guard labels.store.layout.elementType.size > 4 else { return Seeds(labels: labels, numbers: nil) }
        var numbers = LabelNumbers()
        for box in labels.store.shards {
            _ = try numbers.number(labels.labels(in: box, threads: threads))
            if shouldStop() { throw Interruption() }
        }
        return Seeds(labels: labels, numbers: numbers)
    }

    /// Numbers of votes in a file, and how many a voxel must have.
    private struct Ballots: Sendable {
        let file: String
        let store: BlockStore
        let needed: Int

        init(file: String, store: BlockStore, needed: Int) throws {
            guard store.layout.elementType.isInteger else {
                throw FileFault(
                    file, "numbers of votes must be whole numbers, found \(store.layout.elementType.rawValue)")
            }
            (self.file, self.store, self.needed) = (file, store, needed)
        }

        func read(_ box: Box) throws -> [UInt8] {
            let found = try store.read(box)
            if let votes = try? found.converted(to: UInt8.self) { return votes.voxels }
            let wrong = try found.converted(to: Double.self).voxels.first { !(0...Double(UInt8.max)).contains($0) }
            throw FileFault(
                file,
                "holds \(String(format: "%.0f", wrong ?? .nan)); expected numbers of votes, 0 to \(UInt8.max)")
        }
    }

    /// - Returns: the grown objects, and the highest of their numbers.
    private func grow(
        _ seeds: Seeds, by growth: ObjectGrowth, over values: LogitValues, where ballots: Ballots?,
        voxelSize: VoxelSize, _ windowsAtOnce: Int
    ) throws -> (BlockStore, highest: UInt32) {
        let shape = seeds.shape
        let cut = StoreShape(for: shape)
        let grown = try BlockStore.create(
            at: folder + "/grown.zarr",
            BlockStore.Layout(
                shape: shape, elementType: .uint32, shard: cut.shard, chunk: cut.chunk, voxelSize: voxelSize))
        let windows = growth.windows(of: shape)
        var (highest, mostVotes) = (0 as UInt32, 0)
        try parallelForEach(windows.count, threads: windowsAtOnce) { index in
            let window = windows[index]
            let region = growth.surroundings(of: window, in: shape)
            let objects = try seeds.read(region)
            var heights = try values.logits(in: region)
            let votes = try ballots?.read(region)
            if let votes, let ballots {
                heights.close { Int(votes[$0]) < ballots.needed && objects.voxels[$0] == 0 }
            }
            let result = try growth.grown(window, of: shape, seeds: objects, over: heights)
            for shard in window.cells(of: cut.shard) {
                try grown.writeShard(shard, VoxelBuffer(result.cropped(to: shard.relative(to: window.origin))))
            }
            return (number: result.voxels.max() ?? 0, votes: Int(votes?.max() ?? 0))
        } use: { _, found in
            highest = max(highest, found.number)
            mostVotes = max(mostVotes, found.votes)
            if shouldStop() { throw Interruption() }
        }
        // Objects that networks agreed on have votes themselves.
        if let ballots, highest > 0, mostVotes < ballots.needed {
            throw FileFault(
                ballots.file,
                "has \(mostVotes) votes at most, but growth is to have \(ballots.needed): nothing can grow")
        }
        return (grown, highest)
    }
}
