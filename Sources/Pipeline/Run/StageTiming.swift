import Foundation
import Inference
import Labeling
import Networks
import Tensors
import Training
import Volumes

/// What pieces of a pipeline's work take on this machine, found by doing a few, in a process of its own: steps of training and a
/// tile of a prediction by networks of random weights, and a shard of a store.
public struct StageTiming: Codable {
    let network: NetworkConfiguration
    let target: Target
    /// nil where nothing is trained.
    let training: TrainingConfiguration?
    let patch: ZYX<Int>
    let prediction: PredictionSettings
    /// Input voxels of a tile; nil where nothing is predicted.
    let tile: ZYX<Int>?
    let voxelSize: VoxelSize
    let device: Device
    let precision: Precision
    let threads: Int
    /// Where what is tried lies; it must exist.
    let folder: String

    struct Answer: Codable {
        var secondsPerStep: Double?
        /// Bytes that training took, beside the program.
        var trainingMemory = 0
        /// Of a prediction, a member and an input voxel.
        var secondsPerTileVoxel: Double?
        /// Of one thread and a voxel: 16 bits of noise compressed and written, and read; a mask labelled.
        var write = 0.0
        var read = 0.0
        var label = 0.0
    }

    private static let steps = 5

    func run(report: (Double) throws -> Void) throws -> Answer {
        try Libtorch.setThreads(threads)
        var answer = Answer()
        try time(shard: ZYX(64, 128, 128), &answer)
        try report(0.1)
        if let tile { answer.secondsPerTileVoxel = try secondsOfPrediction(tile) / Double(tile.count) }
        try report(0.5)
        if let training { (answer.secondsPerStep, answer.trainingMemory) = try trained(training, report) }
        return answer
    }

    private func time(shard: ZYX<Int>, _ answer: inout Answer) throws {
        let store = try BlockStore.create(
            at: folder + "/shard.zarr",
            BlockStore.Layout(shape: shard, elementType: .int16, shard: shard, chunk: ZYX(32, 64, 64)))
        // Smooth hills with noise, as logits are.
        var voxels = Volume<Int16>(shape: shard)
        for (index, cell) in Box(shard).cells(of: ZYX(1, 1, shard.x)).enumerated() {
            for x in 0..<shard.x {
                let hill = sin(Double(cell.origin.z) / 5) + sin(Double(cell.origin.y) / 7) + sin(Double(x) / 9)
                voxels.voxels[index * shard.x + x] =
                    Int16(1000 * hill) + Int16((index &* 7919 &+ x &* 104_729) % 16)
            }
        }
        let count = Double(shard.count)
        let box = Box(shard)
        answer.write = try seconds { try store.writeShard(box, VoxelBuffer(voxels)) } / count
        answer.read = try seconds { _ = try store.read(box) } / count
        let mask = voxels.map { $0 > 1000 ? 1 : 0 as UInt8 }
        answer.label = try seconds { _ = try connectedComponents(of: mask, connectivity: .faces) } / count
    }

    private func secondsOfPrediction(_ tile: ZYX<Int>) throws -> Double {
        let weights = try Network(network, seed: 1, device: device)
        let outputs = StoredOutputs(target, voxelSize: voxelSize, dimensions: network.dimensions)
        let predictor = try Predictor(
            network: weights, channels: outputs.places, patch: patch,
            averaging: prediction.averaging(outputs), precision: precision, device: device)
        func predict() throws {
            _ = try predictor.logits(of: Box(tile), volume: tile, limit: .none) { box in
                (0..<network.inputChannels).map { _ in Volume(shape: box.shape, repeating: 0.5) }
            }
        }
        // The first prediction also chooses and compiles what computes it.
        try predict()
        return try seconds(predict)
    }

    private func trained(
        _ training: TrainingConfiguration, _ report: (Double) throws -> Void
    ) throws -> (secondsPerStep: Double?, memory: Int) {
        let shape = training.patch.map { 2 * $0 }.zip(ZYX(repeating: 1)) { max($0, $1) }
        var labels = Volume<UInt32>(shape: shape)
        let classes: [UInt32] =
            target.heads.lazy.compactMap { head -> [UInt32]? in
                if case .classes(let ids) = head { ids } else { nil }
            }.first ?? []
        for (index, cell) in Box(shape).cells(of: ZYX(repeating: 12)).enumerated() {
            let inner = cell.intersection(Box(origin: cell.origin, shape: ZYX(repeating: 10)))
            let label = classes.isEmpty ? UInt32(index + 1) : classes[index % classes.count]
            labels.replace(at: inner.origin, with: Volume(shape: inner.shape, repeating: label))
        }
        let image = VoxelBuffer(labels.map { UInt8(truncatingIfNeeded: $0 &* 40) })
        let volume = try AnnotatedVolume(
            channels: (0..<network.inputChannels).map { _ in
                ImageChannel(image, IntensityNormalization(mean: 100, deviation: 50))
            }, labels: labels, voxelSize: voxelSize)
        var short = training
        short.steps = 1_000
        short.schedule.warmUp = 0
        let member = MemberTraining(
            member: 0, volumes: [volume],
            split: try AnnotationSplit(annotations: [volume.annotatedBox], calibration: 0, members: 1),
            target: target,
            network: network, training: short, device: device, precision: precision, threads: threads)
        let seconds = try member.timed(steps: Self.steps, folder: folder) { try report(0.5 + 0.5 * $0) }
        return (seconds, max(0, Machine.peakMemory - MemoryBudget.program))
    }

    private func seconds(_ work: () throws -> Void) rethrows -> Double {
        try ContinuousClock().measure(work) / .seconds(1)
    }
}
