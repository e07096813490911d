import Foundation
import Inference
import Labeling
import Volumes

/// What the network sees of a training sample and what it should answer.
public struct TrainingPatch: Sendable {
    /// The image's channels, normalised, 0 beyond the volume.
    public let channels: [Volume<Float>]
    /// One an output channel; weights are 0 where the annotation does not count, is kept back, or the volume ends.
    public let answers: [ChannelAnswer]

    var shape: ZYX<Int> { channels[0].shape }
}

/// Draws training patches; each is a function of (seed, member, step, index).
///
/// A volume is drawn in proportion to its annotated voxels. A share of the patches is centred on an object,
/// every object equally likely, the others on any voxel the member may learn from. Patches stay within the
/// volume where it is large enough; a larger patch is placed so that it holds the whole axis and is padded. For a
/// network whose output has a margin, patches reach that margin beyond the volume, which is mirrored there, as in
/// prediction.
public struct PatchSampler: Sendable {
    public let patch: ZYX<Int>
    private let margin: ZYX<Int>
    let volumes: [PreparedVolume]
    let outputs: [OutputChannel]
    private let isBalanced: Bool
    /// How far around a patch its labels are looked at.
    private let labelMargin: ZYX<Int>
    let grounds: [SamplingGround]
    private let seed: UInt64
    let member: Int

    /// - Parameters:
    ///   - outputs: of the network, in the order of its channels.
    ///   - isBalanced: whether both answers of an affinity and of an interior channel weigh the same in a patch.
    ///   - heldBack: for each volume, the boxes whose labels must not be learnt from.
    ///   - margin: voxels on each side of a patch that the network has no output for.
    /// - Throws: `AnnotationError` where nothing, or no object, is left to learn from.
    public init(
        volumes: [PreparedVolume], outputs: [OutputChannel], isBalanced: Bool = false, heldBack: [[Box]],
        patch: ZYX<Int>, margin: ZYX<Int> = .zero, seed: UInt64, member: Int
    ) throws {
        precondition(volumes.count == heldBack.count)
        self.volumes = volumes
        self.outputs = outputs
        self.isBalanced = isBalanced
        labelMargin = LabelledBox.margin(of: outputs, dimensions: volumes.first?.dimensions ?? 3)
        self.patch = patch
        self.margin = margin
        self.seed = seed
        self.member = member
        grounds = zip(volumes, heldBack).map { SamplingGround($0, heldBack: $1) }
        guard grounds.contains(where: { $0.annotated > 0 }) else {
            throw AnnotationError("no annotated voxel is left to train on")
        }
        guard grounds.contains(where: { !$0.objects.isEmpty }) else {
            throw AnnotationError("the labels to train on are all 0; at least one object must be annotated")
        }
        try checkClasses()
    }

    private func checkClasses() throws {
        let seen = grounds.reduce(into: Set<UInt32>()) { $0.formUnion($1.labels) }
        let known = Set(volumes.flatMap(\.labels.labels))
        for case .label(let label) in outputs where !seen.contains(label) {
            if known.contains(label) {
                throw AnnotationError(
                    "class \(label) lies only in what member \(member + 1) must not learn from (its validation block, or that "
                        + "of the threshold); annotate it elsewhere too, or give consensus.threshold a value and set "
                        + "ensemble.calibration to 0")
            }
            let found = known.subtracting([0]).sorted().prefix(10).map(String.init).joined(separator: ", ")
            throw AnnotationError(
                "no annotated voxel is of class \(label), which the target names; there are \(found)")
        }
    }

    /// - Parameter oversampling: the share of patches centred on an object.
    public func patch(
        step: Int, index: Int, oversampling: Double, augmentation: Augmentation
    ) -> TrainingPatch {
        var random = SampleRandom(seed: seed, member: member, step: step, index: index)
        let number = drawVolume(&random)
        let volume = volumes[number]
        let ground = grounds[number]
        let orientation = Orientation(
            augmentation, patch: patch, voxelSize: volume.annotation.voxelSize, dimensions: volume.dimensions,
            random: &random)
        let onObject = random.chance(oversampling) && !ground.objects.isEmpty
        let centre = onObject ? ground.drawObjectVoxel(&random) : ground.drawVoxel(&random)
        let box = Box(origin: origin(around: centre, in: volume.shape, &random), shape: patch)
        let warp = Warp(
            augmentation, patch: patch, voxelSize: volume.annotation.voxelSize, dimensions: volume.dimensions,
            random: &random)
        var around = labelMargin
        if outputs.contains(.foreground), warp != nil || augmentation.sectionDefects {
            around = around + volume.border.reach
        }
        var seen = warp.map { warped(number, box, $0, around) } ?? taken(number, box, around)
        let areSectionsMoved =
            augmentation.sectionDefects
            && SectionDefects(dimensions: volume.dimensions).apply(to: &seen, random: &random)
        if outputs.contains(.foreground), warp != nil || areSectionsMoved {
            seen.foreground = nil
            seen.codes = volume.border.made(
                anewOf: seen.ranks, counts: seen.codes, in: Box(origin: around, shape: patch))
        }
        seen.narrow(to: labelMargin)
        change(&seen.channels, of: volume, augmentation, random: &random)
        let labelled = LabelledBox(
            ranks: turned(seen.ranks, orientation), labels: volume.labels.labels,
            codes: turned(seen.codes, orientation), levels: volume.border.levels, dimensions: volume.dimensions,
            margin: seen.margin, foreground: seen.foreground.map { turned($0, orientation) }, isBalanced: isBalanced
        )
        return TrainingPatch(
            channels: seen.channels.map { turned(padded($0, to: patch, at: seen.place), orientation) },
            answers: outputs.map(labelled.answer))
    }

    /// - Parameter margin: how far around the patch labels are taken.
    private func taken(_ number: Int, _ box: Box, _ margin: ZYX<Int>) -> SeenPatch {
        let volume = volumes[number]
        let inside = box.intersection(Box(volume.shape))
        let outer = box.grown(by: margin)
        return SeenPatch(
            channels: channels(of: volume, inside: inside, box), place: inside.origin - box.origin,
            ranks: volume.labels.ranks.padded(to: outer), codes: codes(of: number, in: outer), margin: margin,
            foreground: outputs.contains(.foreground) ? volume.foreground.padded(to: box) : nil)
    }

    /// A patch at the middle of `box` through a warp: the image between voxels, labels from the nearest.
    ///
    /// - Parameter margin: how far around the patch labels are taken.
    private func warped(_ number: Int, _ box: Box, _ warp: Warp, _ margin: ZYX<Int>) -> SeenPatch {
        let volume = volumes[number]
        let middle = box.origin.zip(box.shape) { Double($0) + Double($1 - 1) / 2 }
        let larger = patch + margin + margin
        let source = warp.source(of: larger, around: middle)
        let centre = middle.zip(source.origin) { $0 - Double($1) }
        let ranks = Volume.mirrored(source, in: volume.shape) { volume.labels.ranks.cropped(to: $0) }
            .nearest(larger, warp, around: centre)
        let codes = codes(of: number, in: source).nearest(larger, warp, around: centre)
        return SeenPatch(
            channels: volume.annotation.channels.map { channel in
                Volume.mirrored(source, in: volume.shape, read: channel.read)
                    .interpolated(patch, warp, around: centre)
            }, place: .zero, ranks: ranks, codes: codes, margin: margin)
    }

    private func change(
        _ channels: inout [Volume<Float>], of volume: PreparedVolume, _ augmentation: Augmentation,
        random: inout SampleRandom
    ) {
        let blur = augmentation.blur && random.chance(0.2) ? random.uniform(0.3...1) : 0
        let step = augmentation.lowResolution && random.chance(0.15) ? 2 + random.below(2) : 1
        // Sections much thicker than their voxels are wide are as sharp along z as they can be.
        let sides = volume.annotation.voxelSize.nanometers
        let thickness = sides.z / min(sides.y, sides.x)
        let isSolid = volume.dimensions == 3 && thickness < 2
        for channel in channels.indices {
            if blur > 0 {
                channels[channel].blur(
                    ZYX(isSolid ? blur / thickness : 0, blur, blur), sections: 0..<channels[channel].shape.z)
            }
            if step > 1 { channels[channel].lowerResolution(by: ZYX(isSolid ? step : 1, step, step)) }
            let changes = IntensityChanges(augmentation, random: &random)
            changes.apply(to: &channels[channel].voxels, random: &random)
        }
    }

    /// The weights in a box as codes, 0 beyond the volume and where labels are kept back.
    private func codes(of number: Int, in box: Box) -> Volume<UInt8> {
        var codes = volumes[number].border.codes.padded(to: box)
        for held in grounds[number].heldBack {
            let hidden = held.intersection(box)
            if hidden.isEmpty { continue }
            codes.replace(at: hidden.origin - box.origin, with: Volume(shape: hidden.shape))
        }
        return codes
    }

    /// Places that cover all a member may learn from, each voxel once but for those before a far end.
    public var cover: [(volume: Int, box: Box)] {
        zip(volumes, grounds).enumerated().flatMap { number, part in
            let (volume, ground) = part
            return ground.boxes.flatMap { $0.cells(of: patch) }
                .filter { volume.border.codes.cropped(to: $0).voxels.contains { $0 != 0 } }
                .map { cell in
                    let last = (volume.shape - patch).zip(.zero, max)
                    return (number, Box(origin: cell.origin.zip(last, min), shape: patch))
                }
        }
    }

    /// The image at a place, as a patch without answers.
    public func image(at place: (volume: Int, box: Box)) -> TrainingPatch {
        let volume = volumes[place.volume]
        let inside = place.box.intersection(Box(volume.shape))
        let channels = channels(of: volume, inside: inside, place.box)
        return TrainingPatch(channels: channels.map { padded($0, to: patch, at: .zero) }, answers: [])
    }

    /// What lies within the volume; all of the box, mirrored beyond, for a network whose output has a margin.
    private func channels(of volume: PreparedVolume, inside: Box, _ box: Box) -> [Volume<Float>] {
        volume.annotation.channels.map { channel in
            margin == .zero
                ? channel.read(inside) : Volume.mirrored(box, in: volume.shape, read: channel.read)
        }
    }

    private func drawVolume(_ random: inout SampleRandom) -> Int {
        let total = grounds.reduce(0) { $0 + $1.annotated }
        var place = random.below(total)
        for (number, ground) in grounds.enumerated() {
            if place < ground.annotated { return number }
            place -= ground.annotated
        }
        return grounds.count - 1
    }

    /// Where a patch around `centre` starts: within the volume, or before it where the patch is the larger.
    private func origin(around centre: ZYX<Int>, in shape: ZYX<Int>, _ random: inout SampleRandom) -> ZYX<Int> {
        func start(_ axis: KeyPath<ZYX<Int>, Int>) -> Int {
            let beyond = margin[keyPath: axis]
            let slack = shape[keyPath: axis] + beyond - patch[keyPath: axis]
            if slack < -beyond { return -beyond - random.below(1 - slack - beyond) }
            return max(-beyond, min(slack, centre[keyPath: axis] - patch[keyPath: axis] / 2))
        }
        return ZYX(start(\.z), start(\.y), start(\.x))
    }

    private func padded<Element>(
        _ part: Volume<Element>, to shape: ZYX<Int>, at place: ZYX<Int>
    ) -> Volume<Element> {
        if part.shape == shape { return part }
        var whole = Volume<Element>(shape: shape)
        whole.replace(at: place, with: part)
        return whole
    }
}

/// A patch before it is turned.
struct SeenPatch {
    /// What lies within the volume, and where in the patch that is.
    var channels: [Volume<Float>]
    let place: ZYX<Int>
    /// `RankedLabels` with `margin` more on every side.
    var ranks: Volume<UInt32>
    /// The foreground's weights as codes, with `margin` more on every side.
    var codes: Volume<UInt8>
    private(set) var margin: ZYX<Int>
    /// The target `foreground`; nil where it has to be made of the ranks, or nobody asks for it.
    var foreground: Volume<UInt8>?

    init(
        channels: [Volume<Float>], place: ZYX<Int>, ranks: Volume<UInt32>, codes: Volume<UInt8>, margin: ZYX<Int>,
        foreground: Volume<UInt8>? = nil
    ) {
        self.channels = channels
        self.place = place
        self.ranks = ranks
        self.codes = codes
        self.margin = margin
        self.foreground = foreground
    }

    /// Lets go of labels farther away.
    mutating func narrow(to margin: ZYX<Int>) {
        if margin == self.margin { return }
        let patch = ranks.shape - self.margin - self.margin
        let box = Box(origin: self.margin - margin, shape: patch + margin + margin)
        ranks = ranks.cropped(to: box)
        codes = codes.cropped(to: box)
        self.margin = margin
    }
}

private func turned<Element>(_ volume: Volume<Element>, _ orientation: Orientation) -> Volume<Element> {
    let shape = volume.shape
    let (base, steps) = orientation.strides(shape)
    if base == 0 && orientation.axes == [0, 1, 2] { return volume }
    let voxels = [Element](unsafeUninitializedCapacity: shape.count) { target, count in
        volume.voxels.withUnsafeBufferPointer { source in
            var next = 0
            for z in 0..<shape.z {
                for y in 0..<shape.y {
                    var from = base + z * steps.z + y * steps.y
                    for _ in 0..<shape.x {
                        target[next] = source[from]
                        next += 1
                        from += steps.x
                    }
                }
            }
        }
        count = shape.count
    }
    return Volume(shape: shape, voxels: voxels)
}
