import Networks
import Tensors
import Volumes

/// The patches of a batch as a network takes them, in the memory of the processor: voxel by voxel, with all channels of a
/// voxel together.
///
/// Sendable, as nothing changes its tensors.
struct HostBatch: @unchecked Sendable {
    /// `[sample, z, y, x, channel]`, a sample being a patch; for a 2D network `[sample, y, x, channel]`, of their sections.
    fileprivate let image: Tensor
    /// Of the same shape: the weight of each voxel in each channel of the output, negative where its answer is 0. nil for
    /// patches without answers.
    fileprivate let answers: Tensor?

    /// - Parameter device: that of the network.
    init(_ patches: [TrainingPatch], dimensions: Int, device: Device) throws {
        let shape = patches[0].shape
        let samples = [patches.count * (dimensions == 2 ? shape.z : 1)] + shape.array.suffix(dimensions)
        image = try interleaved(patches.map(\.channels), samples, device) { channel, part, target, stride in
            channel.voxels.withUnsafeBufferPointer { voxels in
                var next = target
                for index in part {
                    next.pointee = voxels[index]
                    next += stride
                }
            }
        }
        answers =
            try patches[0].answers.isEmpty
            ? nil
            : interleaved(patches.map(\.answers), samples, device) { answer, part, target, stride in
                answer.weight.voxels.withUnsafeBufferPointer { weights in
                    answer.target.voxels.withUnsafeBufferPointer { targets in
                        var next = target
                        for index in part {
                            next.pointee = targets[index] == 0 ? -weights[index] : weights[index]
                            next += stride
                        }
                    }
                }
            }
    }
}

/// Channels of samples side by side: z, y, x, channel, sample after sample. Sections of z are samples without a change of
/// order.
private func interleaved<Channel: Countable>(
    _ samples: [[Channel]], _ shape: [Int], _ device: Device,
    _ write: (Channel, Range<Int>, UnsafeMutablePointer<Float>, Int) -> Void
) throws -> Tensor {
    let channels = samples[0].count
    return try Tensor(Float.self, shape: shape + [channels], for: device) { target in
        for (sample, parts) in samples.enumerated() {
            // As many voxels at a time as stay in the processor's cache until all of their channels are there.
            for start in stride(from: 0, to: parts[0].count, by: 512) {
                for (channel, part) in parts.enumerated() {
                    write(
                        part, start..<min(start + 512, part.count),
                        target.baseAddress! + (sample * part.count + start) * channels + channel, channels)
                }
            }
        }
    }
}

private protocol Countable { var count: Int { get } }
extension Volume<Float>: Countable { fileprivate var count: Int { voxels.count } }
extension ChannelAnswer: Countable { fileprivate var count: Int { weight.voxels.count } }

/// The patches of a step as tensors `[batch, channel, z, y, x]` on the network's device; for a 2D network their sections,
/// `[batch · z, channel, y, x]`.
struct Batch {
    let image: Tensor
    /// `HostBatch.answers`.
    private let answers: Tensor?

    init(_ batch: HostBatch, device: Device) throws {
        func tensor(_ values: Tensor) throws -> Tensor {
            let axes = values.shape.count - 2
            return try values.to(device).permuted([0, axes + 1] + Array(1...axes)).contiguous(.channelsLast)
        }
        image = try tensor(batch.image)
        answers = try batch.answers.map(tensor)
    }

    init(_ patches: [TrainingPatch], dimensions: Int, device: Device) throws {
        try self.init(HostBatch(patches, dimensions: dimensions, device: device), device: device)
    }

    /// The answers where a network's output has these extents: their middle, for a coarser output every n-th voxel of
    /// it.
    ///
    /// - Parameter scale: input voxels for one of the output's, along each axis.
    func answers(extents: [Int], scale: [Int]) throws -> Tensor {
        guard let answers else { preconditionFailure("patches without answers") }
        let ranges = zip(image.shape.dropFirst(2), zip(extents, scale)).map { whole, part in
            let covered = part.0 * part.1
            return (whole - covered) / 2..<(whole + covered) / 2
        }
        let isWhole = Array(answers.shape.dropFirst(2)) == ranges.map(\.count)
        let cropped = isWhole ? answers : try answers.cropped(to: ranges)
        return scale.allSatisfy { $0 == 1 } ? cropped : try cropped.resampled(to: extents, .nearest)
    }
}
