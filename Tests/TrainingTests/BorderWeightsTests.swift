import Foundation
import Testing
import Training
import Volumes

@Suite struct BorderWeightsTests {
    @Test(
        arguments: [ZYX(8.0, 8.0, 8.0), ZYX(40.0, 8.0, 16.0)],
        [
            BorderWeighting(separation: 10, separationSigma: 2, balance: 1),
            BorderWeighting(separation: 50, separationSigma: 2, balance: 0.1, balanceSigma: 3),
            BorderWeighting(separation: 0, balance: 0.25, balanceSigma: 2), .none,
        ])
    func weightsFollowTheFormulaOverAllObjects(size: ZYX<Double>, weighting: BorderWeighting) throws {
        let labels = foam(ZYX(9, 15, 13), objects: 14, background: 0.4, seed: 3)
        let target = ForegroundTarget.volume(labels: labels, threads: 1)
        let found = BorderWeights(
            labels: labels, target: target, counts: nil, voxelSize: VoxelSize(size, .nanometer),
            weighting: weighting, threads: 2
        ).weights
        var outside = 0
        for cell in Box(labels.shape).cells(of: ZYX(repeating: 1)) {
            let (z, y, x) = (cell.origin.z, cell.origin.y, cell.origin.x)
            if target[z, y, x] == 1 {
                #expect(found[z, y, x] == 1)
            } else {
                let expected = bruteForce(ZYX(z, y, x), labels, target, size, weighting)
                // Codes are 3 % apart, and what is left out is below 0.01 twice.
                #expect(abs(Double(found[z, y, x]) - expected) <= 0.02 * expected + 0.02)
                outside += 1
            }
        }
        #expect(outside > 50)
    }

    @Test(arguments: [2, 3], [ZYX(4, 5, 6), ZYX(9, 3, 13)])
    func weightsOfBlocksAreThoseOfTheWhole(dimensions: Int, block: ZYX<Int>) {
        let labels = foam(ZYX(9, 15, 13), objects: 14, background: 0.4, seed: 3)
        let target = ForegroundTarget.volume(labels: labels, dimensions: dimensions, threads: 1)
        let codes = [block, labels.shape].map { block in
            BorderWeights(
                labels: labels, target: target, counts: nil, voxelSize: VoxelSize(ZYX(16, 8, 8), .nanometer),
                weighting: BorderWeighting(separation: 50, separationSigma: 1, balance: 0.1, balanceSigma: 1.5),
                dimensions: dimensions, threads: 1, block: block
            ).codes
        }
        #expect(codes[0] == codes[1])
    }

    /// Labels around a patch count as those of the whole volume do.
    @Test(arguments: [2, 3]) func weightsMadeAnewAreThoseOfTheWhole(dimensions: Int) throws {
        let labels = foam(ZYX(44, 54, 56), objects: 400, background: 0.4, seed: 3)
        let volume = PreparedVolume(
            try annotated(labels), weighting: BorderWeighting(separation: 50, separationSigma: 2, balanceSigma: 3),
            dimensions: dimensions, threads: 1)
        let box = Box(origin: ZYX(20, 22, 21), shape: ZYX(4, 10, 12))
        let margin = volume.border.reach + ZYX(dimensions == 3 ? 5 : 0, 5, 5)
        let around = box.grown(by: margin)
        let made = volume.border.made(
            anewOf: volume.labels.ranks.cropped(to: around), counts: Volume(shape: around.shape, repeating: 1),
            in: Box(origin: margin, shape: box.shape))
        let expected = volume.border.codes.cropped(to: box)
        #expect(made.cropped(to: Box(origin: margin, shape: box.shape)) == expected, "differ")
        #expect(Set(expected.voxels).count > 10)
    }

    @Test func whatDoesNotCountHasNoWeight() throws {
        let labels = foam(ZYX(6, 8, 8), objects: 6, background: 0.5, seed: 5)
        let mask = Volume<UInt8>(shape: labels.shape, voxels: (0..<labels.shape.count).map { $0 % 3 == 0 ? 0 : 1 })
        let volume = try annotated(labels, mask: mask, unlabelledZero: true)
        let weights = PreparedVolume(volume, weighting: BorderWeighting(), threads: 1).border.weights
        for index in weights.voxels.indices {
            let counts = mask.voxels[index] != 0 && labels.voxels[index] != 0
            #expect((weights.voxels[index] > 0) == counts)
        }
    }
}

private func bruteForce(
    _ at: ZYX<Int>, _ labels: Volume<UInt32>, _ target: Volume<UInt8>, _ size: ZYX<Double>,
    _ weighting: BorderWeighting
) -> Double {
    let smallest = size.array.min()!
    var nearest: [UInt32: Double] = [:]
    for cell in Box(labels.shape).cells(of: ZYX(repeating: 1)) {
        let other = cell.origin
        guard target[other.z, other.y, other.x] == 1 else { continue }
        let d = (other - at).zip(size) { Double($0) * $1 / smallest }
        let distance = (d.z * d.z + d.y * d.y + d.x * d.x).squareRoot()
        nearest[labels[other.z, other.y, other.x], default: .infinity].lower(to: distance)
    }
    let two = nearest.values.sorted().prefix(2) + [.infinity, .infinity]
    let (d1, sum) = (two[two.startIndex], two[two.startIndex] + two[two.startIndex + 1])
    return weighting.balance
        + (1 - weighting.balance) * exp(-d1 * d1 / (2 * weighting.balanceSigma * weighting.balanceSigma))
        + weighting.separation * exp(-sum * sum / (2 * weighting.separationSigma * weighting.separationSigma))
}

extension Double {
    fileprivate mutating func lower(to value: Double) { self = Swift.min(self, value) }
}
