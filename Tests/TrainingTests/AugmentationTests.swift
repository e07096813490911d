import Inference
import Labeling
import Testing
import Training
import Volumes

/// What augmentation does to an image, and that labels go along with changes of place and with those alone.
struct AugmentationTests {
    private static let shape = ZYX(32, 40, 40)
    private static let patch = ZYX(16, 20, 20)

    /// Bright in the objects of odd number, so that an image shows its labels.
    private static func checkered(voxelSize: ZYX<Double> = ZYX(10, 10, 10)) throws -> AnnotatedVolume {
        let labels = foam(shape, objects: 10).map { $0 % 2 + 1 }
        return try AnnotatedVolume(
            image: VoxelBuffer(labels.map { UInt8($0 == 2 ? 200 : 0) }),
            normalization: IntensityNormalization(mean: 100, deviation: 100), labels: labels,
            voxelSize: VoxelSize(voxelSize, .nanometer))
    }

    private static func sampler(
        _ volume: AnnotatedVolume, outputs: [OutputChannel] = [.label(2)], isBalanced: Bool = false
    ) throws -> PatchSampler {
        try PatchSampler(
            volumes: [PreparedVolume(volume, weighting: .none, threads: 1)], outputs: outputs,
            isBalanced: isBalanced, heldBack: [[]], patch: patch, seed: 5, member: 0)
    }

    private static func only(_ change: WritableKeyPath<Augmentation, Bool>) -> Augmentation {
        var augmentation = Augmentation.none
        augmentation[keyPath: change] = true
        return augmentation
    }

    private static func patches(
        _ sampler: PatchSampler, _ augmentation: Augmentation, count: Int = 60
    ) -> [TrainingPatch] {
        (0..<count).map { sampler.patch(step: $0, index: 0, oversampling: 0, augmentation: augmentation) }
    }

    // MARK: Changes of place

    /// Of those that may be: a third of the patches, more or less, and labels where the image is bright.
    @Test(arguments: [\Augmentation.rotation, \.scaling, \.elastic])
    func labelsFollowTheImage(change: WritableKeyPath<Augmentation, Bool> & Sendable) throws {
        let sampler = try Self.sampler(Self.checkered())
        let (still, moved) = (Self.patches(sampler, .none), Self.patches(sampler, Self.only(change)))
        let changed = zip(still, moved).filter { $0.channels[0] != $1.channels[0] }
        #expect((9...30).contains(changed.count))
        // A scale near 1 moves the image between voxels and no label.
        let labelled = changed.count { $0.answers[0].target != $1.answers[0].target }
        #expect(Double(labelled) > 0.7 * Double(changed.count))
        for (_, after) in changed {
            let (targets, image) = (after.answers[0].target.voxels, after.channels[0].voxels)
            // An image is interpolated between voxels and labels are not: at the rims of objects they may differ.
            let wrong = zip(targets, image).count { ($0 == 1) != ($1 > 0) }
            #expect(Double(wrong) < 0.03 * Double(targets.count))
            let isPlain = zip(targets, image).allSatisfy { $1 == 1 ? $0 == 1 : $1 == -1 ? $0 == 0 : true }
            #expect(isPlain)
        }
    }

    /// Where sections are far apart, and for a network that sees them one by one, nothing is made of two of them.
    @Test(arguments: [\Augmentation.rotation, \.scaling, \.elastic], [(50.0, 3), (10.0, 2)])
    func sectionsStaySections(
        change: WritableKeyPath<Augmentation, Bool> & Sendable, kind: (thickness: Double, dimensions: Int)
    ) throws {
        let section = Self.shape.y * Self.shape.x
        let image = Volume(shape: Self.shape, voxels: (0..<Self.shape.count).map { UInt8($0 / section * 8) })
        let volume = try AnnotatedVolume(
            image: VoxelBuffer(image), normalization: IntensityNormalization(mean: 0, deviation: 8),
            labels: foam(Self.shape, objects: 10),
            voxelSize: VoxelSize(ZYX(kind.thickness, 10, 10), .nanometer))
        let sampler = try PatchSampler(
            volumes: [PreparedVolume(volume, weighting: .none, dimensions: kind.dimensions, threads: 1)],
            outputs: [.label(2)], heldBack: [[]], patch: Self.patch, seed: 5, member: 0)
        let (still, moved) = (Self.patches(sampler, .none), Self.patches(sampler, Self.only(change)))
        let isChanged = zip(still, moved).contains { $0.answers[0].target != $1.answers[0].target }
        let isSame = zip(still, moved).allSatisfy { before, after in
            zip(before.channels[0].voxels, after.channels[0].voxels).allSatisfy { abs($0 - $1) < 1e-4 }
        }
        #expect(isChanged && isSame)
    }

    // MARK: Changes of the image alone

    @Test(arguments: [\Augmentation.blur, \.lowResolution, \.intensity, \.noise])
    func labelsStayWhereTheyAre(change: WritableKeyPath<Augmentation, Bool> & Sendable) throws {
        let sampler = try Self.sampler(Self.checkered())
        let (still, changed) = (Self.patches(sampler, .none), Self.patches(sampler, Self.only(change)))
        let areSame = zip(still, changed).allSatisfy { $0.answers[0].target == $1.answers[0].target }
        let isChanged = zip(still, changed).contains { $0.channels[0] != $1.channels[0] }
        #expect(areSame && isChanged)
    }

    /// Details are lost, the mean stays, and no value goes beyond those there were.
    @Test(arguments: [\Augmentation.blur, \.lowResolution])
    func detailsAreLost(change: WritableKeyPath<Augmentation, Bool> & Sendable) throws {
        func roughness(_ image: Volume<Float>) -> Float {
            zip(image.voxels, image.voxels.dropFirst()).reduce(0) { $0 + abs($1.0 - $1.1) }
        }
        func mean(_ image: Volume<Float>) -> Float { image.voxels.reduce(0, +) / Float(image.shape.count) }
        let sampler = try Self.sampler(Self.checkered())
        let pairs = zip(Self.patches(sampler, .none), Self.patches(sampler, Self.only(change)))
            .map { ($0.channels[0], $1.channels[0]) }.filter { $0 != $1 }
        #expect((3...25).contains(pairs.count))
        // Of all together: of a single patch the voxels that are sampled may be the rougher ones.
        let (before, after) = (pairs.map { roughness($0.0) }, pairs.map { roughness($0.1) })
        #expect(after.reduce(0, +) < before.reduce(0, +))
        for (sharp, soft) in pairs {
            #expect(abs(mean(soft) - mean(sharp)) < 0.1)
            let isWithin = soft.voxels.allSatisfy { $0 > -1.000_01 && $0 < 1.000_01 }
            #expect(isWithin)
        }
    }

    /// Sections are lost, blurred or, with their labels, out of place; each by itself is what it was or one of these.
    @Test func sectionsGoWrong() throws {
        let sampler = try Self.sampler(Self.checkered())
        let (still, changed) = (
            Self.patches(sampler, .none, count: 200), Self.patches(sampler, Self.only(\.sectionDefects), count: 200)
        )
        func sections(_ patch: TrainingPatch) -> [[Float]] {
            let size = Self.patch.y * Self.patch.x
            return (0..<Self.patch.z).map { Array(patch.channels[0].voxels[$0 * size..<($0 + 1) * size]) }
        }
        var (missing, single, tail, slipped) = (0, 0, 0, 0)
        for (patch, (before, after)) in zip(changed, zip(still.map(sections), changed.map(sections))) {
            let wrong = before.indices.filter { before[$0] != after[$0] }
            missing += wrong.count { Set(after[$0]).count == 1 && Set(before[$0]).count > 1 }
            single += wrong.count == 1 ? 1 : 0
            guard wrong.count > 1 && wrong.last == Self.patch.z - 1 else { continue }
            tail += 1
            // The image shows its labels, but in a section that is lost, or at the rims in one that is blurred.
            let answer = patch.answers[0]
            let apart = patch.channels[0].voxels.indices.count {
                answer.weight.voxels[$0] > 0
                    && (answer.target.voxels[$0] == 1) != (patch.channels[0].voxels[$0] > 0)
            }
            #expect(apart <= 2 * Self.patch.y * Self.patch.x)
            slipped += answer.weight.voxels.contains(0) ? 1 : 0
        }
        // 10 % each of 200; beyond four standard deviations for one draw in ten thousand.
        #expect((5...37).contains(missing) && (12...60).contains(single) && (5...45).contains(tail))
        #expect(slipped >= 5)
    }

    // MARK: Balance

    /// Both answers weigh the same, and as much as all did together.
    @Test func balancedAffinitiesWeighTheSame() throws {
        let outputs: [OutputChannel] = [.interior, .affinity(ZYX(0, 0, -1)), .affinity(ZYX(-4, 0, 0))]
        let volume = try annotated(foam(Self.shape, objects: 10))
        let plain = Self.patches(try Self.sampler(volume, outputs: outputs), .none, count: 5)
        let balanced = Self.patches(try Self.sampler(volume, outputs: outputs, isBalanced: true), .none, count: 5)
        for (before, after) in zip(plain, balanced) {
            for (one, other) in zip(before.answers, after.answers) {
                let isSame = one.target == other.target
                #expect(isSame)
                func sum(_ answer: ChannelAnswer, of target: UInt8) -> Double {
                    zip(answer.target.voxels, answer.weight.voxels).reduce(0) {
                        $0 + ($1.0 == target ? Double($1.1) : 0)
                    }
                }
                let total = sum(one, of: 0) + sum(one, of: 1)
                // The rarer answer counts twenty times at most.
                guard min(sum(one, of: 0), sum(one, of: 1)) > 0.03 * total else { continue }
                #expect(abs(sum(other, of: 0) - total / 2) < 1e-3 * total)
                #expect(abs(sum(other, of: 1) - total / 2) < 1e-3 * total)
            }
        }
    }
}
