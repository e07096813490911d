import Foundation
import Inference
import Networks
import Tensors
import TestSupport
import Testing
import Training
import Volumes

/// How rates, averages and validations decide over the weights that a member ends with.
@Suite(.serialized) struct OptimizationTests {
    private let shape = ZYX(24, 32, 40)

    private func plan(
        steps: Int = 6, normalization: Normalization = .batch, edit: (inout TrainingConfiguration) -> Void
    ) throws -> MemberTraining {
        var training = TrainingConfiguration(
            steps: steps, patch: ZYX(repeating: 16), batch: 2, seed: 3, border: .none, validations: steps,
            statistics: .population(patches: 6))
        edit(&training)
        var plan = MemberTraining(
            member: 0, volumes: [try annotated(foam(shape, objects: 12))],
            split: try AnnotationSplit(shapes: [shape], calibration: 1.0 / 6, members: 2),
            network: try NetworkConfiguration("unet") {
                $0.levels = 2
                $0.features = 4
                $0.normalization = normalization
            }, training: training, device: .cpu, precision: .f32, threads: 1)
        plan.checkpointInterval = 0
        return plan
    }

    private static let schedules: [(LearningRateSchedule, [Double])] = [
        (
            LearningRateSchedule(decay: .polynomial(power: 2)),
            [1, 0.694_444_444_4, 0.444_444_444_4, 0.25, 0.111_111_111_1, 0.027_777_777_8]
        ),
        (
            LearningRateSchedule(decay: .polynomial(power: 1), warmUp: 2),
            [0.333_333_333_3, 0.666_666_666_7, 1, 0.75, 0.5, 0.25]
        ),
        (
            LearningRateSchedule(decay: .cosine, warmUp: 2),
            [0.333_333_333_3, 0.666_666_666_7, 1, 0.853_553_390_6, 0.5, 0.146_446_609_4]
        ),
    ]

    /// Rises to the full rate in even steps, then falls from there to 0 after the last step.
    @Test(arguments: schedules)
    func ratesFollowTheSchedule(schedule: LearningRateSchedule, shares: [Double]) throws {
        let scratch = ScratchFolder()
        let member = try plan {
            $0.schedule = schedule
            $0.learningRate = 0.01
        }.run(folder: scratch.path)
        let rates = try curve(member).points.map(\.learningRate)
        #expect(rates.count == shares.count)
        for (rate, share) in zip(rates, shares) { #expect(abs(rate / 0.01 - share) < 1e-9) }
    }

    /// An average does not touch what is averaged, so that a training without it shows every term.
    @Test func weightsAreTheirMovingAverage() throws {
        let (plain, averaged) = (ScratchFolder(), ScratchFolder())
        var steps: [[String: Tensor]] = []
        let start = try Network(plan { _ in }.network, seed: firstSeed, device: .cpu)
        steps.append(start.stateDictionary())
        try plan { _ in }.run(
            folder: plain.path,
            report: { _ in
                let path = plain.path + "/checkpoint.safetensors"
                // The state before this step's checkpoint is that of the step before.
                if let file = try? Safetensors(contentsOf: path) { steps.append(below("network.", file.tensors)) }
            })
        steps.append(try Safetensors(contentsOf: plain.path + "/weights.safetensors").tensors)
        #expect(steps.count == 7)
        let result = try plan { $0.averaging = 0.35 }.run(folder: averaged.path)
        let found = try Safetensors(contentsOf: result.weights).tensors
        for name in start.parameters.map(\.name) {
            var expected = try #require(steps[0][name]).floats()
            for (step, weights) in steps.dropFirst().enumerated() {
                let decay = min(0.35, Float(1 + step) / Float(10 + step))
                expected = zip(expected, try #require(weights[name]).floats()).map { decay * $0 + (1 - decay) * $1 }
            }
            for (a, b) in zip(try #require(found[name]).floats(), expected) {
                #expect(abs(a - b) < 1e-5, "\(name)")
            }
        }
    }

    /// Where the batch does not matter, as all patches hold the same voxels, two batches of one are one of two.
    @Test func gradientsOfSeveralBatchesAddUp() throws {
        let weights = try [(batch: 2, accumulation: 1), (batch: 1, accumulation: 2)].map { form in
            let scratch = ScratchFolder()
            let member = try plan(normalization: .instance) {
                $0.batch = form.batch
                $0.accumulation = form.accumulation
                $0.loss = .crossEntropy
                $0.optimizer = .sgd
                $0.momentum = 0.5
                $0.learningRate = 0.1
                $0.patch = shape
            }.run(folder: scratch.path)
            return try Safetensors(contentsOf: member.weights).tensors
        }
        for (name, tensor) in weights[0] {
            for (a, b) in zip(try tensor.floats(), try #require(weights[1][name]).floats()) {
                #expect(abs(a - b) < 1e-4, "\(name)")
            }
        }
    }

    /// At so low a rate weights move, and what they make of the block stays the same, so that the first is the best.
    @Test(arguments: TrainingConfiguration.Kept.allCases)
    func theBestOrTheLastWeightsAreKept(kept: TrainingConfiguration.Kept) throws {
        let scratch = ScratchFolder()
        var atStep: [Int: [Float]] = [:]
        let member = try plan(steps: 8) {
            $0.kept = kept
            $0.learningRate = 1e-5
        }.run(
            folder: scratch.path,
            report: { progress in
                let path = scratch.path + "/checkpoint.safetensors"
                if progress.step > 1, let file = try? Safetensors(contentsOf: path) {
                    atStep[progress.step - 1] = try? file.tensors["network.upsampling.0.weight"]?.floats()
                }
            })
        let curve = try curve(member)
        let figures = curve.points.map { $0.validation?.adaptedRandError ?? .nan }
        let best = try #require(figures.indices.min { figures[$0] < figures[$1] }) + 1
        #expect(best < 8, "\(figures)")
        #expect(curve.kept == (kept == .best ? best : 8))
        #expect(curve.ending == nil)
        let weights = try Safetensors(contentsOf: member.weights).tensors["upsampling.0.weight"]?.floats()
        #expect(weights != nil && (weights == atStep[best]) == (kept == .best))
        #expect(try contents(scratch) == ["curve.json", "weights.safetensors"])
    }

    /// Without learning no validation is better than the first.
    @Test(arguments: [1, 3]) func trainingEndsWhenValidationsStayTheSame(patience: Int) throws {
        let scratch = ScratchFolder()
        let member = try plan {
            $0.patience = patience
            $0.learningRate = 1e-30
        }.run(folder: scratch.path)
        let curve = try curve(member)
        #expect(curve.ending == .stale && curve.points.last?.step == 1 + patience)
        #expect(curve.kept == 1 + patience)
    }

    /// The loss is a number until a patch holds the edge of the volume that is none.
    @Test(arguments: [(steps: 20, validations: 10), (20, 1), (400, 1)])
    func aMemberThatDivergesEndsWithWhatItHad(steps: Int, validations: Int) throws {
        let scratch = ScratchFolder()
        var notes: [String] = []
        var done = 0
        let member = try poisoned(steps: steps, validations: validations).run(
            folder: scratch.path,
            report: {
                notes += $0.note.map { [$0] } ?? []
                done = $0.step
            })
        let curve = try curve(member)
        let kept = try #require(curve.kept)
        #expect(curve.ending == .diverged && kept < 20)
        if steps == 400 { #expect(kept == [1, 2, 4, 8, 16, 32].last { $0 <= done } && done < 40) }
        #expect((curve.keptValidation == nil) == (validations == 1))
        #expect(notes.count == 1)
        #expect(notes.first?.hasPrefix("training of member 1 diverged at step ") == true)
        #expect(notes.first?.hasSuffix("; it ends with its weights of step \(kept) of \(steps)") == true)
        let network = try NetworkFile.read(member.weights, device: .cpu)
        for parameter in network.parameters {
            let isFinite = try parameter.tensor.floats().allSatisfy(\.isFinite)
            #expect(isFinite, "\(parameter.name)")
        }
        #expect(try contents(scratch) == ["curve.json", "weights.safetensors"])
    }

    /// Weights that answer with no number are no weights to end with.
    @Test func whatHasExplodedIsNotKept() throws {
        let scratch = ScratchFolder()
        let plan = try plan(normalization: .none) {
            $0.optimizer = .sgd
            $0.learningRate = 1e30
            $0.gradientClipping = 1e30
        }
        let error = #expect(throws: TrainingDiverged.self) { try plan.run(folder: scratch.path) }
        #expect(error?.step == 1)
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/weights.safetensors"))
    }

    /// Stops after a checkpoint that speaks of kept weights, damages those, and goes on.
    @Test(arguments: ["flipped", "missing"]) func damagedKeptWeightsAreNoticed(damage: String) throws {
        let (whole, damaged) = (ScratchFolder(), ScratchFolder())
        let plan = try plan(steps: 8) { $0.kept = .best }
        let expected = try Data(contentsOf: URL(fileURLWithPath: plan.run(folder: whole.path).weights))
        var steps = 0
        #expect(throws: Interrupted.self) {
            try plan.run(folder: damaged.path, shouldStop: { steps == 5 }, report: { steps = $0.step })
        }
        let name = try #require(contents(damaged).first { $0.hasPrefix("kept-") })
        #expect(try contents(damaged).count { $0.hasPrefix("kept-") } == 1)
        let url = URL(fileURLWithPath: damaged.path + "/" + name)
        var data = try Data(contentsOf: url)
        data[data.count - 50] ^= 0x40
        if damage == "missing" { try FileManager.default.removeItem(at: url) } else { try data.write(to: url) }
        var notes: [String] = []
        let member = try plan.run(folder: damaged.path, report: { notes += $0.note.map { [$0] } ?? [] })
        #expect(notes.count == 1 && notes[0].contains("\(name) is missing or damaged"), "\(notes)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: member.weights)) == expected)
    }

    /// With an image that is not a number along one edge.
    private func poisoned(steps: Int, validations: Int) throws -> MemberTraining {
        let labels = foam(shape, objects: 12)
        var image = labels.map { Float($0 % 2) }
        for x in 0..<shape.x { image[0, 0, x] = .nan }
        let volume = try AnnotatedVolume(
            image: VoxelBuffer(image), normalization: IntensityNormalization(mean: 0, deviation: 1), labels: labels,
            voxelSize: VoxelSize(ZYX(repeating: 10), .nanometer))
        let base = try plan(steps: steps, normalization: .instance) { $0.validations = validations }
        var plan = MemberTraining(
            member: base.member, volumes: [volume], split: base.split, network: base.network,
            training: base.training, device: .cpu, precision: .f32, threads: 1)
        plan.checkpointInterval = 0
        return plan
    }

    private typealias Edit = @Sendable (inout TrainingConfiguration) -> Void
    private static let refused: [(String, Edit)] = [
        ("warm_up", { $0.schedule.warmUp = 6 }), ("patience", { $0.patience = 0 }),
        ("accumulation", { $0.accumulation = 0 }), ("averaging", { $0.averaging = 1 }),
        (
            "averaging",
            {
                $0.averaging = 0.9
                $0.statistics = .running
            }
        ),
    ]

    @Test(arguments: refused)
    private func whatCannotBeIsRefused(field: String, edit: Edit) throws {
        let plan = try plan(edit: edit)
        let error = #expect(throws: TrainingConfigurationError.self) { try plan.run(folder: "/nowhere") }
        #expect(error?.field == field)
    }

    /// Of the weights of member 0, as a training draws it.
    private var firstSeed: UInt64 {
        var random = SampleRandom(seed: 3, member: 0, step: -1, index: -1)
        return random.next()
    }

    private func curve(_ member: TrainedMember) throws -> TrainingCurve {
        try JSONDecoder().decode(TrainingCurve.self, from: Data(contentsOf: URL(fileURLWithPath: member.curve)))
    }

    private func contents(_ scratch: ScratchFolder) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted()
    }

    private func below(_ prefix: String, _ tensors: [String: Tensor]) -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix(prefix) }
                .map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    }
}
