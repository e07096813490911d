import Foundation
import Inference
import Networks
import Volumes

/// What a stage would take of what is not kept, before anything runs.
public struct StageForecast: Sendable {
    public var stage: Stage
    /// Bytes at its peak, the program included; nil where that is not known.
    public var memory: Int?
    /// Bytes, were nothing compressed.
    public var disk: Int
    /// nil where that is not known.
    public var seconds: Double?
}

extension PipelineRun {
    /// The memory that a run is given, in bytes.
    public var memory: Int { execution.memory.total }
    /// Bytes that are free where stages are kept.
    public var freeDisk: Int { Machine.freeDisk(at: workFolder) }

    /// What the stages with something to do would take. A few pieces of the work are done to find out, which takes seconds, in
    /// a process of its own.
    ///
    /// - Returns: nothing where the files do not say enough, which a run will tell.
    public func forecast(
        shouldStop: @escaping () -> Bool, report: @escaping (Double) -> Void = { _ in }
    ) throws -> [StageForecast] {
        guard let executable = options.executable, let network = try plan.network() else { return [] }
        let open = plan.steps.filter { cache.state(of: $0) != .complete }
        if open.isEmpty { return [] }
        let work = Work(open)
        let temporary = try TemporaryFolder()
        defer { temporary.remove() }
        let timing = StageTiming(
            network: network.configuration, target: file.target, training: work.has(.train) ? file.training : nil,
            patch: network.patch, prediction: file.prediction,
            tile: work.has(.predict) ? network.geometry.smallTile.input.shape : nil, voxelSize: network.voxelSize,
            device: execution.device, precision: execution.precision, threads: execution.threads,
            folder: temporary.path)
        let answer = try JSONDecoder().decode(
            StageTiming.Answer.self,
            from: WorkerOrder.time(timing).run(
                by: executable, title: file.path, shouldStop: shouldStop, report: report))
        let costs = Costs(run: self, work: work, answer: answer, network: network)
        let memory = try stageMemory()
        return try Stage.allCases.filter(work.has).map { stage in
            let expected = memory.filter { $0.stage == stage }.map(\.expected).max()
            let trained = stage == .train ? answer.trainingMemory * execution.membersAtOnce : 0
            return StageForecast(
                stage: stage, memory: expected.map { $0 + trained + MemoryBudget.program },
                disk: try costs.disk(of: stage), seconds: try costs.seconds(of: stage))
        }
    }
}

extension PipelineRun {
    /// Refuses what would take more memory than is given.
    ///
    /// - Throws: `FileFault` with what will do.
    public func check(_ forecast: [StageForecast]) throws {
        guard execution.memory.isGiven,
            let most = forecast.max(by: { $0.memory ?? 0 < $1.memory ?? 0 }), let bytes = most.memory,
            bytes > execution.memory.total
        else { return }
        throw FileFault(
            file.place(of: "execution.memory") ?? file.path,
            execution.memory.shortage(most.stage.rawValue, takes: bytes))
    }
}

/// The steps that are not kept.
private struct Work {
    private let keys: Set<String>
    private let stages: [Stage: Int]

    init(_ steps: [any Step]) {
        keys = Set(steps.map(\.key))
        stages = Dictionary(grouping: steps, by: \.stage).mapValues(\.count)
    }

    func has(_ stage: Stage) -> Bool { stages[stage] != nil }
    func count(_ stage: Stage) -> Int { stages[stage] ?? 0 }
    func contains(_ step: any Step) -> Bool { keys.contains(step.key) }
}

/// What stages cost, by the passes over volumes that they make.
private struct Costs {
    let run: PipelineRun
    let work: Work
    let answer: StageTiming.Answer
    let network: PlannedNetwork

    private var members: Double { Double(run.plan.members.count) }
    private var channels: Double { Double(network.outputs.channels.count) }

    /// A volume of which a stage has something to do, with the steps of it that are open.
    private func volumes(_ stage: Stage) -> [(volume: Plan.PlannedVolume, own: Double, seen: Double, open: Double)]
    {
        run.plan.volumes.compactMap { volume in
            guard let (own, seen) = volume.shapes else { return nil }
            let steps: [any Step] =
                switch stage {
                case .ingest: volume.images
                case .resample: volume.seen.filter { $0.stage == .resample }
                case .predict: volume.consensus.predictions
                case .consensus: [volume.consensus]
                case .regrow: volume.labels.regrow.map { [$0] } ?? []
                case .label: [volume.labels]
                case .export: [volume.export]
                case .evaluate: volume.evaluate.map { [$0] } ?? []
                case .train, .calibrate, .report: []
                }
            let open = steps.count(where: work.contains)
            return open > 0 ? (volume, Double(own.count), Double(seen.count), Double(open)) : nil
        }
    }

    func disk(of stage: Stage) throws -> Int {
        let formats = Double(run.file.export.formats.count)
        let bytes = volumes(stage).reduce(0.0) { sum, item in
            let (_, own, seen, open) = item
            return sum
                + {
                    switch stage {
                    // Images of 16 bits.
                    case .ingest: own * open * 2
                    case .resample: seen * open * 2
                    case .predict: seen * open * 2 * channels
                    case .consensus: seen * (2 * channels + 1)
                    case .regrow: seen * 4
                    case .label: own * (run.file.label.regrow == nil ? 4 : 8)
                    case .export: own * (4 * formats + 1)
                    default: 0
                    }
                }()
        }
        // Weights, and what training goes on from.
        let trained =
            stage == .train
            ? Double(work.count(.train)) * 4 * 4 * Double(try NetworkSummary(network.configuration).parameters) : 0
        return Int(min(bytes + trained, 9e18))
    }

    func seconds(of stage: Stage) throws -> Double? {
        let (read, write, label) = (answer.read, answer.write, answer.label)
        let threads = Double(run.execution.threads)
        let head = Double(network.outputs.head.count)
        switch stage {
        case .train:
            return answer.secondsPerStep.map {
                $0 * Double(run.file.training.steps * work.count(.train)) / Double(run.execution.membersAtOnce)
            }
        case .predict:
            guard let each = answer.secondsPerTileVoxel else { return nil }
            let cost = run.tileCost(network)
            return volumes(stage).reduce(0.0) { sum, item in
                sum + (run.computedVoxels(item.volume, network, cost) ?? item.seen) * network.geometry.repetition
                    * each
                    * item.open
            }
        case .calibrate:
            let block = Double(run.plan.annotatedVoxels) * run.file.ensemble.calibration
            // 33 thresholds, of all members and of each.
            return block * 33 * (members + 1) * (run.file.label.regrow == nil ? 2 : 20) * label
        case .report: return 1
        default:
            return volumes(stage).reduce(0.0) { sum, item in
                let (_, own, seen, open) = item
                let objects = seen * (2 * (head * read + label) + write)
                let grown = run.file.label.regrow == nil ? 0 : seen * (3 * (write + read) + 10 * label)
                return sum
                    + {
                        switch stage {
                        case .ingest: own * open * (read + write)
                        case .resample: (own * read + seen * 2 * write) * open
                        case .consensus: seen * channels * (members * read + 2 * write)
                        case .regrow: objects + grown
                        case .label: objects + own * 3 * read
                        case .export: own * 2 * (read + write)
                        default: members * (objects + grown + 2 * own * read)
                        }
                    }() / (stage == .ingest || stage == .export ? 1 : threads)
            }
        }
    }
}
