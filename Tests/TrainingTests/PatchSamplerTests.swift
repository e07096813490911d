import Inference
import Labeling
import Testing
import Training
import Volumes

@Suite struct PatchSamplerTests {
    private let weighting = BorderWeighting(separation: 10, separationSigma: 4, balance: 1)

    private func sampler(
        _ volume: AnnotatedVolume, heldBack: [Box] = [], patch: ZYX<Int> = ZYX(8, 12, 12), member: Int = 0
    ) throws -> PatchSampler {
        try PatchSampler(
            volumes: [PreparedVolume(volume, weighting: weighting, threads: 1)], outputs: [.foreground],
            heldBack: [heldBack], patch: patch, seed: 7, member: member)
    }

    @Test func aPatchIsAFunctionOfSeedMemberStepAndIndex() throws {
        let volume = try annotated(foam(ZYX(20, 24, 28), objects: 12))
        let one = try sampler(volume)
        let again = try sampler(volume)
        func image(_ sampler: PatchSampler, _ step: Int, _ index: Int) -> Volume<Float> {
            sampler.patch(step: step, index: index, oversampling: 0.3, augmentation: Augmentation()).channels[0]
        }
        #expect(image(one, 5, 1) == image(again, 5, 1))
        #expect(image(one, 5, 1) != image(one, 5, 0))
        #expect(image(one, 5, 1) != image(one, 6, 1))
        #expect(image(one, 5, 1) != image(try sampler(volume, member: 1), 5, 1))
    }

    /// However few voxels count, patches are centred on these, and on each as often.
    @Test func scatteredAnnotationIsFound() throws {
        let shape = ZYX(24, 40, 50)
        let places = [ZYX(0, 0, 0), ZYX(5, 39, 49), ZYX(9, 20, 20), ZYX(9, 20, 23), ZYX(23, 39, 49), ZYX(12, 1, 1)]
        var mask = Volume<UInt8>(shape: shape)
        for place in places { mask[place.z, place.y, place.x] = 1 }
        let image = Volume<UInt16>(shape: shape, voxels: (0..<shape.count).map { UInt16($0) })
        let volume = try AnnotatedVolume(
            image: VoxelBuffer(image), normalization: IntensityNormalization(mean: 0, deviation: 1),
            labels: Volume(shape: shape, repeating: 1), mask: mask,
            voxelSize: VoxelSize(ZYX(10, 10, 10), .nanometer))
        // The last place is kept back.
        let held = Box(origin: ZYX(10, 0, 0), shape: ZYX(4, 40, 50))
        let sampler = try sampler(volume, heldBack: [held], patch: ZYX(1, 1, 1))
        var counts: [Int: Int] = [:]
        for step in 0..<500 {
            let patch = sampler.patch(step: step, index: 0, oversampling: 0, augmentation: .steady)
            counts[Int(patch.channels[0].voxels[0]), default: 0] += 1
        }
        #expect(Set(counts.keys) == Set(places.dropLast().map { image.index($0.z, $0.y, $0.x) }))
        #expect(counts.values.allSatisfy { (60...140).contains($0) }, "\(counts.values.sorted())")
    }

    @Test func aClassThatNoVoxelHasIsAnError() throws {
        let volume = try annotated(foam(ZYX(20, 24, 28), objects: 3))
        let error = #expect(throws: AnnotationError.self) {
            try PatchSampler(
                volumes: [PreparedVolume(volume, weighting: weighting, threads: 1)],
                outputs: [.label(2), .label(9)], heldBack: [[]], patch: ZYX(8, 12, 12), seed: 7, member: 0)
        }
        let problem = "no annotated voxel is of class 9, which the target names; there are 1, 2, 3"
        #expect(error.map { "\($0)".contains(problem) } == true)
    }

    @Test func aClassThatIsKeptBackAloneIsAnError() throws {
        var labels = foam(ZYX(20, 24, 28), objects: 3)
        labels[19, 23, 27] = 9
        let volume = try annotated(labels)
        let error = #expect(throws: AnnotationError.self) {
            try PatchSampler(
                volumes: [PreparedVolume(volume, weighting: weighting, threads: 1)],
                outputs: [.label(2), .label(9)], heldBack: [[Box(origin: ZYX(18, 0, 0), shape: ZYX(2, 24, 28))]],
                patch: ZYX(8, 12, 12), seed: 7, member: 0)
        }
        #expect(error?.description.hasPrefix("class 9 lies only in what member 1 must not learn from") == true)
    }

    /// Two balls apart with nothing else annotated: there is no voxel to learn the outside from.
    @Test(arguments: [OutputChannel.foreground, .interior, .affinity(ZYX(0, 0, -1)), .label(1)])
    func annotationOfObjectsAloneIsAnError(channel: OutputChannel) throws {
        var labels = Volume<UInt32>(shape: ZYX(16, 16, 32))
        for x in [8, 24] {
            for cell in Box(origin: ZYX(4, 4, x - 4), shape: ZYX(8, 8, 8)).cells(of: ZYX(1, 1, 1)) {
                labels[cell.origin.z, cell.origin.y, cell.origin.x] = 1
            }
        }
        func check(unlabelledZero: Bool) throws {
            let volume = try annotated(labels, unlabelledZero: unlabelledZero)
            try PatchSampler(
                volumes: [PreparedVolume(volume, weighting: weighting, threads: 1)], outputs: [channel],
                heldBack: [[]], patch: ZYX(8, 12, 12), seed: 7, member: 0
            ).checkAnswers()
        }
        let error = #expect(throws: AnnotationError.self) { try check(unlabelledZero: true) }
        #expect(error?.description.contains("may learn from answers yes for the channel \(channel)") == true)
        #expect(throws: Never.self) { try check(unlabelledZero: false) }
    }

    @Test func channelsTurnTogetherAndEachIsNormalizedByItself() throws {
        let one = try annotated(foam(ZYX(20, 24, 28), objects: 12))
        // The same picture in other units: normalised it is the same, if each has its own mean and deviation.
        let other = try one.channels[0].voxels.converted(to: Float.self).map { 3 * $0 + 1_000 }
        let volume = try AnnotatedVolume(
            channels: one.channels + [
                ImageChannel(VoxelBuffer(other), IntensityNormalization(mean: 1_375, deviation: 225))
            ], labels: one.labels, voxelSize: one.voxelSize)
        let sampler = try sampler(volume)
        for step in 0..<20 {
            let patch = sampler.patch(
                step: step, index: 0, oversampling: 0.5, augmentation: .steady)
            #expect(patch.channels.count == 2)
            #expect(zip(patch.channels[0].voxels, patch.channels[1].voxels).allSatisfy { abs($0 - $1) < 1e-5 })
            #expect(Set(patch.channels[0].voxels).count > 1)
        }
        // Brightness and noise differ from channel to channel, as lamps do.
        let lit = sampler.patch(
            step: 1, index: 0, oversampling: 0.5,
            augmentation: .lit)
        #expect(lit.channels[0] != lit.channels[1])
    }

    /// What a patch shows of a volume, at its ends too, has the target of the whole.
    @Test(arguments: [
        (2, ZYX(1, 16, 16), 1), (2, ZYX(8, 8, 8), 1), (3, ZYX(8, 12, 12), 1), (3, ZYX(26, 12, 40), 1),
        (3, ZYX(8, 8, 8), 3),
    ])
    func theTargetIsThatOfTheWhole(dimensions: Int, patch: ZYX<Int>, threads: Int) throws {
        let shape = ZYX(20, 24, 28)
        // Objects thick and thin, some of them at the ends.
        var labels = foam(shape, objects: 12)
        for z in 0..<20 { for x in 0..<28 { labels[z, 23, x] = 40 } }
        for z in 0..<20 {
            for y in 0..<24 { for x in 9...10 where y + z < 30 { labels[z, y, x] = UInt32(41 + y / 14) } }
        }
        let target = ForegroundTarget.volume(labels: labels, dimensions: dimensions, threads: threads)
        // Each voxel of the image says whether it is inside.
        let volume = try AnnotatedVolume(
            image: VoxelBuffer(target.map { $0 + 1 }), normalization: IntensityNormalization(mean: 0, deviation: 1),
            labels: labels, voxelSize: VoxelSize(ZYX(10, 10, 10), .nanometer))
        let sampler = try PatchSampler(
            volumes: [PreparedVolume(volume, weighting: .none, dimensions: dimensions, threads: 1)],
            outputs: [.foreground], heldBack: [[]], patch: patch, seed: 7, member: 0)
        for step in 0..<40 {
            let patch = sampler.patch(step: step, index: 0, oversampling: 0.5, augmentation: .steady)
            // 0 is beyond the volume.
            #expect(
                zip(patch.channels[0].voxels, patch.answers[0].target.voxels).allSatisfy {
                    $0 == 0 || $0 == Float($1) + 1
                })
        }
    }

    @Test func imageTargetAndWeightTurnTogether() throws {
        // The image is bright exactly where the target is 1, so they must agree after any turn.
        let sampler = try sampler(annotated(foam(ZYX(20, 24, 28), objects: 12)))
        for step in 0..<40 {
            let patch = sampler.patch(
                step: step, index: 0, oversampling: 0, augmentation: .steady)
            for (image, target) in zip(patch.channels[0].voxels, patch.answers[0].target.voxels) {
                #expect((image > 0) == (target == 1))
            }
            for (weight, target) in zip(patch.answers[0].weight.voxels, patch.answers[0].target.voxels)
            where target == 1 {
                #expect(weight == 1)
            }
        }
    }

    @Test func theCoverHoldsAllThatIsLearntFrom() throws {
        let shape = ZYX(20, 24, 28)
        let volume = try annotated(foam(shape, objects: 12))
        let held = Box(from: ZYX(0, 0, 0), to: ZYX(20, 24, 16))
        let sampler = try sampler(volume, heldBack: [held])
        let cover = sampler.cover
        // 12 columns of x are left: 3 × 2 × 1 patches.
        #expect(cover.count == 6)
        for z in 0..<20 {
            for y in 0..<24 {
                for x in 16..<28 {
                    let voxel = Box(origin: ZYX(z, y, x), shape: ZYX(1, 1, 1))
                    #expect(cover.contains { $0.box.contains(voxel) })
                }
            }
        }
        for place in cover {
            #expect(Box(shape).contains(place.box))
            #expect(sampler.image(at: place).channels == [volume.channels[0].read(place.box)])
        }
    }

    @Test func axesAreSwappedOnlyWhereVoxelsAndPatchAgree() throws {
        // Intensities rise along z alone.
        let shape = ZYX(16, 16, 16)
        let ramp = (0..<shape.count).map { UInt8($0 / 256) }
        func alongZ(_ size: ZYX<Double>, _ patch: ZYX<Int>) throws -> Set<Int> {
            let volume = try AnnotatedVolume(
                image: VoxelBuffer(Volume(shape: shape, voxels: ramp)),
                normalization: IntensityNormalization(mean: 0, deviation: 1),
                labels: foam(shape, objects: 3), voxelSize: VoxelSize(size, .nanometer))
            let sampler = try sampler(volume, patch: patch)
            return Set(
                (0..<60).map { step in
                    let image = sampler.patch(
                        step: step, index: 0, oversampling: 0, augmentation: .steady
                    ).channels[0]
                    if image[0, 0, 0] != image[1, 0, 0] { return 0 }
                    return image[0, 0, 0] != image[0, 1, 0] ? 1 : 2
                })
        }
        #expect(try alongZ(ZYX(8, 8, 8), ZYX(8, 8, 8)) == [0, 1, 2])
        #expect(try alongZ(ZYX(40, 8, 8), ZYX(8, 8, 8)) == [0])
        #expect(try alongZ(ZYX(8, 8, 8), ZYX(8, 12, 12)) == [0])
        #expect(try alongZ(ZYX(8, 8, 8), ZYX(8, 8, 12)) == [0, 1])
    }

    @Test func labelsKeptBackHaveNoWeight() throws {
        // Labels are 0 in the held-back half, so whatever has target 1 or weight must come from the other.
        var labels = foam(ZYX(12, 16, 40), objects: 12)
        for z in 0..<12 { for y in 0..<16 { for x in 20..<40 { labels[z, y, x] = 0 } } }
        let held = Box(from: ZYX(0, 0, 20), to: ZYX(12, 16, 40))
        var image = Volume<UInt8>(shape: labels.shape)
        for z in 0..<12 { for y in 0..<16 { for x in 20..<40 { image[z, y, x] = 1 } } }
        let volume = try AnnotatedVolume(
            image: VoxelBuffer(image), normalization: IntensityNormalization(mean: 0, deviation: 1), labels: labels,
            voxelSize: VoxelSize(ZYX(1, 1, 1), .micrometer))
        let sampler = try sampler(volume, heldBack: [held])
        var context = 0
        for step in 0..<50 {
            let patch = sampler.patch(
                step: step, index: 0, oversampling: 0.3, augmentation: .steady)
            #expect(patch.answers[0].weight.voxels.contains { $0 > 0 })
            for (image, weight) in zip(patch.channels[0].voxels, patch.answers[0].weight.voxels) {
                #expect((image == 1) == (weight == 0))
                if image == 1 { context += 1 }
            }
        }
        #expect(context > 0)
    }

    @Test func aPatchLargerThanTheVolumeIsPaddedWithoutWeight() throws {
        let labels = foam(ZYX(6, 9, 20), objects: 8)
        let sampler = try sampler(annotated(labels), patch: ZYX(8, 16, 16))
        for step in 0..<20 {
            let patch = sampler.patch(step: step, index: 0, oversampling: 0, augmentation: Augmentation())
            #expect(patch.channels[0].shape == ZYX(8, 16, 16))
            #expect(patch.answers[0].weight.voxels.count { $0 > 0 } == 6 * 9 * 16)
            for (image, weight) in zip(patch.channels[0].voxels, patch.answers[0].weight.voxels) where weight == 0 {
                #expect(image == 0)
            }
        }
    }

    @Test func oversampledPatchesAreCentredOnEveryObjectAlike() throws {
        // A small object in a large empty volume.
        var labels = Volume<UInt32>(shape: ZYX(24, 48, 48))
        labels[12, 30, 30] = 5
        let sampler = try sampler(annotated(labels))
        func hits(_ oversampling: Double) -> Int {
            (0..<200).count { step in
                sampler.patch(step: step, index: 0, oversampling: oversampling, augmentation: .none)
                    .answers[0].target.voxels.contains(1)
            }
        }
        #expect(hits(1) == 200)
        #expect((50..<120).contains(hits(1.0 / 3)))
        #expect(hits(0) < 20)
    }

    @Test func nothingToLearnIsAnError() throws {
        let empty = try annotated(Volume<UInt32>(shape: ZYX(8, 12, 12)))
        #expect(throws: AnnotationError.self) { try sampler(empty) }
        let labels = foam(ZYX(8, 12, 12), objects: 3)
        let all = try annotated(labels)
        #expect(throws: AnnotationError.self) { try sampler(all, heldBack: [Box(labels.shape)]) }
    }
}
