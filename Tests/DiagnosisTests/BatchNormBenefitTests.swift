import Diagnosis
import Foundation
import TestSupport
import Testing

struct BatchNormBenefitTests {
    private let folder = ScratchFolder()

    private var plan: BatchNormBenefit.Plan {
        var plan = BatchNormBenefit.Plan()
        plan.network = ThinClassifier(layers: 8, isResidual: false, features: 4)
        plan.seeds = [1, 2]
        plan.steps = 16
        plan.firstRate = 1.0 / 64
        plan.batch = 16
        plan.batchSizes = [4, 16]
        plan.observedSamples = 4
        plan.observedBatches = 40
        return plan
    }

    private func run(threads: Int = 1, keeping: Bool = false, report: (DiagnosisProgress) -> Void = { _ in }) throws
        -> BatchNormBenefit.Result
    {
        try BatchNormBenefit(task: brightPatches(64), data: "bright patches", plan: plan).run(
            folder: keeping ? folder.path : nil, threads: threads, shouldStop: { false }, report: report)
    }

    @Test func theLadderEndsWhereTwoRatesInARowDoNotTrain() throws {
        let result = try run(threads: 2)
        #expect(result.ladders.map(\.isNormalized) == [true, false, true, false])
        for ladder in result.ladders {
            let rates = ladder.trials.map(\.rate)
            #expect(rates == rates.indices.map { plan.firstRate * Double(1 << $0) })
            #expect(ladder.trials.suffix(2).map(\.trains) == [false, false])
            #expect(ladder.trials.dropLast(2).last?.trains == true)
            for trial in ladder.trials where trial.trains { #expect(trial.loss ?? 9 < plan.share * log(2)) }
            #expect(ladder.highestRate == ladder.trials.last { $0.trains }?.rate)
        }
        let rates = result.ladders.filter(\.isNormalized).compactMap(\.highestRate)
        let mean = try #require(result.highestRate(isNormalized: true))
        #expect(abs(mean - (rates[0] * rates[1]).squareRoot()) < 1e-9 * mean)
        #expect(mean > (try #require(result.highestRate(isNormalized: false))))
    }

    @Test func batchStatisticsSpreadAsTheRootOfTheBatchAndGhostBatchesAsTheirOwn() throws {
        let spreads = try run().spreads
        #expect(spreads.map(\.batch) == [4, 16, 4, 16])
        #expect(spreads.map(\.isGhost) == [false, false, true, true])
        for spread in spreads { #expect(abs(spread.mean / spread.expectedMean - 1) < 0.15) }
        #expect(abs(spreads[0].expectedMean / spreads[1].expectedMean - 2) < 1e-9)
        // A quarter of the batch doubles the spread, whichever way it is cut.
        for (small, large) in [(0, 1), (2, 3)] {
            #expect((1.4...3).contains(spreads[small].output / spreads[large].output))
        }
        // The one ghost batch of a whole batch is the batch.
        #expect(abs(spreads[1].output / spreads[3].output - 1) < 1e-3)
        #expect(abs(spreads[0].output / spreads[2].output - 1) < 0.4)
    }

    @Test func whatIsKeptIsNotMeasuredAgain() throws {
        let first = try run(keeping: true)
        #expect(first.data == "bright patches")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(files.count == 5)
        // Replaced files are others, even where their contents and times agree.
        func numbers() throws -> [UInt64?] {
            try files.map {
                let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\($0)")
                return (attributes[.systemFileNumber] as? NSNumber)?.uint64Value
            }
        }
        let before = try numbers()
        var details: Set<String> = []
        #expect(try run(threads: 2, keeping: true, report: { details.insert($0.detail) }) == first)
        #expect(try numbers() == before)
        // No step of any training was reported.
        #expect(details.isSubset(of: [""]))
        #expect(before.allSatisfy { $0 != nil })
    }
}
