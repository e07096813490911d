import Diagnosis
import Foundation
import Networks
import Reports
import Tensors
import Training
import Volumes

/// Makes one experiment on a subject.
struct DiagnosisStep {
    private let subject: DiagnosisSubject
    private let stateFolder: String
    private let shouldStop: () -> Bool
    private let report: (DiagnosisProgress) -> Void

    /// - Parameter stateFolder: where experiments that can be resumed keep what they have.
    init(
        _ subject: DiagnosisSubject, stateFolder: String, shouldStop: @escaping () -> Bool,
        report: @escaping (DiagnosisProgress) -> Void
    ) {
        self.subject = subject
        self.stateFolder = stateFolder
        self.shouldStop = shouldStop
        self.report = report
    }

    /// - Throws: ``DiagnosisError`` where it cannot be made of this subject; ``DiagnosisStopped``.
    func run(_ key: DiagnosisResults.Key, into results: inout DiagnosisResults) throws {
        switch key {
        case .signal:
            let (signal, trial) = (try signal(), try trial())
            (results.signal, results.trial) = (signal, trial)
            results.verdict = try signal.network.map { try subject.verdict($0, trial).lines } ?? []
        case .gradients: results.gradients = try gradients()
        case .paths: results.paths = try paths()
        case .batchNormShort: results.batchNormShort = try batchNorm(.short, folder: nil)
        case .batchNorm: results.batchNorm = try batchNorm(BatchNormBenefit.Plan(), folder: stateFolder)
        case .degradation:
            results.degradation = try Degradation(task: subject.task(), device: subject.device).run(
                folder: stateFolder, threads: subject.threads, shouldStop: shouldStop, report: report)
        }
    }

    /// Says how far the step is, and stops where that is asked for.
    private func advance(_ fraction: Double, _ detail: String) throws {
        if shouldStop() { throw DiagnosisStopped() }
        report(DiagnosisProgress(fraction: fraction, detail: detail))
    }

    /// Small networks lose more to threads that wait for one another than they gain, most of all on a busy machine.
    private func onOneThread<Result>(_ body: () throws -> Result) throws -> Result {
        try Libtorch.setThreads(1)
        let result = try body()
        try Libtorch.setThreads(subject.threads)
        return result
    }

    private func signal() throws -> SignalPropagation {
        try advance(0, subject.network.architecture)
        let network = try Network(subject.network, seed: 1, device: subject.device)
        let series = try SignalPropagation.measure(
            network, name: subject.network.architecture, input: subject.input(network.graph), seed: 1)
        // As deep as the network, so that the curves can be compared.
        let blocks = min(60, max(10, series.layers.count))
        let chains = ReferenceChain.allCases
        let references = try onOneThread {
            try chains.enumerated().map { index, chain in
                try advance(0.1 + 0.4 * Double(index) / Double(chains.count), chain.rawValue)
                return try chain.measure(blocks: blocks, width: 128, seeds: 0..<8)
            }
        }
        return SignalPropagation(network: series, references: references)
    }

    private func trial() throws -> TrainingTrial {
        let graph = try subject.network.graph()
        let extents = try subject.extents(graph, about: subject.network.dimensions == 2 ? 32 : 16)
        func run() throws -> TrainingTrial {
            try TrainingTrial.run(
                name: subject.network.architecture, extents: extents, shouldStop: shouldStop,
                report: { report(DiagnosisProgress(fraction: 0.5 + 0.5 * $0, detail: "a few steps of training")) },
                { seed in try Network(subject.network, seed: seed, device: subject.device) })
        }
        return try graph.multiplyAdds(of: extents) < 1_000_000_000 ? onOneThread(run) : run()
    }

    private func gradients() throws -> GradientFindings {
        try onOneThread {
            try advance(0, "autocorrelation over 100 networks")
            let shattered = try ShatteredGradients.measure(shouldStop: shouldStop)
            try advance(0.7, "gradients before and after a step")
            return GradientFindings(
                shattered: shattered, stability: try GradientStability.measure(shouldStop: shouldStop))
        }
    }

    private func paths() throws -> PathFindings {
        try advance(0, "all paths of eight blocks")
        let reference = try onOneThread { try GradientPaths.ofReference() }
        try advance(0.2, "paths of \(subject.network.architecture)")
        var findings = PathFindings(reference: reference, network: nil, deletion: nil, reasons: [:])
        let trained = try subject.trainedResidualNetwork()
        if let trained {
            findings.network = try paths(
                of: trained.network, "the trained \(subject.network.architecture)", trained.loss)
            try advance(0.7, "deleting blocks")
            findings.deletion = try BlockDeletion.measure(
                trained.network, name: "the trained \(subject.network.architecture)", shouldStop: shouldStop
            ) { probe in
                Double(try trained.loss.value(trained.network.outputs(trained.loss.images, probe: probe)).item())
            }
            return findings
        }
        if try subject.hasResidualBlocks {
            let network = try Network(subject.network, seed: 1, device: subject.device)
            findings.network = try GradientPaths.measure(
                network, name: "\(subject.network.architecture) at initialization",
                input: subject.input(network.graph), passes: 64, shouldStop: shouldStop
            ) { try ($0[0] * $0[0]).mean() }
        } else {
            findings.reasons["network"] = "\(subject.network.architecture) as configured has no residual blocks"
        }
        guard subject.data != nil else {
            findings.reasons["deletion"] = "needs a trained network; give a pipeline file in place of --network"
            return findings
        }
        try onOneThread { try deleteBlocksOfStandIn(&findings) }
        return findings
    }

    private func paths(of network: Network, _ name: String, _ loss: PatchLoss) throws -> GradientPaths? {
        try GradientPaths.measure(network, name: name, input: loss.images, passes: 64, shouldStop: shouldStop) {
            try loss.value($0)
        }
    }

    /// Where the pipeline has no trained residual network, a small one learns its task for a moment.
    private func deleteBlocksOfStandIn(_ findings: inout PathFindings) throws {
        let standIn = try StandIn(
            subject.task(), device: subject.device, shouldStop: shouldStop,
            report: {
                report(DiagnosisProgress(fraction: 0.3 + 0.6 * $0, detail: "training a small residual network"))
            })
        findings.deletion = try BlockDeletion.measure(
            standIn.network, name: standIn.name, isStandIn: true, shouldStop: shouldStop, loss: standIn.testLoss)
        guard findings.network == nil else { return }
        let (images, loss) = try standIn.batch()
        findings.network = try GradientPaths.measure(
            standIn.network, name: standIn.name, input: images, passes: 64, shouldStop: shouldStop, loss: loss)
    }

    private func batchNorm(_ plan: BatchNormBenefit.Plan, folder: String?) throws -> BatchNormBenefit.Result {
        let (task, data) = try subject.taskOrSubstitute()
        return try BatchNormBenefit(task: task, data: data, plan: plan, device: subject.device).run(
            folder: folder, threads: subject.threads, shouldStop: shouldStop, report: report)
    }
}
