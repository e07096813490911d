import Diagnosis
import Foundation
import Testing

struct ClassificationTaskTests {
    /// Two channels of 2 × 3, whose values say where they stand.
    private func task(_ labels: [UInt8] = [1, 0, 0, 0]) throws -> ClassificationTask {
        let images = (0..<labels.count * 12).map { index -> Float in
            let (sample, channel, y, x) = (index / 12, index / 6 % 2, index / 3 % 2, index % 3)
            return Float(1000 * sample + 100 * channel + 10 * y + x)
        }
        let samples = ClassificationTask.Samples(images: images, labels: labels)
        return try ClassificationTask(channels: 2, extents: [2, 3], training: samples, test: samples)
    }

    @Test func batchesHoldSamplesMirroredAsAsked() throws {
        let task = try task()
        let (images, labels) = try task.batch(of: task.training, [2, 0, 1, 3], mirrored: [0, 1, 2, 3])
        #expect(images.shape == [4, 2, 2, 3] && labels.shape == [4, 1])
        #expect(try labels.floats() == [0, 1, 0, 0])
        let values = try images.floats().map(Int.init)
        #expect(values[..<12] == [2000, 2001, 2002, 2010, 2011, 2012, 2100, 2101, 2102, 2110, 2111, 2112])
        #expect(values[12..<24] == [10, 11, 12, 0, 1, 2, 110, 111, 112, 100, 101, 102])
        #expect(values[24..<36] == [1002, 1001, 1000, 1012, 1011, 1010, 1102, 1101, 1100, 1112, 1111, 1110])
        #expect(values[36...] == [3012, 3011, 3010, 3002, 3001, 3000, 3112, 3111, 3110, 3102, 3101, 3100])
    }

    @Test func guessingLosesTheEntropyOfTheLabels() throws {
        #expect(abs(try task([1, 0]).chanceLoss - log(2)) < 1e-12)
        #expect(abs(try task().chanceLoss - (0.25 * log(4) + 0.75 * log(4 / 3.0))) < 1e-12)
    }

    @Test func everyValueAndLabelCountsInTheDigest() throws {
        #expect(try task().digest == task().digest)
        #expect(try task().digest != task([0, 1, 0, 0]).digest)
        #expect(try brightPatches(4, seed: 1).digest != brightPatches(4, seed: 2).digest)
    }

    @Test func whatCannotBeLearntIsSaidInOneLine() throws {
        #expect(throws: DiagnosisError.self) { try task([1, 1, 1]) }
        #expect(throws: DiagnosisError.self) { try task([]) }
        let short = ClassificationTask.Samples(images: [1, 2, 3], labels: [0, 1])
        #expect(throws: DiagnosisError.self) {
            try ClassificationTask(channels: 1, extents: [1, 2], training: short, test: short)
        }
    }
}
