import Diagnosis
import Foundation
import Tensors

/// A task that any network learns: noise, with the patches of label 1 brighter.
func brightPatches(_ count: Int, extents: [Int] = [9, 9], seed: UInt64 = 1) throws -> ClassificationTask {
    func samples(_ stream: String) -> ClassificationTask.Samples {
        let random = CounterRandom(seed: seed, stream: stream)
        let size = extents.reduce(1, *)
        let labels = (0..<count).map { UInt8($0 % 2) }
        let images = (0..<count * size).map { Float(random.normal(UInt64($0))) + Float(labels[$0 / size]) }
        return ClassificationTask.Samples(images: images, labels: labels)
    }
    return try ClassificationTask(
        channels: 1, extents: extents, training: samples("training"), test: samples("test"))
}
