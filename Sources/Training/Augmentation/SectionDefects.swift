import Volumes

/// What goes wrong when a volume is cut into sections that are photographed one by one.
struct SectionDefects {
    /// Of the network. One of 2 sees a section at a time: without an image it has nothing to learn from, and another's place
    /// is nothing to it.
    let dimensions: Int

    /// One section without an image, one out of focus, and from one on all moved by up to 8 voxels with their labels: 10 %
    /// each.
    ///
    /// - Returns: Whether labels have moved, so that weights by borders are no longer theirs.
    func apply(to patch: inout SeenPatch, random: inout SampleRandom) -> Bool {
        let shape = patch.channels[0].shape
        if random.chance(0.1), dimensions == 3 {
            let section = random.below(shape.z)
            let value = Float(random.uniform(-2...2))
            for channel in patch.channels.indices {
                let first = patch.channels[channel].index(section, 0, 0)
                for voxel in first..<first + shape.y * shape.x { patch.channels[channel].voxels[voxel] = value }
            }
        }
        if random.chance(0.1) {
            let section = random.below(shape.z)
            let deviation = random.uniform(1...3)
            for channel in patch.channels.indices {
                patch.channels[channel].blur(ZYX(0, deviation, deviation), sections: section..<section + 1)
            }
        }
        guard random.chance(0.1), dimensions == 3, shape.z > 1 else { return false }
        let first = 1 + random.below(shape.z - 1)
        patch.moveSections(from: first, down: random.below(17) - 8, right: random.below(17) - 8)
        return true
    }
}

extension SeenPatch {
    /// Moves the sections from one on, image and labels. What comes in repeats the border and does not count.
    fileprivate mutating func moveSections(from first: Int, down: Int, right: Int) {
        let seen = Box(channels[0].shape)
        for channel in channels.indices {
            channels[channel].move(first..<seen.shape.z, by: ZYX(0, down, right), within: seen)
        }
        // Ranks and codes are larger than the patch by the margin, and by more where it reaches beyond the volume.
        let isWhole = seen.shape == ranks.shape - margin - margin
        let inner = Box(origin: (isWhole ? .zero : place) + margin, shape: seen.shape)
        let labelled = inner.grown(by: margin)
        let sections = inner.origin.z + first..<labelled.end.z
        ranks.move(sections, by: ZYX(0, down, right), within: labelled)
        codes.move(sections, by: ZYX(0, down, right), within: labelled)
        let (rows, columns) = (inner.origin.y..<inner.end.y, inner.origin.x..<inner.end.x)
        for z in sections {
            for y in labelled.origin.y..<labelled.end.y {
                for x in labelled.origin.x..<labelled.end.x
                where !(rows.contains(y - down) && columns.contains(x - right)) {
                    codes[z, y, x] = 0
                }
            }
        }
    }
}

extension Volume {
    /// Moves what lies within a box in some sections; what comes in repeats the box's border.
    fileprivate mutating func move(_ sections: Range<Int>, by offset: ZYX<Int>, within box: Box) {
        let source = voxels
        let (rows, columns) = (box.origin.y..<box.end.y, box.origin.x..<box.end.x)
        for z in sections {
            for y in rows {
                let from = index(z, Swift.min(rows.upperBound - 1, Swift.max(rows.lowerBound, y - offset.y)), 0)
                let row = index(z, y, 0)
                for x in columns {
                    let column = Swift.min(columns.upperBound - 1, Swift.max(columns.lowerBound, x - offset.x))
                    voxels[row + x] = source[from + column]
                }
            }
        }
    }
}
