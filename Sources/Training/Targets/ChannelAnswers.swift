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
    /// The target `foreground` of the box; nil where it has to be made of the ranks.
    var foreground: Volume<UInt8>?
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
                target: foreground ?? ForegroundTarget.volume(ranks: ranks, dimensions: dimensions),
                weight: inner.map { levels[Int($0)] })
        case .interior: isBalanced ? interior.balanced() : interior
        case .affinity(let offset): isBalanced ? affinity(offset).balanced() : affinity(offset)
        case .label(let label): isOf(label)
        }
    }

    /// 1 within objects where the six neighbours, or the four of the section, are of the same object, as far as it is
    /// known what they are.
    private var interior: ChannelAnswer {
        let (width, plane) = (ranks.shape.x, ranks.shape.y * ranks.shape.x)
        let steps = [-1, 1, -width, width] + (dimensions == 3 ? [-plane, plane] : [])
        return answer(in: Box(shape)) { row in
            for x in 0..<row.count { row.target[x] = row.ranks[x] != 0 ? 1 : 0 }
            for step in steps {
                let (ranks, codes) = (row.ranks + step, row.codes + step)
                for x in 0..<row.count {
                    let isSame: UInt8 = ranks[x] == row.ranks[x] ? 1 : 0
                    let isUnknown: UInt8 = codes[x] == 0 ? 1 : 0
                    row.target[x] &= isSame | isUnknown
                }
            }
            for x in 0..<row.count { row.weight[x] = row.codes[x] != 0 ? 1 : 0 }
        }
    }

    private func isOf(_ label: UInt32) -> ChannelAnswer {
        // No voxel has the rank after the last.
        let rank = label == 0 ? UInt32(labels.count) : UInt32(labels.firstIndex(of: label) ?? labels.count)
        return answer(in: Box(shape)) { row in
            for x in 0..<row.count {
                row.target[x] = row.ranks[x] == rank ? 1 : 0
                row.weight[x] = row.codes[x] != 0 ? 1 : 0
            }
        }
    }

    /// 1 where a voxel and the one at `offset` are of one object; counts where both do and both lie in the box.
    private func affinity(_ offset: ZYX<Int>) -> ChannelAnswer {
        let step = (offset.z * ranks.shape.y + offset.y) * ranks.shape.x + offset.x
        return answer(in: Box(origin: ZYX.zero - offset, shape: shape).intersection(Box(shape))) { row in
            let (ranks, codes) = (row.ranks + step, row.codes + step)
            for x in 0..<row.count {
                let isObject: UInt8 = row.ranks[x] != 0 ? 1 : 0
                let isSame: UInt8 = row.ranks[x] == ranks[x] ? 1 : 0
                let counts: UInt8 = row.codes[x] != 0 ? 1 : 0
                let otherCounts: UInt8 = codes[x] != 0 ? 1 : 0
                row.target[x] = isObject & isSame & counts & otherCounts
                row.weight[x] = Float(counts & otherCounts)
            }
        }
    }

    /// Where a row of an answer lies, and what it is made of. Plain pointers, over which the compiler takes several voxels at
    /// a time.
    private struct Row {
        let count: Int
        let ranks: UnsafePointer<UInt32>
        let codes: UnsafePointer<UInt8>
        let target: UnsafeMutablePointer<UInt8>
        let weight: UnsafeMutablePointer<Float>
    }

    /// What `fill` makes of each row of a box within this one; 0 elsewhere.
    @inline(__always)
    private func answer(in box: Box, _ fill: (Row) -> Void) -> ChannelAnswer {
        var target = Volume<UInt8>(shape: shape)
        var weight = Volume<Float>(shape: shape)
        guard !box.isEmpty else { return ChannelAnswer(target: target, weight: weight) }
        codes.voxels.withUnsafeBufferPointer { codes in
            ranks.voxels.withUnsafeBufferPointer { voxels in
                target.voxels.withUnsafeMutableBufferPointer { target in
                    weight.voxels.withUnsafeMutableBufferPointer { weight in
                        for z in box.origin.z..<box.end.z {
                            for y in box.origin.y..<box.end.y {
                                let place = (z * shape.y + y) * shape.x + box.origin.x
                                let own = ranks.index(z + margin.z, y + margin.y, box.origin.x + margin.x)
                                fill(
                                    Row(
                                        count: box.shape.x, ranks: voxels.baseAddress! + own,
                                        codes: codes.baseAddress! + own, target: target.baseAddress! + place,
                                        weight: weight.baseAddress! + place))
                            }
                        }
                    }
                }
            }
        }
        return ChannelAnswer(target: target, weight: weight)
    }
}
