import Diagnosis
import Tensors
import Training
import Volumes

/// Makes the small real task of the diagnosis from annotated volumes: sections around random voxels, and whether that
/// voxel is inside an object. Classes are balanced; training and test come from different places.
package struct CentralVoxelTask {
    /// Odd, so that a voxel is in the middle.
    package var extent = 17
    package var trainingSamples = 4_000
    package var testSamples = 1_000
    package var seed: UInt64 = 1

    package init() {}

    /// - Throws: ``DiagnosisError`` where the volumes are too small or have voxels of one kind only.
    package func make(of volumes: [AnnotatedVolume], threads: Int) throws -> ClassificationTask {
        let places = volumes.map { volume in
            Place(
                volume: volume, target: ForegroundTarget.volume(labels: volume.labels, threads: threads),
                reach: extent / 2)
        }
        return try ClassificationTask(
            channels: volumes.first?.channels.count ?? 1, extents: [extent, extent],
            training: samples(trainingSamples, "training", places.map { ($0, $0.training) }),
            test: samples(testSamples, "test", places.map { ($0, $0.test) }))
    }

    private func samples(
        _ count: Int, _ name: String, _ grounds: [(place: Place, box: Box)]
    ) throws -> ClassificationTask.Samples {
        let total = grounds.reduce(0) { $0 + $1.box.count }
        let random = CounterRandom(seed: seed, stream: name)
        var images: [Float] = []
        images.reserveCapacity(count * extent * extent)
        var labels: [UInt8] = []
        // Of a rare class, too, a few thousand are found among so many.
        for draw in 0..<UInt64(count * 1_000) where total > 0 && labels.count < count {
            var index = Int(random.bits(draw).multipliedFullWidth(by: UInt64(total)).high)
            guard
                let (place, box) = grounds.first(where: { ground in
                    if index < ground.box.count { return true }
                    index -= ground.box.count
                    return false
                })
            else { break }
            let voxel =
                box.origin
                + ZYX(index / (box.shape.y * box.shape.x), index / box.shape.x % box.shape.y, index % box.shape.x)
            // One label, then the other.
            guard let label = place.label(voxel), Int(label) == labels.count % 2 else { continue }
            labels.append(label)
            images += place.section(around: voxel)
        }
        guard labels.count == count else {
            throw DiagnosisError(
                "the annotated volumes have too few \(labels.count % 2 == 1 ? "voxels inside" : "voxels outside") "
                    + "of objects, \(extent / 2) voxels from the border, for \(count) \(name) patches of "
                    + "\(extent)×\(extent)")
        }
        return ClassificationTask.Samples(images: images, labels: labels)
    }
}

/// An annotated volume and where in it samples have their centres.
private struct Place {
    let volume: AnnotatedVolume
    let target: Volume<UInt8>
    let reach: Int
    let training: Box
    let test: Box

    init(volume: AnnotatedVolume, target: Volume<UInt8>, reach: Int) {
        self.volume = volume
        self.target = target
        self.reach = reach
        let inside = Box(volume.shape).grown(by: ZYX(0, -reach, -reach))
        let box = volume.annotatedBox.intersection(inside)
        // The last quarter along the longest axis where there is room for both.
        let parts = (0..<3).map { Self.parts(of: box, along: $0, reach: reach) }
        let open = (0..<3).filter { !parts[$0].training.isEmpty && !parts[$0].test.isEmpty }
        let axis = open.max { (box.shape.array[$0], $1) < (box.shape.array[$1], $0) } ?? 0
        (training, test) = parts[axis]
    }

    /// Centres before and after a gap along an axis. Sections are in y and x: no voxel is in one of each where their
    /// centres are more than twice the reach apart. Along z the gap is there only lest neighbours look alike.
    private static func parts(of box: Box, along axis: Int, reach: Int) -> (training: Box, test: Box) {
        let length = box.shape.array[axis]
        let gap = axis == 0 ? min(2 * reach + 1, length / 8) : 2 * reach
        let end = length - length / 4
        return (box.part(along: axis, 0..<max(0, end - gap)), box.part(along: axis, end..<max(end, length)))
    }

    /// nil where the annotation does not count.
    func label(_ voxel: ZYX<Int>) -> UInt8? {
        let index = target.index(voxel.z, voxel.y, voxel.x)
        return volume.isAnnotated(index) ? target.voxels[index] : nil
    }

    func section(around voxel: ZYX<Int>) -> [Float] {
        let box = Box(origin: voxel, shape: ZYX(1, 1, 1)).grown(by: ZYX(0, reach, reach))
        return volume.channels.flatMap { $0.read(box).voxels }
    }
}

extension Box {
    /// The part whose voxels lie in `range` along an axis, counted from this box's own start.
    fileprivate func part(along axis: Int, _ range: Range<Int>) -> Box {
        var part = self
        let key = [\ZYX<Int>.z, \.y, \.x][axis]
        part.origin[keyPath: key] += range.lowerBound
        part.shape[keyPath: key] = range.count
        return part
    }
}
