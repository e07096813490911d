import Labeling
import Volumes

/// What one channel of the network should answer, and how much each voxel of it counts.
public struct ChannelAnswer: Sendable {
    /// 0 or 1.
    public let target: Volume<UInt8>
    /// 0 where the annotation does not count.
    public let weight: Volume<Float>
}

extension ChannelAnswer {
    /// The same total weight, half of it on either answer; the rarer one counts twenty times at most.
    func balanced() -> ChannelAnswer {
        var (ones, total) = (0.0, 0.0)
        for (answer, weight) in zip(target.voxels, weight.voxels) {
            total += Double(weight)
            if answer != 0 { ones += Double(weight) }
        }
        guard total > 0 else { return self }
        let share = min(max(ones / total, 0.025), 0.975)
        let factors = [Float(0.5 / (1 - share)), Float(0.5 / share)]
        var weights = weight
        for voxel in weights.voxels.indices { weights.voxels[voxel] *= factors[Int(target.voxels[voxel])] }
        return ChannelAnswer(target: target, weight: weights)
    }
}

/// The labels of a box, with `margin` more on every side, and what they are turned into.
struct LabelledBox {
    /// `RankedLabels`.
    let ranks: Volume<UInt32>
    /// The label of each rank.
    let labels: [UInt32]
    /// The foreground's weights as codes, 0 where the annotation does not count.
    let codes: Volume<UInt8>
    let levels: [Float]
    /// Of the network; to one of 2 neighbouring sections say nothing.
    let dimensions: Int
    /// `margin(of:dimensions:)` at least of what is asked for.
    let margin: ZYX<Int>
    /// Whether both answers of an affinity and of an interior channel weigh the same.
    var isBalanced = false

    /// How far around a box its labels decide over the answers of some channels.
    static func margin(of channels: [OutputChannel], dimensions: Int) -> ZYX<Int> {
        if channels.contains(.foreground) { return ForegroundTarget.reach(dimensions: dimensions) }
        return channels.contains(.interior) ? ZYX(dimensions == 3 ? 1 : 0, 1, 1) : .zero
    }

    private var shape: ZYX<Int> { ranks.shape - margin - margin }
    /// The foreground's weights in the box.
    private var inner: Volume<UInt8> { codes.cropped(to: Box(origin: margin, shape: shape)) }

    func answer(_ channel: OutputChannel) -> ChannelAnswer {
        switch channel {
        case .foreground:
            ChannelAnswer(
                target: ForegroundTarget.volume(ranks: ranks, dimensions: dimensions),
                weight: inner.map { levels[Int($0)] })
        case .interior: isBalanced ? interior.balanced() : interior
        case .affinity(let offset): isBalanced ? affinity(offset).balanced() : affinity(offset)
        case .label(let label): ChannelAnswer(target: isOf(label), weight: counts)
        }
    }

    /// 1 where the annotation counts.
    private var counts: Volume<Float> { inner.map { $0 == 0 ? 0 : 1 } }

    /// 1 within objects where the six neighbours, or the four of the section, are of the same object, as far as it is
    /// known what they are.
    private var interior: ChannelAnswer {
        let (width, plane) = (ranks.shape.x, ranks.shape.y * ranks.shape.x)
        let steps = [-1, 1, -width, width] + (dimensions == 3 ? [-plane, plane] : [])
        return codes.voxels.withUnsafeBufferPointer { codes in
            ChannelAnswer(
                target: fill { own, ranks in
                    let rank = ranks[own]
                    guard rank != 0 else { return false }
                    for step in steps where ranks[own + step] != rank && codes[own + step] != 0 { return false }
                    return true
                }, weight: counts)
        }
    }

    private func isOf(_ label: UInt32) -> Volume<UInt8> {
        // No voxel has the rank after the last.
        let rank = UInt32(labels.firstIndex(of: label) ?? labels.count)
        return fill { own, ranks in label != 0 && ranks[own] == rank }
    }

    /// 1 where a voxel and the one at `offset` are of one object; counts where both do and both lie in the box.
    private func affinity(_ offset: ZYX<Int>) -> ChannelAnswer {
        var target = Volume<UInt8>(shape: shape)
        var weight = Volume<Float>(shape: shape)
        let inside = Box(origin: ZYX.zero - offset, shape: shape).intersection(Box(shape))
        let step = (offset.z * ranks.shape.y + offset.y) * ranks.shape.x + offset.x
        for z in inside.origin.z..<inside.end.z {
            for y in inside.origin.y..<inside.end.y {
                let row = target.index(z, y, 0)
                let own = ranks.index(z + margin.z, y + margin.y, margin.x)
                for x in inside.origin.x..<inside.end.x
                where codes.voxels[own + x] != 0 && codes.voxels[own + x + step] != 0 {
                    let rank = ranks.voxels[own + x]
                    target.voxels[row + x] = rank != 0 && ranks.voxels[own + x + step] == rank ? 1 : 0
                    weight.voxels[row + x] = 1
                }
            }
        }
        return ChannelAnswer(target: target, weight: weight)
    }

    /// 1 where `holds`, given the place of a voxel in the ranks and the ranks.
    @inline(__always)
    private func fill(_ holds: (Int, UnsafeBufferPointer<UInt32>) -> Bool) -> Volume<UInt8> {
        var target = Volume<UInt8>(shape: shape)
        target.voxels.withUnsafeMutableBufferPointer { target in
            ranks.voxels.withUnsafeBufferPointer { voxels in
                var next = 0
                for z in 0..<shape.z {
                    for y in 0..<shape.y {
                        let own = ranks.index(z + margin.z, y + margin.y, margin.x)
                        for x in 0..<shape.x {
                            target[next] = holds(own + x, voxels) ? 1 : 0
                            next += 1
                        }
                    }
                }
            }
        }
        return target
    }
}
