import Foundation
import Inference
import Networks
import Tensors
import Training
import Volumes

/// Times one prediction of the U-Net that `Benchmarks/network.py` has in PyTorch, and the steps of its training as
/// `segment run` takes them, patches and augmentation included, and prints them as one line of JSON under the same names.
///
///     NetworkBenchmark [f32|bf16|f16] [threads] [repetitions] [cpu|cuda] [features] [patch]
///     NetworkBenchmark tiles Z,Y,X BYTES    the tiles that it predicts a volume in within that memory, as JSON
@main
struct NetworkBenchmark {
    let precision: Precision
    let threads: Int
    let repetitions: Int
    let device: Device
    /// Voxels along each axis.
    let patch: Int
    let configuration: NetworkConfiguration

    static func main() throws {
        let arguments = CommandLine.arguments
        func argument(_ index: Int, _ fallback: String) -> String {
            index < arguments.count ? arguments[index] : fallback
        }
        let precision = Precision(rawValue: argument(1, "f32")) ?? .f32
        let benchmark = try NetworkBenchmark(
            precision: precision, threads: Int(argument(2, "2")) ?? 2, repetitions: Int(argument(3, "3")) ?? 3,
            device: Device.resolve(Device.Choice(rawValue: argument(4, "cpu")) ?? .cpu),
            patch: Int(argument(6, "64")) ?? 64,
            configuration: NetworkConfiguration("unet") {
                $0.levels = 4
                $0.features = Int(argument(5, "16")) ?? 16
            })
        if argument(1, "") == "tiles" {
            let extents = argument(2, "").split(separator: ",").compactMap { Int($0) }
            try benchmark.printTiles(ZYX(extents[0], extents[1], extents[2]), bytes: Int(argument(3, "")) ?? 0)
        } else {
            try benchmark.run()
        }
    }

    private func printTiles(_ shape: ZYX<Int>, bytes: Int) throws {
        let graph = try configuration.graph()
        let geometry = try TileGeometry(graph, patch: ZYX(repeating: 64))
        let cost = TileCost(graph, geometry, precision: precision, members: 1, channels: 1)
        func ends(_ box: Box) -> String {
            "[" + zip(box.origin.array, box.end.array).map { "[\($0), \($1)]" }.joined(separator: ", ") + "]"
        }
        let tiles = try TilePlan.ofShards(
            ZYX(64, 256, 256), volume: shape, geometry: geometry, limit: .memory(bytes, cost)
        ).flatMap(\.tiles)
        let lines = tiles.map { "{\"input\": \(ends($0.input)), \"output\": \(ends($0.output))}" }
        print("[\(lines.joined(separator: ",\n"))]")
    }

    func run() throws {
        Libtorch.keepMemory()
        try Libtorch.setThreads(threads)
        let prediction = try predictions()
        let predictionPeak = peakMemory()
        let (step, waiting, stepPeak) = try steps()
        print(
            """
            {"name": "segment \(device == .cuda ? "cuda " : "")\(precision.rawValue)", "prediction": \(prediction), "prediction_mib": \(predictionPeak), \
            "step": \(step), "step_mib": \(stepPeak), "waiting": \(waiting)}
            """)
    }

    /// Seconds of each prediction after one that warms up.
    private func predictions() throws -> [Double] {
        let network = try Network(configuration, seed: 1, device: device)
        let random = CounterRandom(seed: 1, stream: "benchmark")
        let values = (0..<UInt64(2 * patch * patch * patch)).map { Float(random.normal($0)) }
        let image = try Tensor(values, shape: [2, 1, patch, patch, patch], device: device)
        let folded = try network.folded(precision: precision)
        // A GPU is done once a value of it is known.
        func predict() throws { _ = try folded(image).narrowed(axis: 0, to: 0..<1).largest().item() }
        try predict()
        return try (0..<repetitions).map { _ in try ContinuousClock().measure { try predict() } / .seconds(1) }
    }

    /// Seconds of each step after two that warm up, the share of them spent waiting for patches, and the peak memory: of a
    /// long training that is stopped, as a short one adds a point to its curve after every step.
    private func steps() throws -> (seconds: [Double], waiting: Double, peak: Int) {
        let shape = ZYX(repeating: patch * 3 / 2)
        let random = CounterRandom(seed: 2, stream: "benchmark")
        let image = Volume(shape: shape, voxels: (0..<UInt64(shape.count)).map { Float(random.normal($0)) })
        let labels = Volume(
            shape: shape,
            voxels: (0..<shape.count).map { voxel in
                let (slab, column) = (voxel / (shape.z * shape.y * 24), voxel % shape.x / 24)
                return UInt32(slab * 16 + column + 1)
            })
        let volume = try AnnotatedVolume(
            image: VoxelBuffer(image), normalization: IntensityNormalization(mean: 0, deviation: 1),
            labels: labels, voxelSize: VoxelSize(ZYX(repeating: 10), .nanometer))
        let training = MemberTraining(
            member: 0, volumes: [volume],
            split: try AnnotationSplit(shapes: [shape], calibration: 0, members: 1), network: configuration,
            training: TrainingConfiguration(steps: 10_000, patch: ZYX(repeating: patch), validations: 1),
            device: device,
            precision: precision, threads: threads)
        let folder = NSTemporaryDirectory() + "benchmark-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var (seconds, waiting, peak): ([Double], Double, Int) = ([], 0, 0)
        var last = ContinuousClock.now
        do {
            try training.run(
                folder: folder, shouldStop: { seconds.count == repetitions },
                report: { progress in
                    let now = ContinuousClock.now
                    if progress.step > 2 { seconds.append((now - last) / .seconds(1)) }
                    (last, waiting, peak) = (now, progress.waiting, peakMemory())
                })
        } catch is Interrupted {}
        return (seconds, waiting, peak)
    }

    /// The process's largest resident memory so far, MiB.
    private func peakMemory() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss / 1024
    }
}
