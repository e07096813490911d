import Volumes

/// Test-time augmentation: a network's logits of an input mirrored in every way, turned back and averaged.
///
/// What is of one voxel is turned back with it. An affinity is of a voxel and the one before it; of a volume mirrored along
/// that axis the network says it of the voxel and the one after it, so that it moves on by one, and there is none for the
/// first voxel.
struct Mirrorings {
    /// The axes that are mirrored: 0 is z.
    private let axes: [Int]
    private let neighbourAxes: [Int?]

    /// - Parameters:
    ///   - dimensions: of the network; one of 2 is not mirrored along z.
    ///   - neighbourAxes: for each channel of affinities of nearest neighbours, the axis along which the other voxel lies
    ///     before; nil for what is of one voxel.
    init(dimensions: Int, neighbourAxes: [Int?]) {
        axes = Array((3 - dimensions)..<3)
        self.neighbourAxes = neighbourAxes
    }

    /// The mean over all mirrorings, the input as it is among them.
    func mean(
        of forward: ([Volume<Float>]) throws -> [Volume<Float>], on input: [Volume<Float>]
    ) rethrows -> [Volume<Float>] {
        var sums = try forward(input)
        let count = 1 << axes.count
        for choice in 1..<count {
            let mirrored = axes.indices.filter { choice >> $0 & 1 == 1 }.map { axes[$0] }
            let logits = try forward(input.map { $0.mirrored(along: mirrored) })
            for channel in sums.indices {
                let axis = neighbourAxes[channel].flatMap { mirrored.contains($0) ? $0 : nil }
                sums[channel].add(logits[channel].mirrored(along: mirrored), movedAlong: axis)
            }
        }
        for channel in sums.indices { sums[channel].divide(by: Float(count), firstAlong: neighbourAxes[channel]) }
        return sums
    }

    /// Beyond a tile's own voxels what affinities take from the one before.
    var halo: ZYX<Int> {
        let axes = Set(neighbourAxes)
        return ZYX(axes.contains(0) ? 1 : 0, axes.contains(1) ? 1 : 0, axes.contains(2) ? 1 : 0)
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

    /// - Parameter axis: along which the first voxel has but half of the sum.
    fileprivate mutating func divide(by count: Float, firstAlong axis: Int?) {
        for voxel in voxels.indices { voxels[voxel] /= count }
        guard let axis else { return }
        for z in 0..<(axis == 0 ? min(1, shape.z) : shape.z) {
            for y in 0..<(axis == 1 ? min(1, shape.y) : shape.y) {
                for x in 0..<(axis == 2 ? min(1, shape.x) : shape.x) { self[z, y, x] *= 2 }
            }
        }
    }
}
