import Foundation
import Tensors

/// A small real task for networks that classify: whether a patch's central voxel is inside an object (Cireşan et al.
/// 2012), as plain data, whoever made it.
public struct ClassificationTask: Equatable, Sendable {
    public struct Samples: Equatable, Sendable {
        /// `[sample, channel, y, x]`, normalised.
        public let images: [Float]
        /// 1 where the central voxel is inside an object, else 0.
        public let labels: [UInt8]

        public init(images: [Float], labels: [UInt8]) {
            self.images = images
            self.labels = labels
        }

        public var count: Int { labels.count }
    }

    public let channels: Int
    /// y, x.
    public let extents: [Int]
    public let training: Samples
    public let test: Samples

    /// - Throws: ``DiagnosisError`` where images and labels do not match, or training has labels of one kind only.
    public init(channels: Int, extents: [Int], training: Samples, test: Samples) throws {
        self.channels = channels
        self.extents = extents
        self.training = training
        self.test = test
        for (name, samples) in [("training", training), ("test", test)] {
            guard samples.count > 0, samples.images.count == samples.count * size else {
                throw DiagnosisError(
                    "\(name) samples of the task have \(samples.images.count) values, expected \(samples.count) "
                        + "times \(size)")
            }
        }
        guard Set(training.labels).count == 2 else {
            throw DiagnosisError("all training samples of the task have the same label, expected both 0 and 1")
        }
    }

    /// Values of one sample.
    private var size: Int { extents.reduce(channels, *) }

    /// The cross-entropy of answering with the share of each label.
    public var chanceLoss: Double { entropy(of: training) }

    private func entropy(of samples: Samples) -> Double {
        let share = Double(samples.labels.count { $0 == 1 }) / Double(samples.count)
        return [share, 1 - share].reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
    }

    /// A number that other samples do not have, to tell whether results belong to this task.
    public var digest: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for samples in [training, test] {
            for value in samples.images { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01b3 }
            for label in samples.labels { hash = (hash ^ UInt64(label)) &* 0x100_0000_01b3 }
        }
        return hash
    }

    /// Images `[batch, channel, y, x]` and labels `[batch, 1]` of some samples.
    ///
    /// - Parameter mirrored: for each of them, whether y (bit 0) and x (bit 1) run backwards; the centre stays.
    package func batch(
        of samples: Samples, _ indices: [Int], mirrored: [UInt8]? = nil, on device: Device = .cpu
    ) throws -> (images: Tensor, labels: Tensor) {
        let (height, width) = (extents[0], extents[1])
        let values = [Float](unsafeUninitializedCapacity: indices.count * size) { target, count in
            for (place, index) in indices.enumerated() {
                let code = mirrored?[place] ?? 0
                var next = place * size
                for channel in 0..<channels {
                    let plane = index * size + channel * height * width
                    for y in 0..<height {
                        let row = plane + (code & 1 == 0 ? y : height - 1 - y) * width
                        for x in 0..<width {
                            target[next] = samples.images[row + (code & 2 == 0 ? x : width - 1 - x)]
                            next += 1
                        }
                    }
                }
            }
            count = indices.count * size
        }
        return (
            try Tensor(values, shape: [indices.count, channels] + extents, device: device),
            try Tensor(indices.map { Float(samples.labels[$0]) }, shape: [indices.count, 1], device: device)
        )
    }
}
