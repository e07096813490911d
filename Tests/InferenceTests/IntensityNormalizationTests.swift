import Inference
import Testing
import Volumes

@Suite struct IntensityNormalizationTests {
    @Test func everyTypeIsBroughtToMeanZeroAndDeviationOne() {
        let normalization = IntensityNormalization(mean: 4, deviation: 2)
        let expected: [Float] = [-2, -1, 0, 1]
        let bytes = VoxelBuffer(Volume<UInt8>(shape: ZYX(1, 2, 2), voxels: [0, 2, 4, 6]))
        let doubles = VoxelBuffer(Volume<Double>(shape: ZYX(1, 2, 2), voxels: [0, 2, 4, 6]))
        #expect(normalization.apply(bytes).voxels == expected)
        #expect(normalization.apply(doubles).voxels == expected)
    }

    @Test func aBoxHasTheValuesOfTheWhole() {
        let volume = Volume<Int16>(shape: ZYX(3, 4, 5), voxels: (0..<60).map { Int16($0) })
        let normalization = IntensityNormalization(mean: 0, deviation: 1)
        let box = Box(from: ZYX(1, 1, 2), to: ZYX(3, 3, 5))
        let part = normalization.apply(VoxelBuffer(volume), box: box)
        #expect(part.voxels == volume.cropped(to: box).voxels.map(Float.init))
    }

    @Test(arguments: [0, Double.nan])
    func aConstantImageBecomesZero(deviation: Double) {
        let normalization = IntensityNormalization(mean: 7, deviation: deviation)
        #expect(
            normalization.apply(VoxelBuffer(Volume<UInt8>(shape: ZYX(1, 1, 2), repeating: 7))).voxels == [0, 0])
    }
}
