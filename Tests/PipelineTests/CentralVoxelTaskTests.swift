import Diagnosis
import Inference
import Pipeline
import Testing
import Training
import Volumes

struct CentralVoxelTaskTests {
    /// Voxels whose values say where they are, in a block that is an object where y + x is odd enough.
    private func volume(_ shape: ZYX<Int>, mask: Volume<UInt8>? = nil) throws -> AnnotatedVolume {
        var labels = Volume<UInt32>(shape: shape)
        var image = Volume<Float>(shape: shape)
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x {
                    labels[z, y, x] = (y / 3 + x / 4) % 2 == 0 ? 1 : 0
                    image[z, y, x] = Float(10_000 * z + 100 * y + x)
                }
            }
        }
        return try AnnotatedVolume(
            image: VoxelBuffer(image), normalization: IntensityNormalization(mean: 0, deviation: 1), labels: labels,
            mask: mask, voxelSize: VoxelSize(ZYX(1, 1, 1), .micrometer))
    }

    private func task(_ count: Int = 60) -> CentralVoxelTask {
        var task = CentralVoxelTask()
        task.extent = 5
        task.trainingSamples = count
        task.testSamples = count / 3
        return task
    }

    /// z, y, x of a patch's centre, by its value.
    private func centres(_ samples: ClassificationTask.Samples) -> [(z: Int, y: Int, x: Int)] {
        (0..<samples.count).map { sample in
            let value = Int(samples.images[sample * 25 + 12])
            return (value / 10_000, value / 100 % 100, value % 100)
        }
    }

    @Test func theLabelIsThatOfTheCentralVoxel() throws {
        let made = try task().make(of: [volume(ZYX(40, 20, 24))], threads: 1)
        for samples in [made.training, made.test] {
            #expect(samples.labels.count { $0 == 1 } * 2 == samples.count)
            for (centre, label) in zip(centres(samples), samples.labels) {
                #expect(label == ((centre.y / 3 + centre.x / 4) % 2 == 0 ? 1 : 0))
            }
        }
        let (z, y, x) = centres(made.training)[0]
        #expect(made.training.images[0] == Float(10_000 * z + 100 * (y - 2) + x - 2))
        #expect(made.training.images[24] == Float(10_000 * z + 100 * (y + 2) + x + 2))
    }

    @Test func testPatchesComeFromElsewhere() throws {
        let long = try task().make(of: [volume(ZYX(40, 20, 24))], threads: 1)
        #expect(centres(long.training).allSatisfy { $0.z < 25 })
        #expect(centres(long.test).allSatisfy { $0.z >= 30 })
        let wide = try task().make(of: [volume(ZYX(2, 20, 84))], threads: 1)
        // No voxel is in a training and in a test patch.
        #expect((centres(wide.training).map(\.x).max() ?? 99) + 2 < (centres(wide.test).map(\.x).min() ?? 0) - 2)
    }

    /// Voxels have values of their own, so that patches that share one share its value.
    @Test(arguments: [
        ZYX(3, 20, 40), ZYX(3, 40, 20), ZYX(16, 20, 20), ZYX(1, 14, 90), ZYX(12, 24, 16), ZYX(9, 10, 13),
    ])
    func noVoxelIsInATrainingPatchAndInATestPatch(shape: ZYX<Int>) throws {
        let made = try task(900).make(of: [volume(shape)], threads: 1)
        let (training, test) = (Set(made.training.images), Set(made.test.images))
        #expect(training.count > 25 && test.count > 25)
        #expect(training.isDisjoint(with: test))
    }

    @Test func theMadeUpVolumeMakesATask() throws {
        let volume = try SyntheticVolume().annotated()
        let made = try CentralVoxelTask().make(of: [volume], threads: 1)
        #expect(made.training.count == 4_000 && made.test.count == 1_000)
        // Normalised, but for membranes being more frequent than in the whole.
        let values = made.training.images.map(Double.init)
        #expect(abs(values.reduce(0, +) / Double(values.count)) < 0.5)
    }

    @Test func onlyAnnotatedVoxelsCount() throws {
        var mask = Volume<UInt8>(shape: ZYX(40, 20, 24))
        for z in 0..<40 { for y in 5..<15 { for x in 6..<20 where x != 9 { mask[z, y, x] = 1 } } }
        let made = try task().make(of: [volume(mask.shape, mask: mask)], threads: 1)
        for centre in centres(made.training) + centres(made.test) {
            #expect(mask[centre.z, centre.y, centre.x] == 1)
        }
    }

    @Test func theSameVolumesGiveTheSameTask() throws {
        let first = try task().make(of: [volume(ZYX(40, 20, 24))], threads: 1)
        #expect(try task().make(of: [volume(ZYX(40, 20, 24))], threads: 2) == first)
        var other = task()
        other.seed = 2
        #expect(try other.make(of: [volume(ZYX(40, 20, 24))], threads: 1) != first)
    }

    @Test func volumesThatAreTooSmallAreRefused() throws {
        #expect(throws: DiagnosisError.self) { try task().make(of: [volume(ZYX(40, 4, 24))], threads: 1) }
    }
}
