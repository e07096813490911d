import Diagnosis
import Foundation
import Networks
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
        for run in result.runs {
            #expect(run.points.map(\.step) == [6, 12, 18, 24])
            #expect(run.points[3].trainingLoss < run.points[0].trainingLoss)
            #expect(run.points.allSatisfy { (0...1).contains($0.testError) && (0...1).contains($0.trainingError) })
        }
        let shallow = result.runs[0...1].map { $0.points[3].trainingLoss }
        #expect(result.finalTrainingLoss(of: result.runs[0].network) == (shallow[0] + shallow[1]) / 2)
        #expect(fractions == fractions.sorted() && fractions.last ?? 2 <= 1)
    }

    @Test func aRunThatWasStoppedGoesOnToTheSameCurves() throws {
        let undisturbed = try run(plan, "undisturbed", threads: 2)
        var stops = 0
        var result: Degradation.Result?
        while result == nil, stops < 500 {
            do {
                // A moment later each time, so that it gets further.
                let deadline = Date(timeIntervalSinceNow: 0.03 * Double(stops))
                result = try run(plan, "stopped", shouldStop: { Date() > deadline })
            } catch is DiagnosisStopped {
                stops += 1
            }
        }
        #expect(stops > 1)
        #expect(result == undisturbed)
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
