import Diagnosis
import Foundation
import Networks
import Tensors
import TestSupport
import Testing

struct DegradationTests {
    private let folder = ScratchFolder()

    /// Two depths, two seeds, of hardly any cost.
    private var plan: Degradation.Plan {
        var plan = Degradation.Plan()
        plan.layers = [8, 14]
        plan.features = 2
        plan.seeds = [1, 2]
        plan.steps = 24
        plan.batch = 8
        plan.points = 4
        return plan
    }

    private func run(
        _ plan: Degradation.Plan, _ name: String, threads: Int = 1, shouldStop: () -> Bool = { false },
        report: (DiagnosisProgress) -> Void = { _ in }
    ) throws -> Degradation.Result {
        try Degradation(task: brightPatches(32), plan: plan).run(
            folder: folder.path + "/" + name, threads: threads, shouldStop: shouldStop, report: report)
    }

    @Test(arguments: [(20, false), (56, true), (8, true)])
    func networksHaveTheLayersOfTheirName(layers: Int, isResidual: Bool) throws {
        let network = ThinClassifier(layers: layers, isResidual: isResidual)
        let graph = try network.graph(channels: 1)
        let weighted = graph.nodes.filter {
            switch $0.operation {
            case .convolution, .linear: true
            default: false
            }
        }
        #expect(weighted.count == layers)
        #expect(graph.residualBlocks.count == (isResidual ? (layers - 2) / 2 : 0))
        #expect(network.name == "\(isResidual ? "residual" : "plain")-\(layers)")
        #expect(throws: DiagnosisError.self) {
            try ThinClassifier(layers: 21, isResidual: false).graph(channels: 1)
        }
    }

    @Test func everyNetworkIsTrainedFromEverySeed() throws {
        var fractions: [Double] = []
        let result = try run(plan, "all", report: { fractions.append($0.fraction) })
        #expect(
            result.runs.map { "\($0.network.name) \($0.seed)" } == [
                "plain-8 1", "plain-8 2", "plain-14 1", "plain-14 2", "residual-8 1", "residual-8 2",
                "residual-14 1",
                "residual-14 2",
            ])
        #expect(result.plan == plan && result.trainingSamples == 32 && result.testSamples == 32)
        #expect(Set(result.networks.map(\.features)) == [2])
        for run in result.runs {
            #expect(run.points.map(\.step) == [6, 12, 18, 24])
            #expect(run.points.allSatisfy { $0.trainingLoss.isFinite && $0.testLoss.isFinite })
            #expect(Set(run.points.map(\.trainingLoss)).count == 4)
            #expect(run.points[3].trainingLoss < run.points[0].trainingLoss)
            #expect(run.points.allSatisfy { (0...1).contains($0.testError) && (0...1).contains($0.trainingError) })
        }
        let shallow = result.runs[0...1].map { $0.points[3].trainingLoss }
        #expect(result.finalTrainingLoss(of: result.runs[0].network) == (shallow[0] + shallow[1]) / 2)
        #expect(fractions == fractions.sorted() && fractions.last ?? 2 <= 1)
    }

    /// Written again with an optimizer of its own: a network and its twin see the same batches at the same rates.
    @Test func twinsLearnTheSameTaskByTheSameSchedule() throws {
        let task = try brightPatches(32)
        var own = plan
        (own.layers, own.seeds) = ([8], [5])
        let result = try run(own, "twins")
        #expect(result.runs.map(\.network.isResidual) == [false, true])
        try Libtorch.setThreads(1)
        for run in result.runs {
            let network = try Network(run.network.graph(channels: 1), seed: 5)
            let weights = network.parameters.map(\.tensor)
            var speeds = try weights.map { try $0.detached().zerosLike() }
            let random = CounterRandom(seed: 5, stream: "batches")
            var losses: [Double] = []
            for step in 0..<24 {
                let draws = (0..<8).map { random.bits(UInt64(8 * step + $0)) }
                let (images, labels) = try task.batch(
                    of: task.training, draws.map { Int($0 >> 59) },
                    mirrored: draws.map { UInt8($0 & 3) })
                let loss = try network(images).binaryCrossEntropy(withTarget: labels)
                losses.append(Double(try loss.item()))
                for weight in weights { try weight.clearGradient() }
                try loss.backward()
                let rate = own.learningRate * [1, 1, 0.1, 0.01][step / 6]
                try withoutGradients {
                    for (index, weight) in weights.enumerated() {
                        let slope = try #require(try weight.gradient()) + weight.detached() * 1e-4
                        speeds[index] = try speeds[index] * 0.9 + slope
                        // Nesterov's.
                        try weight.add(slope + speeds[index] * 0.9, scale: -rate)
                    }
                }
            }
            for (place, point) in run.points.enumerated() {
                let mean = losses[6 * place..<6 * place + 6].reduce(0, +) / 6
                #expect(abs(point.trainingLoss - mean) < 1e-4, "\(run.network.name) at \(point.step)")
            }
        }
    }

    @Test func aRunThatWasStoppedGoesOnToTheSameCurves() throws {
        let undisturbed = try run(plan, "undisturbed", threads: 2)
        var stops = 0
        var result: Degradation.Result?
        var steps: Set<Int> = []
        let stopped = folder.path + "/stopped"
        while result == nil, stops < 500 {
            do {
                // A moment later each time, so that it gets further.
                let deadline = Date(timeIntervalSinceNow: 0.03 * Double(stops))
                result = try run(plan, "stopped", shouldStop: { Date() > deadline })
            } catch is DiagnosisStopped {
                stops += 1
                let names = try FileManager.default.contentsOfDirectory(atPath: stopped)
                for name in names where name.hasSuffix(".safetensors") {
                    let state = try Safetensors(contentsOf: "\(stopped)/\(name)").metadata["state"] ?? ""
                    let match = try #require(state.firstMatch(of: /"step":(\d+)/))
                    steps.insert(try #require(Int(match.1)))
                }
            }
        }
        #expect(stops > 1)
        // It was stopped in the middle, not before its first step.
        #expect(steps.contains { (1..<24).contains($0) }, "\(steps)")
        #expect(result == undisturbed)
        for (a, b) in zip(result?.runs ?? [], undisturbed.runs) {
            #expect(a.points.map(\.trainingLoss.bitPattern) == b.points.map(\.trainingLoss.bitPattern))
            #expect(a.points.map(\.testLoss.bitPattern) == b.points.map(\.testLoss.bitPattern))
        }
    }

    @Test func filesOfAnotherPlanAndDamagedOnesAreNotTakenUp() throws {
        var small = plan
        (small.layers, small.seeds) = ([8], [1])
        let first = try run(small, "same")
        #expect(try run(small, "same") == first)
        var other = small
        other.learningRate = 0.01
        let second = try run(other, "same")
        #expect(second.runs != first.runs)
        for name in ["plain-8-seed-1.json", "plain-8-seed-1.safetensors"] {
            try folder.write("same/" + name, "{")
        }
        #expect(try run(other, "same") == second)
    }

    @Test func aFolderThatCannotBeWrittenIsAClearError() throws {
        try folder.write("file", "not a folder")
        #expect { try run(plan, "file/below") } throws: { "\($0)".contains("file/below: cannot be created") }
    }
}
