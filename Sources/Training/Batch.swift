import Inference
import Networks
import Tensors
import Volumes

/// The patches of a step as tensors `[batch, channel, z, y, x]`; for a 2D network their sections,
/// `[batch · z, channel, y, x]`. Target and weight have a channel for each of the network's.
struct Batch {
    let image: Tensor
    private let target: Tensor?
    private let weight: Tensor?

    init(_ patches: [TrainingPatch], dimensions: Int, device: Device) throws {
        let size = patches[0].shape
        func tensor(_ patches: [[Volume<Float>]]) throws -> Tensor? {
            guard let channels = patches.first?.count, channels > 0 else { return nil }
            let shape =
                dimensions == 2
                ? [patches.count * size.z, channels, size.y, size.x]
                : [patches.count, channels, size.z, size.y, size.x]
            let values = patches.flatMap { dimensions == 2 ? sectionBySection($0) : $0.flatMap(\.voxels) }
            // With one channel both memory formats are the same bytes; libtorch must be told which one it is.
            return try Tensor(values, shape: shape, device: device).contiguous(.channelsLast)
        }
        guard let image = try tensor(patches.map(\.channels)) else { preconditionFailure("a patch without image") }
        self.image = image
        target = try tensor(patches.map { $0.answers.map { $0.target.map(Float.init) } })
        weight = try tensor(patches.map { $0.answers.map(\.weight) })
    }

    /// Target and weight where a network's output has these extents: their middle, for a coarser output every n-th
    /// voxel of it.
    ///
    /// - Parameter scale: input voxels for one of the output's, along each axis.
    func truth(extents: [Int], scale: [Int]) throws -> (target: Tensor, weight: Tensor) {
        guard let target, let weight else { preconditionFailure("patches without answers") }
        let ranges = zip(image.shape.dropFirst(2), zip(extents, scale)).map { whole, part in
            let covered = part.0 * part.1
            return (whole - covered) / 2..<(whole + covered) / 2
        }
        func taken(_ tensor: Tensor) throws -> Tensor {
            let cropped =
                Array(tensor.shape.dropFirst(2)) == ranges.map(\.count) ? tensor : try tensor.cropped(to: ranges)
            return scale.allSatisfy { $0 == 1 } ? cropped : try cropped.resampled(to: extents, .nearest)
        }
        return (try taken(target), try taken(weight))
    }
}
