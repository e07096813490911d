import Synthesis
import Testing
import Volumes

@Suite struct NeuriteSynthesisTests {
    static let isotropic = VoxelSize(ZYX(10, 10, 10), .nanometer)
    static let anisotropic = VoxelSize(ZYX(40, 8, 8), .nanometer)

    private func small(
        seed: UInt64 = 1, _ background: NeuriteSynthesis.Background = .none, _ voxelSize: VoxelSize = isotropic
    ) -> (image: Volume<UInt8>, labels: Volume<UInt32>) {
        let shape = ZYX(24, 64, 72)
        return NeuriteSynthesis(shape: shape, voxelSize: voxelSize, seed: seed, background: background).generate()
    }

    /// FNV-1a over the bytes of a volume.
    private func digest<Element>(_ volume: Volume<Element>) -> UInt64 {
        volume.voxels.withUnsafeBytes { bytes in
            bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        }
    }

    @Test func aSeedGivesTheSameBytesOnEveryMachine() {
        let (image, labels) = small()
        #expect(digest(image) == 13_509_289_775_092_355_651)
        #expect(digest(labels) == 4_995_863_964_178_920_836)
    }

    @Test func anotherSeedGivesAnotherVolume() {
        let (first, second) = (small(seed: 1), small(seed: 2))
        #expect(first.image != second.image)
        #expect(first.labels != second.labels)
    }

    @Test(arguments: NeuriteSynthesis.Background.allCases, [isotropic, anisotropic])
    func everyLabelIsOneComponent(background: NeuriteSynthesis.Background, voxelSize: VoxelSize) throws {
        let (image, labels) = small(background, voxelSize)
        #expect(image.shape == ZYX(24, 64, 72))
        #expect(labels.shape == image.shape)
        let components = componentLabels(labels)
        let count = try #require(labels.voxels.max())
        #expect(count > 5)
        #expect(components.sorted() == Array(1...count))
    }

    @Test func backgroundIsWhatWasAskedFor() {
        func share(_ background: NeuriteSynthesis.Background) -> Double {
            let voxels = small(background).labels.voxels
            return Double(voxels.count { $0 == 0 }) / Double(voxels.count)
        }
        #expect(share(.none) == 0)
        #expect((0.08...0.5).contains(share(.membrane)))
        #expect((0.001...0.2).contains(share(.extracellular)))
    }

    @Test func membranesAreDarkerThanWhatTheyDivide() {
        let (image, labels) = small()
        var sums = (border: 0.0, inside: 0.0)
        var counts = (border: 0.0, inside: 0.0)
        for z in 0..<24 {
            for y in 0..<64 {
                for x in 3..<68 {
                    let value = Double(image[z, y, x])
                    if labels[z, y, x] != labels[z, y, x + 1] {
                        sums.border += value
                        counts.border += 1
                    } else if labels[z, y, x - 3] == labels[z, y, x + 3] {
                        sums.inside += value
                        counts.inside += 1
                    }
                }
            }
        }
        #expect(sums.border / counts.border < sums.inside / counts.inside - 25)
    }

    @Test(arguments: [ZYX(1, 1, 1), ZYX(1, 40, 30), ZYX(30, 2, 1), ZYX(3, 5, 7)])
    func smallVolumesAreFilledToo(shape: ZYX<Int>) {
        let labels = NeuriteSynthesis(shape: shape, voxelSize: Self.anisotropic, seed: 3).generate().labels
        #expect(labels.shape == shape)
        #expect(!labels.voxels.contains(0))
    }

    /// The label of each 6-connected component other than 0.
    private func componentLabels(_ labels: Volume<UInt32>) -> [UInt32] {
        let shape = labels.shape
        var isSeen = [Bool](repeating: false, count: shape.count)
        var found: [UInt32] = []
        for start in labels.voxels.indices where !isSeen[start] && labels.voxels[start] != 0 {
            let label = labels.voxels[start]
            found.append(label)
            isSeen[start] = true
            var stack = [start]
            while let index = stack.popLast() {
                let (z, y, x) = (index / (shape.y * shape.x), index / shape.x % shape.y, index % shape.x)
                for (dz, dy, dx) in [(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)] {
                    let (z, y, x) = (z + dz, y + dy, x + dx)
                    guard (0..<shape.z).contains(z), (0..<shape.y).contains(y), (0..<shape.x).contains(x)
                    else { continue }
                    let next = labels.index(z, y, x)
                    guard !isSeen[next], labels.voxels[next] == label else { continue }
                    isSeen[next] = true
                    stack.append(next)
                }
            }
        }
        return found
    }
}
