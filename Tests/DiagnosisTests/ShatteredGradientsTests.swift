import Diagnosis
import Tensors
import Testing

@Suite(.serialized) struct ShatteredGradientsTests {
    @Test func depthShattersGradientsAndSkipsMendThem() throws {
        try Libtorch.setThreads(1)
        let result = try ShatteredGradients.measure(networks: 40)
        func at(_ kind: ShatteredGradients.Kind) throws -> Double {
            try #require(result.autocorrelation(.he, kind, lag: 0.2))
        }
        let (shallow, plain, residual) = (try at(.shallow), try at(.plain), try at(.residual))
        #expect(shallow >= 0.8, "one layer: \(shallow)")
        #expect(plain <= 0.4, "24 plain layers: \(plain)")
        #expect(residual >= plain + 0.1 && residual <= shallow - 0.1, "24 residual layers: \(residual)")
        for curve in result.curves {
            #expect(abs(curve.autocorrelation[0] - 1) < 1e-6)
            #expect(curve.autocorrelation.allSatisfy { abs($0) < 1.5 })
        }
    }

    @Test func theSameSeedGivesTheSameCurves() throws {
        #expect(try ShatteredGradients.measure(networks: 2) == ShatteredGradients.measure(networks: 2))
    }

    @Test func aStepLeavesMoreOfAResidualNetworksGradient() throws {
        let stability = try GradientStability.measure(layers: 24, seeds: 0..<2)
        func mean(_ chain: ReferenceChain) throws -> Double {
            let cosines = try #require(stability.series.first { $0.name == chain.rawValue }).cosines
            #expect(cosines.count == 24 && cosines.allSatisfy { (-1.001...1.001).contains($0) })
            return cosines.reduce(0, +) / 24
        }
        #expect(try mean(.normalizedResidual) > mean(.plain) + 0.05)
    }
}
