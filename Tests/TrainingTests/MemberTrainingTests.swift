import Foundation
import Inference
import Networks
import Tensors
import TestSupport
import Testing
import Training
import Volumes

/// One at a time: each does tensor work on its own thread.
@Suite(.serialized) struct MemberTrainingTests {
    private let shape = ZYX(24, 32, 40)

    private func plan(
        member: Int = 0, members: Int = 2, steps: Int = 12, precision: Precision = .f32,
        edit: (inout TrainingConfiguration) -> Void = { _ in }
    ) throws -> MemberTraining {
        let volume = try annotated(foam(shape, objects: 12))
        var training = TrainingConfiguration(
            steps: steps, patch: ZYX(repeating: 16), batch: 2, seed: 3, validations: 3,
            statistics: .population(patches: 6))
        edit(&training)
        return MemberTraining(
            member: member, volumes: [volume],
            split: try AnnotationSplit(shapes: [shape], calibration: 1.0 / 6, members: members),
            network: try NetworkConfiguration("unet") {
                $0.levels = 2
                $0.features = 4
            }, training: training, device: .cpu,
            precision: precision, threads: 1)
    }

    /// A class in the block that the second member keeps back is an error before the first is trained.
    @Test func whatAMemberCannotLearnIsKnownForAllOfThem() throws {
        let split = try AnnotationSplit(shapes: [shape], calibration: 0, members: 2)
        var labels = Volume<UInt32>(shape: shape)
        labels.replace(at: ZYX(4, 4, 0), with: Volume(shape: ZYX(8, 8, 40), repeating: 1))
        let kept = split.validation[1][0].box
        labels.replace(at: kept.origin, with: Volume(shape: ZYX(3, 3, kept.shape.x), repeating: 2))
        let volume = try annotated(labels)
        let members = try (0..<2).map { member in
            MemberTraining(
                member: member, volumes: [volume], split: split, target: Target([.classes([1, 2])]),
                network: try NetworkConfiguration("unet") { $0.outputChannels = 2 },
                training: TrainingConfiguration(steps: 1, patch: ZYX(repeating: 16), seed: 3), device: .cpu,
                precision: .f32, threads: 1)
        }
        try MemberTraining.checkAnnotation(of: [members[0]])
        let error = #expect(throws: AnnotationError.self) { try MemberTraining.checkAnnotation(of: members) }
        #expect(error?.description.hasPrefix("class 2 lies only in what member 2 must not learn from") == true)
    }

    private func curve(_ member: TrainedMember) throws -> TrainingCurve {
        try JSONDecoder().decode(TrainingCurve.self, from: Data(contentsOf: URL(fileURLWithPath: member.curve)))
    }

    @Test(
        arguments: [
            { _ in },
            {
                $0.optimizer = .sgd
                $0.momentum = 0.9
            },
            {
                $0.averaging = 0.9
                $0.kept = .best
                $0.accumulation = 2
                $0.augmentation = Augmentation {
                    $0.rotation = true
                    $0.elastic = true
                    $0.sectionDefects = true
                }
            },
        ] as [@Sendable (inout TrainingConfiguration) -> Void])
    func stoppingAndGoingOnChangesNoByte(edit: @Sendable (inout TrainingConfiguration) -> Void) throws {
        try checkStopping(plan(edit: edit))
    }

    /// oneDNN has 16-bit floating-point convolutions on some processors only.
    private static let computesF16: Bool = {
        let ones = try? Tensor.full([1, 4, 4, 4, 4], 1, type: .float16)
        let kernel = try? Tensor.full([4, 4, 3, 3, 3], 1, type: .float16)
        guard let ones, let kernel else { return false }
        return (try? ones.convolved(kernel, stride: [1, 1, 1], padding: [1, 1, 1])) != nil
    }()

    @Test func theLossScaleFollowsTheGradients() {
        var scale = LossScale()
        for _ in 0..<1_999 { scale.stepped() }
        #expect(scale.value == 65_536)
        scale.stepped()
        #expect(scale == LossScale(value: 131_072, steps: 0))
        scale.stepped()
        for halvings in 1...17 {
            let isSmaller = scale.shrink()
            #expect(isSmaller)
            #expect(scale == LossScale(value: 131_072 / Double(1 << halvings), steps: 0))
        }
        // At 1 a smaller one would not help.
        let isSmaller = scale.shrink()
        #expect(!isSmaller)
    }

    /// Gradients are scaled so that they do not vanish in 16 bits; the scale is part of what goes on.
    @Test(.enabled(if: computesF16)) func f16LearnsAsF32AndGoesOnAfterStopping() throws {
        let (rounded, whole) = (ScratchFolder(), ScratchFolder())
        let losses = try [Precision.f16, .f32].map { precision in
            let folder = precision == .f16 ? rounded : whole
            return try curve(plan(precision: precision).run(folder: folder.path)).points.map(\.trainingLoss)
        }
        #expect(losses[0] != losses[1])
        #expect(zip(losses[0], losses[1]).allSatisfy { abs($0 - $1) < 0.05 }, "\(losses)")
        try checkStopping(plan(precision: .f16))
    }

    private func checkStopping(_ plan: MemberTraining) throws {
        let whole = ScratchFolder()
        let parts = ScratchFolder()
        try plan.run(folder: whole.path)
        var plan = plan
        plan.samplingThreads = 4
        for stop in [3, 5, 9] {
            var steps = 0
            let error = #expect(throws: Interrupted.self) {
                try plan.run(folder: parts.path, shouldStop: { steps == stop }, report: { steps = $0.step })
            }
            #expect(error == Interrupted(done: stop, total: 12))
        }
        try plan.run(folder: parts.path)
        for name in ["weights.safetensors", "curve.json"] {
            #expect(try bytes(whole, name) == bytes(parts, name))
        }
        #expect(parts.contents.count == 2)
    }

    @Test func membersDiffer() throws {
        let (one, two) = (ScratchFolder(), ScratchFolder())
        try plan(member: 0, steps: 2).run(folder: one.path)
        try plan(member: 1, steps: 2).run(folder: two.path)
        #expect(try bytes(one, "weights.safetensors") != bytes(two, "weights.safetensors"))
    }

    @Test func theNetworkLearns() throws {
        let folder = ScratchFolder()
        let result = try plan(steps: 120) { $0.learningRate = 1e-2 }.run(folder: folder.path)
        let curve = try curve(result)
        let last = try #require(curve.points.last)
        #expect(last.step == 120)
        #expect(curve.points.count { $0.validation != nil } == 3)
        #expect(last.trainingLoss < 0.5 * curve.points[0].trainingLoss)
        // The image shows the target, so little must be wrong.
        #expect(try #require(last.validation).dice > 0.95)
        #expect(try #require(last.validation?.adaptedRandError) < 0.2)

        // The file alone is enough to predict, and says the same as validation did.
        let network = try NetworkFile.read(result.weights, device: .cpu)
        #expect(network.configuration?.features == 4)
        let volume = try annotated(foam(shape, objects: 12))
        let predictor = try Predictor(network: network, patch: ZYX(repeating: 64), precision: .f32, device: .cpu)
        let logits = try predictor.logits(of: Box(shape), volume: shape, limit: .voxels(1_000_000)) {
            [volume.channels[0].read($0)]
        }
        let target = ForegroundTarget.volume(labels: volume.labels, threads: 1)
        let right = zip(logits[0].voxels, target.voxels).count { ($0 > 0) == ($1 == 1) }
        #expect(Double(right) / Double(shape.count) > 0.9)
    }

    /// An output that only helps training has no other way to a gradient than its share of the loss.
    @Test func everyOutputOfADeeplySupervisedNetworkIsTrained() throws {
        func head(steps: Int) throws -> [Float] {
            let folder = ScratchFolder()
            let base = try plan(steps: steps) { $0.weightDecay = 0 }
            let member = MemberTraining(
                member: 0, volumes: base.volumes, split: base.split,
                network: try NetworkConfiguration("unet") {
                    $0.levels = 3
                    $0.features = 4
                    $0.deepSupervision = true
                }, training: base.training, device: .cpu, precision: .f32, threads: 1)
            let file = try Safetensors(contentsOf: member.run(folder: folder.path).weights)
            return try #require(file.tensors["heads.1.weight"]).floats()
        }
        #expect(try head(steps: 1) != head(steps: 3))
    }

    @Test func aFinishedMemberIsNotTrainedAgain() throws {
        let folder = ScratchFolder()
        try plan(steps: 2).run(folder: folder.path)
        var steps = 0
        try plan(steps: 2).run(folder: folder.path, report: { _ in steps += 1 })
        #expect(steps == 0)
        try plan(steps: 3).run(folder: folder.path, report: { _ in steps += 1 })
        #expect(steps > 0)
    }

    @Test(arguments: ["flipped", "truncated", "empty"])
    func aDamagedCheckpointIsReportedAndTrainingStartsOver(damage: String) throws {
        let (whole, damaged) = (ScratchFolder(), ScratchFolder())
        let plan = try plan(steps: 6)
        try plan.run(folder: whole.path)
        var steps = 0
        #expect(throws: Interrupted.self) {
            try plan.run(folder: damaged.path, shouldStop: { steps == 4 }, report: { steps = $0.step })
        }
        let path = URL(fileURLWithPath: damaged.path("checkpoint.safetensors"))
        var data = try Data(contentsOf: path)
        switch damage {
        case "flipped": data[data.count - 100] ^= 0x10
        case "truncated": data = data.prefix(data.count / 2)
        default: data = Data()
        }
        try data.write(to: path)
        var notes: [String] = []
        var first: Int?
        try plan.run(
            folder: damaged.path,
            report: { progress in
                first = first ?? progress.step
                notes += progress.note.map { [$0] } ?? []
            })
        #expect(first == 1 && notes.count == 1)
        #expect(notes.first?.contains("checkpoint.safetensors cannot be used") == true)
        #expect(notes.first?.contains("\n") == false)
        #expect(try bytes(whole, "weights.safetensors") == bytes(damaged, "weights.safetensors"))
    }

    @Test func checkpointsAreWrittenWhileTraining() throws {
        let folder = ScratchFolder()
        var plan = try plan(steps: 3)
        plan.checkpointInterval = 0
        var found = false
        try plan.run(
            folder: folder.path,
            report: { progress in
                if progress.step == 2 {
                    found = FileManager.default.fileExists(atPath: folder.path("checkpoint.safetensors"))
                }
            })
        #expect(found)
    }

    @Test func aDivergedLossIsOneClearError() throws {
        let folder = ScratchFolder()
        let plan = try plan {
            $0.optimizer = .sgd
            $0.learningRate = 1e30
            $0.gradientClipping = 1e30
        }
        let error = #expect(throws: TrainingDiverged.self) { try plan.run(folder: folder.path) }
        #expect(error?.description.hasPrefix("training of member 1 diverged at step ") == true)
        #expect(!FileManager.default.fileExists(atPath: folder.path("weights.safetensors")))
    }

    @Test func aPatchThatDoesNotFitTheNetworkIsAnError() throws {
        let plan = try plan { $0.patch = ZYX(16, 15, 16) }
        let error = #expect(throws: TrainingConfigurationError.self) { try plan.run(folder: "/nowhere") }
        #expect(
            error?.description
                == "training.patch must be multiples of [2, 2, 2] along z, y and x for this network, found z 16 × y 15 × x 16"
        )
    }

    private func bytes(_ folder: ScratchFolder, _ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
    }
}
