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
        let (seeds, facts) = try ingest(labels, as: .labels)
        let voxelSize = try voxelSize ?? facts.knownVoxelSize(of: labels)
        let landscape = try ingest(probabilities)
        try check(probabilities, landscape, fits: (seeds, facts), of: labels)
        let counts = try votes.map { votes in
            let found = try ingest(votes.file)
            guard found.0.layout.elementType.isInteger else {
                throw FileFault(
                    votes.file,
                    "numbers of votes must be whole numbers, found \(found.0.layout.elementType.rawValue)")
            }
            try check(votes.file, found, fits: (seeds, facts), of: labels)
            return (file: votes.file, store: found.0, needed: Double(votes.needed))
        }
        let shape = seeds.layout.shape
        let growth = ObjectGrowth(
            reach: LabelSettings.Regrowth(within: reach).reach(voxelSize), floor: floor, voxelSize: voxelSize,
            withinSections: withinSections)
        let bytes = growth.memory(for: shape, channels: 1)
        let atOnce = try piecesAtOnce(bytes, of: labels)
        let ids = LabelValues(file: labels, store: seeds)
        // Work is done on 32 bits; longer numbers have stand-ins.
        let numbers = try seeds.layout.elementType.size > 4 ? self.numbers(of: ids) : nil
        let values = LogitValues(file: probabilities, store: landscape.0)
        let cut = StoreShape(for: shape)
        let grown = try BlockStore.create(
            at: folder + "/grown.zarr",
            BlockStore.Layout(
                shape: shape, elementType: .uint32, shard: cut.shard, chunk: cut.chunk, voxelSize: voxelSize))
        let windows = growth.windows(of: shape)
        var highest: UInt32 = 0
        var mostVotes = 0.0
        try parallelForEach(windows.count, threads: atOnce) { index in
            let window = windows[index]
            let region = growth.surroundings(of: window, in: shape)
            let objects =
                try numbers?.numbered(ids.labels(in: region)) ?? ids.labels(in: region, as: UInt32.self)
            var heights = try values.logits(in: region)
            var most = 0.0
            if let counts {
                let found = try counts.store.read(region).converted(to: Double.self).voxels
                if let wrong = found.first(where: { $0 < 0 || $0 > Double(UInt8.max) }) {
                    throw FileFault(
                        counts.file,
                        "holds \(Int(exactly: wrong) ?? .max); expected numbers of votes, 0 to \(UInt8.max)")
                }
                most = found.max() ?? 0
                heights.close { found[$0] < counts.needed && objects.voxels[$0] == 0 }
            }
            let result = try growth.grown(window, of: shape, seeds: objects, over: heights)
            for shard in window.cells(of: cut.shard) {
                try grown.writeShard(shard, VoxelBuffer(result.cropped(to: shard.relative(to: window.origin))))
            }
            return (number: result.voxels.max() ?? 0, votes: most)
        } use: { _, found in
            highest = max(highest, found.number)
            mostVotes = max(mostVotes, found.votes)
            if shouldStop() { throw Interruption() }
        }
        // Objects that networks agreed on have votes themselves.
        if let counts, highest > 0, mostVotes < counts.needed {
            throw FileFault(
                counts.file,
                "has \(Int(mostVotes)) votes at most, but growth is to have \(Int(counts.needed)): nothing can grow"
            )
        }
        try writeLabels(
            of: shape, upTo: numbers?.names.max() ?? UInt64(highest), to: output, replaces: replaces,
            voxelSize: voxelSize, position: facts.position, frame: facts.frame
        ) { write in
            try grown.forEachSlab(threads: threads, shouldStop: shouldStop) { slab, z in
                guard let names = numbers?.names else { return try write(slab, z) }
                try write(
                    VoxelBuffer(slab.volume(of: UInt32.self).map { $0 == 0 ? 0 : names[Int($0) - 1] }), z)
            }
        }
    }

    private func numbers(of values: LabelValues) throws -> LabelNumbers {
        var numbers = LabelNumbers()
        for box in values.store.shards {
            _ = try numbers.number(values.labels(in: box, threads: threads))
            if shouldStop() { throw Interruption() }
        }
        return numbers
    }
}
