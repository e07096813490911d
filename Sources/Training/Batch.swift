import Networks
import Tensors
import Volumes

/// The patches of a step as values, voxel by voxel with all channels of a voxel together, as networks take them.
struct BatchValues: Sendable {
    /// Patches, or for a 2D network their sections.
    let samples: Int
    /// Of a sample, along the network's axes.
    let extents: [Int]
    let image: [Float]
    let imageChannels: Int
    /// The weight of each voxel in each channel of the output, negative where its answer is 0.
    let answers: [Float]
    let answerChannels: Int

    init(_ patches: [TrainingPatch], dimensions: Int) {
        let shape = patches[0].shape
        samples = patches.count * (dimensions == 2 ? shape.z : 1)
        extents = Array(shape.array.suffix(dimensions))
        imageChannels = patches[0].channels.count
        answerChannels = patches[0].answers.count
        image = interleaved(patches.map(\.channels)) { channel, target, stride in
            for (index, value) in channel.voxels.enumerated() { target[index * stride] = value }
        }
        answers = interleaved(patches.map(\.answers)) { answer, target, stride in
            answer.weight.voxels.withUnsafeBufferPointer { weights in
                answer.target.voxels.withUnsafeBufferPointer { targets in
                    for index in weights.indices {
                        target[index * stride] = targets[index] == 0 ? -weights[index] : weights[index]
                    }
                }
            }
        }
    }
}

/// Channels of samples side by side: z, y, x, channel, sample after sample. Sections of z are samples without a change of
/// order.
private func interleaved<Channel: Countable>(
    _ samples: [[Channel]], _ write: (Channel, UnsafeMutablePointer<Float>, Int) -> Void
) -> [Float] {
    let channels = samples[0].count
    let voxels = samples[0].first?.count ?? 0
    return [Float](unsafeUninitializedCapacity: samples.count * channels * voxels) { target, count in
        for (sample, parts) in samples.enumerated() {
            for (channel, part) in parts.enumerated() {
                write(part, target.baseAddress! + sample * channels * voxels + channel, channels)
            }
        }
        count = samples.count * channels * voxels
    }
}

private protocol Countable { var count: Int { get } }
extension Volume<Float>: Countable { fileprivate var count: Int { voxels.count } }
extension ChannelAnswer: Countable { fileprivate var count: Int { weight.voxels.count } }

/// The patches of a step as tensors `[batch, channel, z, y, x]`; for a 2D network their sections,
/// `[batch · z, channel, y, x]`.
struct Batch {
    let image: Tensor
    /// `BatchValues.answers`; nil for patches without.
    private let answers: Tensor?

    init(_ values: BatchValues, device: Device) throws {
        func tensor(_ elements: [Float], channels: Int) throws -> Tensor {
            let axes = values.extents.count
            let tensor = try Tensor(elements, shape: [values.samples] + values.extents + [channels], device: device)
            return try tensor.permuted([0, axes + 1] + Array(1...axes)).contiguous(.channelsLast)
        }
        image = try tensor(values.image, channels: values.imageChannels)
        answers = values.answerChannels > 0 ? try tensor(values.answers, channels: values.answerChannels) : nil
    }

    init(_ patches: [TrainingPatch], dimensions: Int, device: Device) throws {
        try self.init(BatchValues(patches, dimensions: dimensions), device: device)
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
