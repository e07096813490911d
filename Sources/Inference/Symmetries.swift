import Volumes

/// Test-time augmentation: a network's logits of an input mirrored, or turned within its sections, in every way, turned back
/// and averaged.
///
/// What is of one voxel is turned back with it. An affinity is of a voxel and the one before it; of a volume mirrored along
/// that axis the network says it of the voxel and the one after it, so that it moves on by one, and there is none for the
/// first voxel.
struct Symmetries {
    /// What is done to an input: y and x are exchanged, then some axes mirrored; 0 is z.
    fileprivate struct Change {
        var isTransposed = false
        var mirrored: [Int] = []
    }

    private let changes: [Change]
    private let neighbourAxes: [Int?]

    /// - Parameters:
    ///   - averaging: which changes there are.
    ///   - dimensions: of the network; one of 2 is not mirrored along z.
    init(_ averaging: PredictionAveraging, dimensions: Int) {
        let axes = Array((3 - dimensions)..<3)
        let mirrorings = (0..<1 << axes.count).map { choice in
            axes.indices.filter { choice >> $0 & 1 == 1 }.map { axes[$0] }
        }
        changes =
            switch (averaging.mirrors, averaging.turns) {
            case (false, false): [Change()]
            case (true, false): mirrorings.map { Change(mirrored: $0) }
            case (true, true):
                [false, true].flatMap { swap in mirrorings.map { Change(isTransposed: swap, mirrored: $0) } }
            case (false, true):
                // By 0, 90, 180 and 270 degrees.
                [
                    Change(), Change(isTransposed: true, mirrored: [2]), Change(mirrored: [1, 2]),
                    Change(isTransposed: true, mirrored: [1]),
                ]
            }
        neighbourAxes = averaging.neighbourAxes
    }

    /// How many times an input is predicted.
    var count: Int { changes.count }

    /// The mean over all changes, the input as it is among them.
    ///
    /// - Parameters:
    ///   - forward: the network, of whose logits a part is wanted.
    ///   - kept: what is wanted of the logits.
    ///   - margin: voxels on each side of the input that have no logits.
    func mean(
        of forward: (_ input: [Volume<Float>], _ kept: Box) throws -> [Volume<Float>], on input: [Volume<Float>],
        keeping kept: Box, margin: ZYX<Int>
    ) rethrows -> [Volume<Float>] {
        // With what moves on into it, which the input's first voxels have none of.
        let box = Box(from: (kept.origin - halo).zip(.zero, max), to: kept.end)
        let shape = input[0].shape.zip(margin) { $0 - 2 * $1 }
        var sums = try forward(input, box)
        for change in changes.dropFirst() {
            let changed = input.map { volume in
                (change.isTransposed ? volume.transposed() : volume).mirrored(along: change.mirrored)
            }
            let logits = try forward(changed, box.changed(change, in: shape))
            for channel in sums.indices {
                let turned = logits[source(of: channel, change)].mirrored(along: change.mirrored)
                sums[channel].add(
                    change.isTransposed ? turned.transposed() : turned, movedAlong: moves(channel, change))
            }
        }
        for channel in sums.indices {
            sums[channel].divide(
                by: Float(count), firstBy: Float(changes.count { moves(channel, $0) == nil }),
                along: neighbourAxes[channel])
        }
        return sums.map { $0.cropped(to: kept.relative(to: box.origin)) }
    }

    /// The channel that says of a changed input what this one says of the input.
    private func source(of channel: Int, _ change: Change) -> Int {
        guard change.isTransposed, let axis = neighbourAxes[channel] else { return channel }
        return neighbourAxes.firstIndex(of: exchanged(axis)) ?? channel
    }

    /// The axis along which a channel's answer belongs to the voxel after.
    private func moves(_ channel: Int, _ change: Change) -> Int? {
        guard let axis = neighbourAxes[channel] else { return nil }
        return change.mirrored.contains(change.isTransposed ? exchanged(axis) : axis) ? axis : nil
    }

    private func exchanged(_ axis: Int) -> Int { axis == 0 ? 0 : 3 - axis }

    /// Beyond a tile's own voxels what affinities take from the one before.
    var halo: ZYX<Int> {
        func isMoved(_ axis: Int) -> Int {
            neighbourAxes.indices.contains { channel in changes.contains { moves(channel, $0) == axis } } ? 1 : 0
        }
        return ZYX(isMoved(0), isMoved(1), isMoved(2))
    }
}

extension Box {
    /// Where the voxels of this box are once the volume around it, of `shape`, is changed.
    fileprivate func changed(_ change: Symmetries.Change, in shape: ZYX<Int>) -> Box {
        func exchanged(_ numbers: ZYX<Int>) -> ZYX<Int> {
            change.isTransposed ? ZYX(numbers.z, numbers.x, numbers.y) : numbers
        }
        var box = Box(origin: exchanged(origin), shape: exchanged(self.shape))
        let shape = exchanged(shape)
        for (axis, path) in [\ZYX<Int>.z, \.y, \.x].enumerated() where change.mirrored.contains(axis) {
            box.origin[keyPath: path] = shape[keyPath: path] - box.end[keyPath: path]
        }
        return box
    }
}

extension Volume<Float> {
    /// The same voxels, mirrored along some axes.
    fileprivate func mirrored(along axes: [Int]) -> Volume {
        var mirrored = self
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                let source = index(
                    axes.contains(0) ? shape.z - 1 - z : z, axes.contains(1) ? shape.y - 1 - y : y, 0)
                let row = voxels[source..<source + shape.x]
                let place = index(z, y, 0)
                if axes.contains(2) {
                    mirrored.voxels.replaceSubrange(place..<place + shape.x, with: row.reversed())
                } else {
                    mirrored.voxels.replaceSubrange(place..<place + shape.x, with: row)
                }
            }
        }
        return mirrored
    }

    /// - Parameter axis: along which what is added moves on by one voxel; the first takes nothing.
    fileprivate mutating func add(_ other: Volume, movedAlong axis: Int?) {
        let step = ZYX(axis == 0 ? 1 : 0, axis == 1 ? 1 : 0, axis == 2 ? 1 : 0)
        for z in step.z..<shape.z {
            for y in step.y..<shape.y {
                let source = index(z - step.z, y - step.y, 0) - step.x
                let place = index(z, y, 0)
                for x in step.x..<shape.x { voxels[place + x] += other.voxels[source + x] }
            }
        }
    }

    /// - Parameter first: what the first voxels along an axis have the sum of.
    fileprivate mutating func divide(by count: Float, firstBy first: Float, along axis: Int?) {
        for voxel in voxels.indices { voxels[voxel] /= count }
        guard let axis, first < count else { return }
        for z in 0..<(axis == 0 ? min(1, shape.z) : shape.z) {
            for y in 0..<(axis == 1 ? min(1, shape.y) : shape.y) {
                for x in 0..<(axis == 2 ? min(1, shape.x) : shape.x) { self[z, y, x] *= count / first }
            }
        }
    }

    /// The same voxels, y and x exchanged.
    fileprivate func transposed() -> Volume {
        var transposed = Volume(shape: ZYX(shape.z, shape.x, shape.y))
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                let row = index(z, y, 0)
                for x in 0..<shape.x { transposed.voxels[transposed.index(z, x, y)] = voxels[row + x] }
            }
        }
        return transposed
    }
}
