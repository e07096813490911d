import Foundation
import Testing
import Training
import Volumes

@Suite struct BorderWeightsTests {
    @Test(arguments: [ZYX(8.0, 8.0, 8.0), ZYX(40.0, 8.0, 16.0)])
    func weightsFollowTheFormulaOverAllObjects(size: ZYX<Double>) throws {
        let labels = foam(ZYX(9, 15, 13), objects: 14, background: 0.4, seed: 3)
        let volume = try annotated(labels, voxelSize: VoxelSize(size, .nanometer))
        let target = ForegroundTarget.volume(labels: labels, threads: 1)
        let found = BorderWeights(volume: volume, target: target, strength: 10, sigma: 2, threads: 2).weights
        var between = 0
        for cell in Box(labels.shape).cells(of: ZYX(repeating: 1)) {
            let (z, y, x) = (cell.origin.z, cell.origin.y, cell.origin.x)
            let expected = target[z, y, x] == 1 ? 1 : bruteForce(ZYX(z, y, x), labels, target, size, 10, 2)
            #expect(abs(Double(found[z, y, x]) - expected) <= 0.5 * 10 / 254 + 0.01)
            if expected > 2 { between += 1 }
        }
        #expect(between > 50)
    }

    @Test func whatIsNotAnnotatedHasNoWeight() throws {
        let labels = foam(ZYX(6, 8, 8), objects: 6, background: 0.5, seed: 5)
        let mask = Volume<UInt8>(shape: labels.shape, voxels: (0..<labels.shape.count).map { $0 % 3 == 0 ? 0 : 9 })
        let volume = try annotated(labels, mask: mask, unlabelledZero: true)
        let target = ForegroundTarget.volume(labels: labels, threads: 1)
        let weights = BorderWeights(volume: volume, target: target, strength: 10, sigma: 4, threads: 1).weights
        for index in weights.voxels.indices {
            let counts = mask.voxels[index] != 0 && labels.voxels[index] != 0
            #expect(counts ? weights.voxels[index] >= 1 : weights.voxels[index] == 0)
        }
    }

    @Test func strengthZeroWeighsAllAlike() throws {
        let labels = foam(ZYX(4, 6, 6), objects: 4)
        let target = ForegroundTarget.volume(labels: labels, threads: 1)
        let weights = BorderWeights(
            volume: try annotated(labels), target: target, strength: 0, sigma: 4, threads: 1
        ).weights
        #expect(weights.voxels.allSatisfy { $0 == 1 })
    }
}

private func bruteForce(
    _ at: ZYX<Int>, _ labels: Volume<UInt32>, _ target: Volume<UInt8>, _ size: ZYX<Double>, _ strength: Double,
    _ sigma: Double
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
    let two = nearest.values.sorted().prefix(2)
    guard two.count == 2 else { return 1 }
    let sum = two[0] + two[1]
    return 1 + strength * exp(-sum * sum / (2 * sigma * sigma))
}

extension Double {
    fileprivate mutating func lower(to value: Double) { self = Swift.min(self, value) }
}
