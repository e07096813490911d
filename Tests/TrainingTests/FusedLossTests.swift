import Foundation
import Tensors
import Testing
import Training

/// Losses in closed form against their definitions in f64, gradients against differences of those.
struct FusedLossTests {
    private struct Voxel {
        var logit: Double
        /// Negative where the target is 0.
        var answer: Double
    }

    struct Shape: Sendable {
        var extents: [Int]
        var heads: [Range<Int>]
    }

    /// One channel, several in heads of one and more, sizes that fill no vector, a 2D network.
    static let shapes = [
        Shape(extents: [2, 1, 3, 5, 7], heads: [0..<1]), Shape(extents: [1, 4, 2, 3, 3], heads: [0..<1, 1..<4]),
        Shape(extents: [3, 10, 9, 8], heads: [0..<4, 4..<10]), Shape(extents: [1, 64, 1, 2, 2], heads: [0..<64]),
    ]

    @Test(arguments: Loss.allCases, shapes)
    func lossAndGradientAreThoseOfTheDefinition(loss: Loss, shape: Shape) throws {
        let voxels = drawn(shape.extents.reduce(1, *))
        let (value, gradient) = try FusedLoss(loss, heads: shape.heads, share: 0.5).gradient(
            of: tensor(voxels.map(\.logit), shape), answers: tensor(voxels.map(\.answer), shape), threads: 2)
        let expected = 0.5 * definition(loss, voxels, shape)
        #expect(abs(value - expected) < 1e-6 * max(1, abs(expected)))
        let found = try gradient.floats()
        for index in stride(from: 0, to: voxels.count, by: 7) {
            let slope = [1e-4, -1e-4].map { step in
                var moved = voxels
                moved[index].logit += step
                return definition(loss, moved, shape)
            }
            let difference = 0.5 * (slope[0] - slope[1]) / 2e-4
            #expect(abs(Double(found[index]) - difference) < 1e-6 + 1e-4 * abs(difference), "\(voxels[index])")
        }
    }

    /// Probabilities of 0 and 1 to the last digit neither overflow nor lose the loss.
    @Test(arguments: [-200.0, -90, -17, 0, 17, 90, 200], [1.0, -1])
    func logitsFarOut(logit: Double, answer: Double) throws {
        let shape = Shape(extents: [1, 1, 1, 1, 1], heads: [0..<1])
        let (value, gradient) = try FusedLoss(.crossEntropy, heads: shape.heads, share: 1).gradient(
            of: tensor([logit], shape), answers: tensor([answer], shape), threads: 1)
        let wrong = answer > 0 ? -logit : logit
        #expect(abs(value - (max(wrong, 0) + log1p(exp(-abs(wrong))))) < 1e-6 * max(1, abs(wrong)))
        let slope = 1 / (1 + exp(-wrong)) * (answer > 0 ? -1 : 1)
        #expect(abs(Double(try gradient.floats()[0]) - slope) < 1e-6)
    }

    @Test func threadsChangeNoBit() throws {
        let shape = Shape(extents: [1, 3, 40, 40, 41], heads: [0..<3])
        let voxels = drawn(shape.extents.reduce(1, *))
        let results = try [1, 2, 5].map { threads in
            let (value, gradient) = try FusedLoss(.crossEntropyAndDice, heads: shape.heads, share: 1).gradient(
                of: tensor(voxels.map(\.logit), shape), answers: tensor(voxels.map(\.answer), shape),
                threads: threads)
            return (value, try gradient.floats())
        }
        for result in results.dropFirst() { #expect(result == results[0]) }
    }

    // MARK: Definitions

    /// In row-major order of `[batch, channel, …]`.
    private func definition(_ loss: Loss, _ voxels: [Voxel], _ shape: Shape) -> Double {
        let channels = shape.extents[1]
        let plane = shape.extents.dropFirst(2).reduce(1, *)
        return shape.heads.reduce(0) { sum, head in
            let own = voxels.indices.filter { head.contains($0 / plane % channels) }.map { voxels[$0] }
            let weight = max(1, own.reduce(0) { $0 + abs($1.answer) })
            var (entropy, focal, overlap, total) = (0.0, 0.0, 0.0, 0.0)
            for voxel in own where voxel.answer != 0 {
                let probability = 1 / (1 + exp(-voxel.logit))
                let right = voxel.answer > 0 ? probability : 1 - probability
                entropy -= abs(voxel.answer) * log(right)
                focal -= abs(voxel.answer) * (1 - right) * (1 - right) * log(right)
                overlap += voxel.answer > 0 ? probability : 0
                total += probability + (voxel.answer > 0 ? 1 : 0)
            }
            let dice = 1 - (2 * overlap + 1) / (total + 1)
            return switch loss {
            case .crossEntropy: sum + entropy / weight
            case .dice: sum + dice
            case .crossEntropyAndDice: sum + entropy / weight + dice
            case .focal: sum + focal / weight
            }
        }
    }

    /// A fifth of the voxels does not count, some count tenfold.
    private func drawn(_ count: Int) -> [Voxel] {
        var random = SampleRandom(seed: 1, member: 0, step: 0, index: 0)
        return (0..<count).map { _ in
            let weight = [0, 0.5, 1, 1, 10][random.below(5)]
            return Voxel(
                logit: Double(Float(random.uniform(-9...9))), answer: random.chance(0.5) ? weight : -weight)
        }
    }

    private func tensor(_ values: [Double], _ shape: Shape) throws -> Tensor {
        try Tensor(values.map(Float.init), shape: shape.extents)
    }
}
