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

/// The labels of a box and what they are turned into.
struct LabelledBox {
    /// `RankedLabels`, with one voxel more on every side.
    let ranks: Volume<UInt32>
    /// The label of each rank.
    let labels: [UInt32]
    /// The foreground's weights as codes, 0 where the annotation does not count.
    let codes: Volume<UInt8>
    let levels: [Float]
    /// Whether both answers of an affinity and of an interior channel weigh the same.
    var isBalanced = false

    private var shape: ZYX<Int> { codes.shape }

    func answer(_ channel: OutputChannel) -> ChannelAnswer {
        switch channel {
        case .foreground:
            ChannelAnswer(
                target: ForegroundTarget.volume(ranks: ranks, threads: 1), weight: codes.map { levels[Int($0)] })
        case .interior: isBalanced ? interior.balanced() : interior
        case .affinity(let offset): isBalanced ? affinity(offset).balanced() : affinity(offset)
        case .label(let label): ChannelAnswer(target: isOf(label), weight: counts)
        }
    }

    /// 1 where the annotation counts.
    private var counts: Volume<Float> { codes.map { $0 == 0 ? 0 : 1 } }

    /// 1 where the six neighbours have the voxel's own label.
    private var interior: ChannelAnswer {
        let (width, plane) = (ranks.shape.x, ranks.shape.y * ranks.shape.x)
        return ChannelAnswer(
            target: fill { own, ranks in
                let rank = ranks[own]
                return ranks[own - 1] == rank && ranks[own + 1] == rank && ranks[own - width] == rank
                    && ranks[own + width] == rank && ranks[own - plane] == rank && ranks[own + plane] == rank
            }, weight: counts)
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
        let step = (offset.z * shape.y + offset.y) * shape.x + offset.x
        let far = (offset.z * ranks.shape.y + offset.y) * ranks.shape.x + offset.x
        for z in inside.origin.z..<inside.end.z {
            for y in inside.origin.y..<inside.end.y {
                let row = codes.index(z, y, 0)
                let own = ranks.index(z + 1, y + 1, 1)
                for x in inside.origin.x..<inside.end.x
                where codes.voxels[row + x] != 0 && codes.voxels[row + x + step] != 0 {
                    let rank = ranks.voxels[own + x]
                    target.voxels[row + x] = rank != 0 && ranks.voxels[own + x + far] == rank ? 1 : 0
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
                        let own = ranks.index(z + 1, y + 1, 1)
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
